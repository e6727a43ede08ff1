import type { attentionRows } from '../ops/attention.ts';
import type { binaryLossRows } from '../ops/binaryLosses.ts';
import type { groupNormRows } from '../ops/groupNorm.ts';
import type { lossRows } from '../ops/losses.ts';
import { aroundAxis, type softmaxRows } from '../ops/softmax.ts';
import { broadcastStrides } from '../tensor/shape.ts';
import { type Loop, type LoopsOf, walk } from './loop.ts';
import { map3 } from './maps.ts';

const map2 =
  (f: (a: number, b: number) => number): Loop<unknown> =>
  ({ inputs: [a, b], inputShapes: [as, bs], outputs: [y], outputShapes: [ys] }) => {
    let i = 0;
    walk(ys!, [broadcastStrides(as!, ys!), broadcastStrides(bs!, ys!)], ([p, q]) => {
      y![i++] = f(a![p!]!, b![q!]!);
    });
  };

/** Softmax, the losses on logits, and attention. */
export const heads: LoopsOf<
  typeof softmaxRows & typeof lossRows & typeof binaryLossRows & typeof attentionRows & typeof groupNormRows
> = {
  logSoftmax: ({ inputs: [x], inputShapes: [xs], outputs: [y], params: { axis } }) => {
    const { a, r, b } = aroundAxis(xs, axis);
    for (let row = 0; row < a * b; row++) {
      const at = (k: number) => (Math.floor(row / b) * r + k) * b + (row % b);
      let most = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < r; k++) most = Math.max(most, x[at(k)]!);
      let s = 0;
      for (let k = 0; k < r; k++) s += Math.exp(x[at(k)]! - most);
      for (let k = 0; k < r; k++) y[at(k)] = x[at(k)]! - most - Math.log(s);
    }
  },
  weighted: map2((w, x) => (w === 0 ? 0 : w * x)),
  classTargets: ({ inputs: [index], outputs: [y], params: { classes, smoothing } }) => {
    index.forEach((c, i) => {
      const valid = Number.isInteger(c) && c >= 0 && c < classes;
      y.fill(valid ? smoothing / classes : Number.NaN, i * classes, (i + 1) * classes);
      if (valid) y[i * classes + c]! += 1 - smoothing;
    });
  },
  bceLogits: map2((x, t) => Math.max(x, 0) - x * t + Math.log1p(Math.exp(-Math.abs(x)))),
  bceProbabilities: map2((x, t) => -(t * Math.max(Math.log(x), -100) + (1 - t) * Math.max(Math.log1p(-x), -100))),
  scaledDifference: map3((a, b, c) => (a - b) * c),
  standardize: ({ inputs, inputShapes, outputs: [y], outputShapes: [ys] }) => {
    const [x, mean, scale, shift] = inputs;
    const strides = inputShapes.map((s) => broadcastStrides(s, ys));
    let i = 0;
    walk(ys, strides, ([p, q, r, s]) => {
      y[i++] = (x[p!]! - mean[q!]!) * scale[r!]! + shift[s!]!;
    });
  },
  hide: map2((x, seen) => (seen === 1 ? x : seen === 0 ? Number.NEGATIVE_INFINITY : Number.NaN)),
  causal: ({ inputs: [x], inputShapes: [xs], outputs: [y], params: { value } }) => {
    const [q, k] = xs.slice(-2) as [number, number];
    x.forEach((v, i) => {
      y[i] = i % k <= Math.floor(i / k) % q ? v : value;
    });
  },
};
