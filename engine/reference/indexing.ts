import type { indexingRows } from '../ops/indexing.ts';
import { type Shape, sizeOf } from '../tensor/shape.ts';
import type { Loop, LoopsOf, Numbers } from './loop.ts';

/**
 * Visits every element of y:[A,K,B]: its offset, and that of x:[A,R,B] at its index, -1 if there is no such place. The index is
 * [A,L,B] with L of K or more, or [K].
 */
function walkIndex(
  index: Numbers,
  ys: Shape,
  R: number,
  axis: number,
  K: number,
  visit: (y: number, x: number) => void,
): void {
  const [A, B] = [sizeOf(ys.slice(0, axis)), sizeOf(ys.slice(axis + 1))];
  const shared = index.length < A * K * B || (A === 1 && B === 1);
  const L = index.length / (A * B);
  for (let a = 0; a < A; a++)
    for (let k = 0; k < K; k++)
      for (let b = 0; b < B; b++) {
        const y = (a * K + k) * B + b;
        const r = index[shared ? k : (a * L + k) * B + b]!;
        visit(y, Number.isInteger(r) && r >= 0 && r < R ? (a * R + r) * B + b : -1);
      }
}

const read: Loop<{ readonly axis: number }> = ({
  inputs: [x, index],
  inputShapes: [xs],
  outputs: [y],
  outputShapes: [ys],
  params: { axis },
}) =>
  walkIndex(index!, ys!, xs![axis]!, axis, ys![axis]!, (to, from) => {
    y![to] = from < 0 ? Number.NaN : x![from]!;
  });

const write: Loop<{ readonly axis: number; readonly size: number }> = ({
  inputs: [source, index],
  inputShapes: [ss],
  outputs: [y],
  params: { axis, size },
}) =>
  walkIndex(index!, ss!, size, axis, ss![axis]!, (from, to) => {
    if (to >= 0) y![to]! += source![from]!;
  });

export const indexing: LoopsOf<typeof indexingRows> = { gather: read, scatter: write, take: read, takeAdd: write };
