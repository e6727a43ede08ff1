/** Scans, extrema, sorting and the parts of norms. */
import type { extremaRows } from '../ops/extrema.ts';
import type { normsRows } from '../ops/norms.ts';
import { type ScanParams, scanOf, type scanRows } from '../ops/scan.ts';
import type { sortRows } from '../ops/sort.ts';
import { type Shape, sizeOf, stridesOf } from '../tensor/shape.ts';
import { type Loop, type LoopsOf, walk } from './loop.ts';
import { map1, map2 } from './maps.ts';

/** Visits every column along an axis: the offset of its first element, and the distance between neighbours. */
function columns(shape: Shape, axis: number, visit: (first: number, step: number, column: number) => void): void {
  const [A, R, B] = [sizeOf(shape.slice(0, axis)), shape[axis]!, sizeOf(shape.slice(axis + 1))];
  for (let c = 0; c < A * B; c++) visit(Math.floor(c / B) * R * B + (c % B), B, c);
}

const scan =
  (linear: boolean): Loop<ScanParams> =>
  ({ inputs, inputShapes: [xs], outputs: [y], params }) => {
    const x = inputs[inputs.length - 1]!;
    const { R } = scanOf(xs!, params);
    columns(xs!, params.axis, (first, step) => {
      let sum = 0;
      for (let r = 0; r < R; r++) {
        const at = first + (params.reverse ? R - 1 - r : r) * step;
        sum = r === 0 ? x[at]! : (linear ? inputs[0]![at]! : 1) * sum + x[at]!;
        y![at] = sum;
      }
    });
  };

const fold =
  (start: number, f: (a: number, b: number) => number): Loop<{ readonly axes: readonly number[] }> =>
  ({ inputs: [x], inputShapes: [xs], outputs: [y], params: { axes } }) => {
    const kept = stridesOf(xs!.map((d, i) => (axes.includes(i) ? 1 : d)));
    y!.fill(start);
    let i = 0;
    walk(xs!, [kept.map((s, d) => (axes.includes(d) ? 0 : s))], ([q]) => {
      y![q!] = f(y![q!]!, x![i++]!);
    });
  };

const first =
  (goesBefore: (a: number, b: number) => boolean): Loop<{ readonly axis: number }> =>
  ({ inputs: [x], inputShapes: [xs], outputs: [y], params: { axis } }) =>
    columns(xs!, axis, (at, step, column) => {
      let best = 0;
      for (let r = 1; r < xs![axis]!; r++) {
        const [v, w] = [x![at + r * step]!, x![at + best * step]!];
        if (!Number.isNaN(w) && (Number.isNaN(v) || goesBefore(v, w))) best = r;
      }
      y![column] = best;
    });

/** NaN is the largest. */
const compare = (a: number, b: number): number =>
  Number.isNaN(a) || Number.isNaN(b) ? Number(Number.isNaN(a)) - Number(Number.isNaN(b)) : a < b ? -1 : a > b ? 1 : 0;

export const aggregates: LoopsOf<typeof scanRows & typeof extremaRows & typeof sortRows & typeof normsRows> = {
  cumsum: scan(false),
  linearScan: scan(true),
  prod: fold(1, (a, b) => a * b),
  max: fold(Number.NEGATIVE_INFINITY, Math.max),
  min: fold(Number.POSITIVE_INFINITY, Math.min),
  argmax: first((a, b) => a > b),
  argmin: first((a, b) => a < b),
  argsort: ({ inputs: [x], inputShapes: [xs], outputs: [y], params: { axis, descending } }) =>
    columns(xs, axis, (at, step) => {
      const value = (r: number) => x[at + r * step]!;
      const order = Array.from({ length: xs[axis]! }, (_, r) => r);
      order.sort((p, q) => (descending ? compare(value(q), value(p)) : compare(value(p), value(q))));
      order.forEach((r, i) => {
        y[at + i * step] = r;
      });
    }),
  divOrZero: map2((a, b) => (b === 0 ? 0 : a / b)),
  logOrNone: map1(Math.log),
  root: map1(Math.sqrt),
  absPow: map1((x, p) => (x === 0 ? Number(p === 0) : Math.abs(x) ** p)),
  signedPow: map1((x, p) => (x === 0 ? 0 : Math.sign(x) * Math.abs(x) ** p)),
  finiteOrZero: map1((x) => (Number.isFinite(x) ? x : 0)),
  powerScale: map1((x, bound) => {
    const e = Math.floor(Math.log2(Math.abs(x)));
    return Number.isFinite(e) && Math.abs(e) > bound ? 2 ** e : 1;
  }),
};
