/** Ops that move data: no arithmetic, and each is the adjoint of another. */

import { copy, fill as fillPlan } from '../../kernels/copy.ts';
import type { Plan } from '../../kernels/kernel.ts';
import { aList, aNumber, aShape, axis, maybe, numbers, op } from '../arguments/arguments.ts';
import { aTensor, tensors } from '../arguments/kinds.ts';
import { checkedList } from '../arguments/options.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { ShapeError } from '../errors.ts';
import { methods } from '../tensor/methods.ts';
import { checkShape, normalizeAxis, type Shape, show, sizeOf, stridesOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

const reshapeRow: Row<{ shape: Shape }, 1, 1> = {
  name: 'reshape',
  shape: ([x], { shape }) => {
    if (sizeOf(x) !== sizeOf(shape)) {
      throw new ShapeError(`reshape: ${show(x)} has ${sizeOf(x)} elements, ${show(shape)} has ${sizeOf(shape)}`);
    }
    return [shape];
  },
  view: true,
  vjp: [(g, { inputs: [x] }) => reshape(g, x.shape)],
};

/**
 * The same elements, row-major, under another shape; one size may be -1 and is worked out. Shares memory.
 * @throws ShapeError if the numbers of elements differ
 * @function
 */
export const reshape = op('reshape', [aTensor('x'), aShape], (x, shape): Tensor => {
  const known = shape.reduce((n, d) => (d === -1 ? n : n * d), 1);
  if (shape.filter((d) => d === -1).length > 1) throw new ShapeError(`reshape: ${show(shape)} has more than one -1`);
  const full = shape.map((d) => (d === -1 ? x.size / known : d));
  checkShape('reshape', full.every(Number.isInteger) ? full : shape);
  return apply(reshapeRow, [x], { shape: full })[0];
});

const permuteRow: Row<{ axes: readonly number[] }, 1, 1> = {
  name: 'permute',
  shape: ([x], { axes }) => {
    if (axes.length !== x.length || new Set(axes).size !== axes.length) {
      throw new ShapeError(`permute: axes ${show(axes)} must name each of the ${x.length} axes of ${show(x)} once`);
    }
    return [axes.map((a) => x[a]!)];
  },
  kernel: ({ inputs: [x], outputs: [y], params: { axes } }) => {
    const from = stridesOf(x);
    return { dispatches: copy({ sizes: y, from: axes.map((a) => from[a]!), to: stridesOf(y) }, 0, 1) };
  },
  vjp: [
    (g, { params: { axes } }) =>
      permute(
        g,
        axes.map((_, i) => axes.indexOf(i)),
      ),
  ],
  show: ({ axes }) => show(axes),
};

/**
 * Reorders the axes: axis i of the result is axis `axes[i]` of x. Copies, where PyTorch makes a view.
 * @throws ShapeError unless each axis is named once
 * @example
 * const nchw = permute(images, [0, 3, 1, 2]); // [N,H,W,C] to [N,C,H,W]
 * @function
 */
export const permute = op(
  'permute',
  [aTensor('x'), numbers('axes', '[1, 0]')],
  (x, axes): Tensor =>
    apply(permuteRow, [x], {
      axes: axes.map((a) => normalizeAxis('permute', a, x.rank)),
    })[0],
);

/**
 * Swaps two axes; the last two unless given. Copies, where PyTorch makes a view.
 * @throws ShapeError if there is no such axis
 * @function
 */
export const transpose = op(
  'transpose',
  [aTensor('x'), maybe(aNumber('axis0')), maybe(aNumber('axis1'))],
  (x, axis0 = -2, axis1 = -1): Tensor => {
    const a = normalizeAxis('transpose', axis0, x.rank);
    const b = normalizeAxis('transpose', axis1, x.rank);
    return permute(
      x,
      x.shape.map((_, i) => (i === a ? b : i === b ? a : i)),
    );
  },
);

/** A regular window of a tensor: along axis i, `size[i]` elements from `begin[i]`, `step[i]` apart. */
export interface Window {
  readonly begin: readonly number[];
  readonly size: readonly number[];
  readonly step: readonly number[];
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((n, v, i) => n + v * b[i]!, 0);

const sliceRow: Row<Window, 1, 1> = {
  name: 'slice',
  shape: ([x], { begin, size, step }) => {
    x.forEach((d, i) => {
      const last = begin[i]! + (size[i]! - 1) * step[i]!;
      if (size[i]! > 0 && (begin[i]! < 0 || begin[i]! >= d || last < 0 || last >= d)) {
        throw new ShapeError(`slice: axis ${i} of ${show(x)} has no elements ${begin[i]} to ${last}`);
      }
    });
    return [size];
  },
  kernel: ({ inputs: [x], outputs: [y], params: { begin, step } }) => {
    const s = stridesOf(x);
    const walk = { sizes: y, from: s.map((v, i) => v * step[i]!), fromOffset: dot(begin, s), to: stridesOf(y) };
    return { dispatches: copy(walk, 0, 1) };
  },
  vjp: [(g, { inputs: [x], params }) => unslice(g, x.shape, params)],
  show: ({ begin, size, step }) => begin.map((b, i) => `${b}:${b + size[i]! * step[i]!}:${step[i]}`).join(', '),
};

const applySlice = (x: Tensor, window: Window): Tensor => apply(sliceRow, [x], window)[0];

/**
 * Bounds along one axis, as Python writes `begin:end:step`: negative indices count from the end, what lies outside is cut
 * off, null or absent is the end of the axis, and a negative step runs backwards. `[]` is the whole axis.
 */
export type Range = readonly [begin?: number | null, end?: number | null, step?: number];

/**
 * Takes a window of x: one range for each leading axis, the others whole. Copies, where PyTorch makes a view. No axis goes
 * away; see {@link squeeze}.
 * @throws ShapeError if there are more ranges than axes, or a step is 0
 * @example
 * slice(x, [[0, 10], [], [null, null, -1]]); // x[:10, :, ::-1]
 * @function
 */
export const slice = op('slice', [aTensor('x'), aList<Range>('ranges', '[[0, 2], [1]]')], (x, ranges): Tensor => {
  for (const r of ranges) checkedList('slice', 'a range', r, '[0, 2]');
  if (ranges.length > x.rank)
    throw new ShapeError(`slice: ${ranges.length} ranges for the ${x.rank} axes of ${x.describe()}`);
  const axes = x.shape.map((d, i) => resolveRange(ranges[i] ?? [], d, i));
  return applySlice(x, { begin: axes.map((a) => a[0]), size: axes.map((a) => a[1]), step: axes.map((a) => a[2]) });
});

function resolveRange([begin, end, step = 1]: Range, d: number, axis: number): [number, number, number] {
  if (!Number.isInteger(step) || step === 0)
    throw new ShapeError(`slice: axis ${axis} has step ${step}; it must be a whole number, not 0`);
  const clampTo = (v: number, low: number, high: number) => Math.min(Math.max(v < 0 ? v + d : v, low), high);
  const b = begin == null ? (step > 0 ? 0 : d - 1) : clampTo(begin, step > 0 ? 0 : -1, step > 0 ? d : d - 1);
  const e = end == null ? (step > 0 ? d : -1) : clampTo(end, step > 0 ? 0 : -1, step > 0 ? d : d - 1);
  return [b, Math.max(0, Math.ceil((e - b) / step)), step];
}

const unsliceRow: Row<Window & { shape: Shape }, 1, 1> = {
  name: 'unslice',
  shape: (_, { shape }) => [shape],
  kernel: ({ inputs: [x], outputs: [y], params: { begin, step } }): Plan => {
    const s = stridesOf(y);
    const walk = { sizes: x, from: stridesOf(x), to: s.map((v, i) => v * step[i]!), toOffset: dot(begin, s) };
    return { dispatches: [...fillPlan(sizeOf(y), 0, 1).dispatches, ...copy(walk, 0, 1)] };
  },
  vjp: [(g, { params }) => applySlice(g, params)],
  show: ({ shape }) => show(shape),
};

/** Puts x into a window of a tensor of zeros: the adjoint of slice. */
export const unslice = (x: Tensor, shape: Shape, { begin, size, step }: Window): Tensor =>
  apply(unsliceRow, [x], { shape, begin, size, step })[0];

const concatRow: Row<{ axis: number }> = {
  name: 'concat',
  shape: (inputs, { axis }) => {
    const first = inputs[0]!;
    for (const s of inputs) {
      if (s.length !== first.length || s.some((d, i) => i !== axis && d !== first[i])) {
        throw new ShapeError(`concat: ${inputs.map(show).join(' and ')} differ in an axis other than ${axis}`);
      }
    }
    return [first.map((d, i) => (i === axis ? inputs.reduce((n, s) => n + s[i]!, 0) : d))];
  },
  kernel: ({ inputs, outputs: [y], params: { axis } }) => {
    const to = stridesOf(y!);
    let at = 0;
    const dispatches = inputs.flatMap((x, k) => {
      const toOffset = at * to[axis]!;
      at += x[axis]!;
      return copy({ sizes: x, from: stridesOf(x), to, toOffset }, k, inputs.length);
    });
    return { dispatches };
  },
  vjp: (g, { inputs, params: { axis }, needs }) => {
    let at = 0;
    return inputs.map((x, k) => {
      const begin = at;
      at += x.shape[axis]!;
      const ranges: Range[] = x.shape.map((_, i) => (i === axis ? [begin, at] : []));
      return needs[k] ? slice(g!, ranges) : null;
    });
  },
  show: ({ axis }) => `axis ${axis}`,
};

/**
 * Joins tensors along an existing axis, the first unless given.
 * @throws ShapeError if the other axes differ, or there are none
 * @function
 */
export const concat = op('concat', [tensors(), maybe(axis)], (xs, axis = 0): Tensor => {
  if (xs.length === 0) throw new ShapeError('concat: no tensors given');
  return apply(concatRow, xs, { axis: normalizeAxis('concat', axis, xs[0]!.rank) })[0]!;
});

/** The rows of this file, by name. */
export const movementRows = {
  permute: permuteRow,
  slice: sliceRow,
  unslice: unsliceRow,
  concat: concatRow,
};
export const movementViews = { reshape: reshapeRow };

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** The same elements under another shape; one size may be -1. */
    reshape(shape: Shape): Tensor;
    /** Reorders the axes. */
    permute(axes: readonly number[]): Tensor;
    /** Swaps two axes, the last two unless given. */
    transpose(axis0?: number, axis1?: number): Tensor;
    /** Takes a window: one range for each leading axis. */
    slice(ranges: readonly Range[]): Tensor;
  }
}

methods({ reshape, permute, transpose, slice });
