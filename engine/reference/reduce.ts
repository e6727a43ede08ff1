import type { reduceRows } from '../ops/reduce.ts';
import { broadcastStrides, stridesOf } from '../tensor/shape.ts';
import { copyWalk, type Loop, type LoopsOf, walk } from './loop.ts';

const sumLoop: Loop<{ readonly axes: readonly number[]; readonly scale: number }> = ({
  inputs: [x],
  inputShapes: [xs],
  outputs: [y],
  params: { axes, scale },
}) => {
  const kept = stridesOf(xs!.map((d, i) => (axes.includes(i) ? 1 : d)));
  let i = 0;
  walk(xs!, [kept.map((s, d) => (axes.includes(d) ? 0 : s))], ([q]) => {
    y![q!]! += x![i++]!;
  });
  for (let q = 0; q < y!.length; q++) y![q]! *= scale;
};

export const reduce: LoopsOf<typeof reduceRows> = {
  broadcastTo: ({ inputs: [x], inputShapes: [xs], outputs: [y], outputShapes: [ys] }) =>
    copyWalk(x, y, ys, broadcastStrides(xs, ys), stridesOf(ys)),
  sum: sumLoop,
  mean: sumLoop,
};
