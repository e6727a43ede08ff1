import type { arithmeticRows } from '../ops/arithmetic.ts';
import type { LoopsOf } from './loop.ts';
import { map1, map2, map3 } from './maps.ts';
import { power, remainder } from './special.ts';

export const arithmetic: LoopsOf<typeof arithmeticRows> = {
  pow: map2(power),
  powBase: map3((g, a, b) => (b === 0 ? 0 : g * b * power(a, b - 1))),
  powLog: map3((g, a, b) => (a === 0 && b >= 0 ? 0 : g * power(a, b) * Math.log(a))),
  powScalar: map1(power),
  powScalarGrad: map2((g, x, p, less) => g * p * power(x, less)),
  atan2: map2(Math.atan2),
  atan2Grad: map3((g, y, x, scale) => (scale * g * x) / (x * x + y * y)),
  remainder: map2(remainder),
};
