import type { movementRows } from '../ops/movement.ts';
import { stridesOf } from '../tensor/shape.ts';
import { copyWalk, dot, type LoopsOf } from './loop.ts';

export const movement: LoopsOf<typeof movementRows> = {
  permute: ({ inputs: [x], inputShapes: [xs], outputs: [y], outputShapes: [ys], params: { axes } }) => {
    const from = stridesOf(xs);
    copyWalk(
      x,
      y,
      ys,
      axes.map((a) => from[a]!),
      stridesOf(ys),
    );
  },
  slice: ({ inputs: [x], inputShapes: [xs], outputs: [y], outputShapes: [ys], params: { begin, step } }) => {
    const s = stridesOf(xs);
    copyWalk(
      x,
      y,
      ys,
      s.map((v, i) => v * step[i]!),
      stridesOf(ys),
      dot(begin, s),
    );
  },
  unslice: ({ inputs: [x], inputShapes: [xs], outputs: [y], outputShapes: [ys], params: { begin, step } }) => {
    const s = stridesOf(ys);
    copyWalk(
      x,
      y,
      xs,
      stridesOf(xs),
      s.map((v, i) => v * step[i]!),
      0,
      dot(begin, s),
    );
  },
  concat: ({ inputs, inputShapes, outputs: [y], outputShapes: [ys], params: { axis } }) => {
    const to = stridesOf(ys!);
    let at = 0;
    inputs.forEach((x, k) => {
      copyWalk(x, y!, inputShapes[k]!, stridesOf(inputShapes[k]!), to, 0, at * to[axis]!);
      at += inputShapes[k]![axis]!;
    });
  },
};
