import type { elementwiseRows } from '../ops/elementwise.ts';
import { broadcastStrides } from '../shape.ts';
import { type Loop, type LoopsOf, walk } from './loop.ts';

type Scalars = { readonly s0?: number; readonly s1?: number };

const map1 =
  (f: (x: number, s0: number, s1: number) => number): Loop<Scalars> =>
  ({ inputs: [x], outputs: [y], params: { s0 = 0, s1 = 0 } }) => {
    for (let i = 0; i < y!.length; i++) y![i] = f(x![i]!, s0, s1);
  };

const map2 =
  (f: (a: number, b: number, s0: number) => number): Loop<Scalars> =>
  ({ inputs: [a, b], inputShapes: [as, bs], outputs: [y], outputShapes: [ys], params: { s0 = 0 } }) => {
    let i = 0;
    walk(ys!, [broadcastStrides(as!, ys!), broadcastStrides(bs!, ys!)], ([p, q]) => {
      y![i++] = f(a![p!]!, b![q!]!, s0);
    });
  };

export const elementwise: LoopsOf<typeof elementwiseRows> = {
  affine: map1((x, scale, shift) => x * scale + shift),
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
