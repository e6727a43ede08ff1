/** Padding: a composition of slices and joins. */

import { aList, op, options } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { shown } from '../arguments/options.ts';
import { number, oneOf } from '../arguments/ranges.ts';
import { withDevice } from '../device.ts';
import { ShapeError } from '../errors.ts';
import { methods } from '../tensor/methods.ts';
import { scope } from '../tensor/scope.ts';
import { show } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { full } from './create.ts';
import { concat, reshape, slice, unslice } from './movement.ts';
import { broadcastTo } from './reduce.ts';
import { along } from './shapes.ts';

/** Options of {@link pad}. */
export interface PadOptions {
  /**
   * What goes there: `value` ('constant', the default), the inside mirrored at the edge, which is not repeated
   * ('reflect'), the edge itself ('replicate'), or the other end ('circular').
   */
  readonly mode?: 'constant' | 'reflect' | 'replicate' | 'circular';
  /** For mode 'constant'. Default 0. */
  readonly value?: number;
}

const padOptions = options<PadOptions>({
  mode: oneOf(['constant', 'reflect', 'replicate', 'circular']),
  value: number,
});

/**
 * Puts `pads[i][0]` elements before and `pads[i][1]` after axis i, as numpy.pad; axes without an entry stay. (PyTorch's
 * list is flat and begins with the last axis.) In mode 'constant' a negative number cuts elements off.
 * @throws ShapeError if an axis is too short for the mode: 'reflect' needs more elements than it adds on a side,
 * 'circular' as many, 'replicate' one
 * @function
 */
export const pad = op(
  'pad',
  [aTensor('x'), aList<readonly [before: number, after: number]>('pads', '[[1, 1], [0, 2]]'), padOptions],
  (x, pads, options = {}): Tensor => {
    const { mode = 'constant', value = 0 } = options;
    if (pads.length > x.rank)
      throw new ShapeError(`pad: ${pads.length} pads for the ${x.rank} axes of ${x.describe()}`);
    const odd = pads.find((pair) => !(Array.isArray(pair) && pair.length === 2));
    if (odd !== undefined)
      throw new TypeError(
        `pad: for each axis there is a list of two numbers, as in [[1, 1], [0, 2]], not ${shown(odd)}`,
      );
    if (!pads.flat().every(Number.isInteger))
      throw new ShapeError(`pad: ${JSON.stringify(pads)} are not whole numbers`);
    return scope(() => {
      if (mode === 'constant') return constant(x, pads, value);
      return pads.reduce((y, [before, after], axis) => extend(y, axis, before, after, mode), reshape(x, x.shape));
    });
  },
);

function constant(x: Tensor, pads: readonly (readonly [number, number])[], value: number): Tensor {
  const all = x.shape.map((_, i) => pads[i] ?? ([0, 0] as const));
  const shape = x.shape.map((d, i) => d + all[i]![0] + all[i]![1]);
  if (shape.some((d) => d < 0)) {
    throw new ShapeError(`pad: ${JSON.stringify(pads)} cuts more off ${x.describe()} than there is`);
  }
  const cut = all.some(([b, a]) => b < 0 || a < 0);
  const inner = cut
    ? slice(
        x,
        x.shape.map((d, i) => [Math.max(0, -all[i]![0]), d + Math.min(0, all[i]![1])]),
      )
    : x;
  if (value === 0) {
    const begin = all.map(([b]) => Math.max(0, b));
    return unslice(inner, shape, { begin, size: inner.shape, step: begin.map(() => 1) });
  }
  const block = (like: Tensor, axis: number, n: number) =>
    withDevice(x.device, () =>
      full(
        like.shape.map((d, i) => (i === axis ? n : d)),
        value,
      ),
    );
  return all.reduce(
    (y, [before, after], axis) => {
      const parts = [...(before > 0 ? [block(y, axis, before)] : []), y, ...(after > 0 ? [block(y, axis, after)] : [])];
      return parts.length > 1 ? concat(parts, axis) : y;
    },
    reshape(inner, inner.shape),
  );
}

function extend(x: Tensor, axis: number, before: number, after: number, mode: 'reflect' | 'replicate' | 'circular') {
  if (before === 0 && after === 0) return x;
  const d = x.shape[axis]!;
  const most = mode === 'reflect' ? d - 1 : mode === 'circular' ? d : d > 0 ? Number.POSITIVE_INFINITY : 0;
  if (Math.min(before, after) < 0 || Math.max(before, after) > most) {
    throw new ShapeError(
      `pad: mode ${mode} adds 0 to ${Math.max(most, 0)} elements on a side of axis ${axis} of ${show(x.shape)}, not ${before} and ${after}`,
    );
  }
  const cut = (begin: number, end: number | null, step = 1) => slice(x, along(x, axis, [begin, end, step]));
  const edge = (at: number, n: number) =>
    broadcastTo(
      cut(at, at + 1),
      x.shape.map((v, i) => (i === axis ? n : v)),
    );
  const sides = {
    reflect: () => [cut(before, 0, -1), cut(d - 2, after === d - 1 ? null : d - 2 - after, -1)],
    replicate: () => [edge(0, before), edge(d - 1, after)],
    circular: () => [cut(d - before, d), cut(0, after)],
  };
  const [head, tail] = sides[mode]();
  return concat([...(before > 0 ? [head!] : []), x, ...(after > 0 ? [tail!] : [])], axis);
}

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** Puts elements before and after along each axis. */
    pad(pads: readonly (readonly [before: number, after: number])[], options?: PadOptions): Tensor;
  }
}

methods({ pad });
