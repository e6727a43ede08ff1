import type { elementwiseRows } from '../ops/elementwise.ts';
import type { LoopsOf } from './loop.ts';
import { map1, map2 } from './maps.ts';

export const elementwise: LoopsOf<typeof elementwiseRows> = {
  affine: map1((x, scale, shift) => x * scale + shift),
  divScalar: map1((x, s) => x / s),
  add: map2((a, b) => a + b),
  sub: map2((a, b) => a - b),
  mul: map2((a, b) => a * b),
  div: map2((a, b) => a / b),
  maximum: map2((a, b) => Math.max(a, b)),
  minimum: map2((a, b) => Math.min(a, b)),
  greaterShare: map2((a, b) => (a > b ? 1 : a === b ? 0.5 : 0)),
  neg: map1((x) => -x),
  square: map1((x) => x * x),
  sqrt: map1(Math.sqrt),
  rsqrt: map1((x) => 1 / Math.sqrt(x)),
  exp: map1(Math.exp),
  log: map1(Math.log),
  sign: map1(Math.sign),
  abs: map1(Math.abs),
  tanh: map1(Math.tanh),
  tanhGrad: map2((g, y) => g * (1 - y * y)),
  sigmoid: map1((x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))),
  sigmoidGrad: map2((g, y) => g * y * (1 - y)),
  gate: map2((g, x, slope) => (x > 0 ? g : slope * g)),
  relu: map1((x) => Math.max(x, 0)),
  leakyRelu: map1((x, slope) => (x > 0 ? x : slope * x)),
};
