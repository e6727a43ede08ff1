/** Loops of elementwise functions, with broadcasting. */
import { broadcastStrides } from '../tensor/shape.ts';
import { type Loop, walk } from './loop.ts';

type Scalars = { readonly s0?: number; readonly s1?: number };

export const map1 =
  (f: (x: number, s0: number, s1: number) => number): Loop<Scalars> =>
  ({ inputs: [x], outputs: [y], params: { s0 = 0, s1 = 0 } }) => {
    for (let i = 0; i < y!.length; i++) y![i] = f(x![i]!, s0, s1);
  };

export const map2 =
  (f: (a: number, b: number, s0: number, s1: number) => number): Loop<Scalars> =>
  ({ inputs: [a, b], inputShapes: [as, bs], outputs: [y], outputShapes: [ys], params: { s0 = 0, s1 = 0 } }) => {
    let i = 0;
    walk(ys!, [broadcastStrides(as!, ys!), broadcastStrides(bs!, ys!)], ([p, q]) => {
      y![i++] = f(a![p!]!, b![q!]!, s0, s1);
    });
  };

export const map3 =
  (f: (a: number, b: number, c: number, s0: number) => number): Loop<Scalars> =>
  ({ inputs: [a, b, c], inputShapes, outputs: [y], outputShapes: [ys], params: { s0 = 0 } }) => {
    let i = 0;
    const strides = inputShapes.map((s) => broadcastStrides(s, ys!));
    walk(ys!, strides, ([p, q, r]) => {
      y![i++] = f(a![p!]!, b![q!]!, c![r!]!, s0);
    });
  };
