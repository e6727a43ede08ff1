import type { unaryRows } from '../ops/unary.ts';
import type { LoopsOf } from './loop.ts';
import { map1, map2, map3 } from './maps.ts';
import { erf, roundEven } from './special.ts';

const quarters = [Math.sin, Math.cos, (x: number) => -Math.sin(x), (x: number) => -Math.cos(x)];

export const unary: LoopsOf<typeof unaryRows> = {
  mul3: map3((a, b, c, scale) => scale * a * b * c),
  expm1: map1(Math.expm1),
  log1p: map1(Math.log1p),
  reciprocal: map1((x) => 1 / x),
  sin: map1(Math.sin),
  cos: map1(Math.cos),
  mulSine: map2((g, x, quarter) => g * quarters[quarter]!(x)),
  tan: map1(Math.tan),
  tanGrad: map2((g, y) => g * (1 + y * y)),
  sinh: map1(Math.sinh),
  cosh: map1(Math.cosh),
  atan: map1(Math.atan),
  atanGrad: map2((g, x) => g / (1 + x * x)),
  erf: map1(erf),
  erfGrad: map2((g, x) => (2 / Math.sqrt(Math.PI)) * g * Math.exp(-x * x)),
  floor: map1(Math.floor),
  ceil: map1(Math.ceil),
  round: map1(roundEven),
  isNaN: map1((x) => (Number.isNaN(x) ? 1 : 0)),
  isFinite: map1((x) => (Number.isFinite(x) ? 1 : 0)),
  clamp: map1((x, low, high) => Math.min(Math.max(x, low), high)),
  clampGrad: map2((g, x, low, high) => (x >= low && x <= high ? g : 0)),
};
