/** Ops that add, join, split, repeat and reorder axes: compositions of the movement ops, and the triangles. */

import { triangle as trianglePlan } from '../../kernels/linalg/triangle.ts';
import { aNumber, axes, axis, maybe, numberOrList, numbers, op } from '../arguments/arguments.ts';
import { aTensor, tensors } from '../arguments/kinds.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { ShapeError } from '../errors.ts';
import { methods } from '../tensor/methods.ts';
import { scope } from '../tensor/scope.ts';
import { normalizeAxes, normalizeAxis, type Shape, show, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { concat, permute, type Range, reshape, slice, unslice } from './movement.ts';
import { broadcastTo } from './reduce.ts';

/** Ranges that cut along one axis and leave the others whole. */
export const along = (x: Tensor, axis: number, range: Range): Range[] =>
  x.shape.map((_, i) => (i === axis ? range : []));

const whole = (op: string, what: string, v: number, least: number): void => {
  if (!Number.isInteger(v) || v < least) {
    throw new ShapeError(`${op}: ${what} is ${v}; it must be a whole number, ${least} or more`);
  }
};

/**
 * x without axes of size 1: all of them, or those in `axes`. Shares memory. As in PyTorch, an axis that is named and has
 * another size stays.
 * @throws ShapeError if there is no such axis
 * @function
 */
export const squeeze = op('squeeze', [aTensor('x'), axes], (x, axes?): Tensor => {
  const list = normalizeAxes('squeeze', axes, x.rank);
  return reshape(
    x,
    x.shape.filter((d, i) => d !== 1 || !list.includes(i)),
  );
});

/**
 * x with a new axis of size 1 before axis `axis`, which runs from -(rank + 1) to rank. Shares memory.
 * @throws ShapeError
 * @function
 */
export const unsqueeze = op('unsqueeze', [aTensor('x'), axis], (x, axis): Tensor => {
  const at = normalizeAxis('unsqueeze', axis, x.rank + 1);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
});

/**
 * Joins tensors of one shape along a new axis, the first unless given.
 * @throws ShapeError if the list is empty, or the shapes differ
 * @function
 */
export const stack = op('stack', [tensors(), maybe(axis)], (xs, axis = 0): Tensor => {
  if (xs.length === 0) throw new ShapeError('stack: no tensors given');
  const odd = xs.find((x) => show(x.shape) !== show(xs[0]!.shape));
  if (odd) {
    throw new ShapeError(`stack: ${show(xs[0]!.shape)} and ${show(odd.shape)} differ; all shapes must be equal`);
  }
  const at = normalizeAxis('stack', axis, xs[0]!.rank + 1);
  return scope(() =>
    concat(
      xs.map((x) => unsqueeze(x, at)),
      at,
    ),
  );
});

/**
 * Cuts x along an axis into pieces of `sizes[0]`, `sizes[1]`, ...; a number stands for equal pieces, of which the last may
 * be smaller. As torch.split.
 * @throws ShapeError if the sizes do not add up to the axis
 * @function
 */
export const split = op(
  'split',
  [aTensor('x'), numberOrList('sizes', '[2, 1]'), maybe(axis)],
  (x, sizes, axis = 0): Tensor[] => {
    const a = normalizeAxis('split', axis, x.rank);
    const d = x.shape[a]!;
    if (typeof sizes === 'number') whole('split', 'the size of the pieces', sizes, 1);
    const list =
      typeof sizes === 'number'
        ? Array.from({ length: Math.max(1, Math.ceil(d / sizes)) }, (_, i) => Math.min(sizes, d - i * sizes))
        : sizes;
    for (const n of list) whole('split', 'a piece', n, 0);
    const total = list.reduce((n, v) => n + v, 0);
    if (total !== d) {
      throw new ShapeError(
        `split: pieces ${show(list)} add up to ${total}, but axis ${a} of ${show(x.shape)} has ${d}; give sizes that add up to it`,
      );
    }
    let at = 0;
    return list.map((n) => {
      at += n;
      return slice(x, along(x, a, [at - n, at]));
    });
  },
);

/**
 * Cuts x along an axis into at most `chunks` pieces of equal size, the last perhaps smaller. As torch.chunk.
 * @throws ShapeError
 * @function
 */
export const chunk = op('chunk', [aTensor('x'), aNumber('chunks'), maybe(axis)], (x, chunks, axis = 0): Tensor[] => {
  whole('chunk', 'the number of chunks', chunks, 1);
  const d = x.shape[normalizeAxis('chunk', axis, x.rank)]!;
  // As in PyTorch, an axis of size 0 gives that many empty pieces.
  return d === 0 ? split(x, new Array<number>(chunks).fill(0), axis) : split(x, Math.ceil(d / chunks), axis);
});

/** Reverses the order along `axes` (all if absent). @throws ShapeError if there is no such axis @function */
export const flip = op('flip', [aTensor('x'), axes], (x, axes?): Tensor => {
  const list = normalizeAxes('flip', axes, x.rank);
  return slice(
    x,
    x.shape.map((_, i): Range => (list.includes(i) ? [null, null, -1] : [])),
  );
});

/**
 * Repeats x `reps[i]` times along axis i; the shorter of `reps` and the shape is filled up with leading ones. As
 * torch.tile and numpy.tile.
 * @throws ShapeError unless all counts are whole numbers, 0 or more
 * @function
 */
export const tile = op('tile', [aTensor('x'), numbers('reps', '[1, 0]')], (x, reps): Tensor => {
  for (const n of reps) whole('tile', 'a count', n, 0);
  const rank = Math.max(reps.length, x.rank);
  const fill = (list: readonly number[]) => [...new Array<number>(rank - list.length).fill(1), ...list];
  const [d, n] = [fill(x.shape), fill(reps)];
  return scope(() => {
    const apart = reshape(
      x,
      d.flatMap((v) => [1, v]),
    );
    const spread = broadcastTo(
      apart,
      d.flatMap((v, i) => [n[i]!, v]),
    );
    return reshape(
      spread,
      d.map((v, i) => v * n[i]!),
    );
  });
});

/**
 * As {@link tile}, with a count for every axis at least: torch.Tensor.repeat. @throws ShapeError with fewer counts
 * @function
 */
export const repeat = op('repeat', [aTensor('x'), numbers('reps', '[1, 0]')], (x, reps): Tensor => {
  if (reps.length < x.rank) {
    throw new ShapeError(
      `repeat: ${show(reps)} has fewer counts than ${x.describe()} has axes; give one for each, or use tile`,
    );
  }
  return tile(x, reps);
});

/**
 * Repeats each element `count` times in its place along `axis`: (a, b) becomes (a, a, b, b) for 2.
 * @throws ShapeError
 * @function
 */
export const repeatInterleave = op(
  'repeatInterleave',
  [aTensor('x'), aNumber('count'), axis],
  (x, count, axis): Tensor => {
    const a = normalizeAxis('repeatInterleave', axis, x.rank);
    whole('repeatInterleave', 'the count', count, 0);
    const [head, d, tail] = [x.shape.slice(0, a), x.shape[a]!, x.shape.slice(a + 1)];
    return scope(() =>
      reshape(broadcastTo(reshape(x, [...head, d, 1, ...tail]), [...head, d, count, ...tail]), [
        ...head,
        d * count,
        ...tail,
      ]),
    );
  },
);

/**
 * Moves the elements by `shifts` along `axes`, round the end; without axes, along the flattened tensor. As torch.roll.
 * @throws ShapeError if shifts and axes differ in number
 * @function
 */
export const roll = op('roll', [aTensor('x'), numberOrList('shifts', '[1, -1]'), axes], (x, shifts, axes?): Tensor => {
  const by = typeof shifts === 'number' ? [shifts] : shifts;
  for (const s of by) whole('roll', 'a shift', s, Number.NEGATIVE_INFINITY);
  if (axes === undefined) {
    if (by.length !== 1) throw new ShapeError(`roll: ${by.length} shifts need as many axes`);
    return scope(() => reshape(roll(reshape(x, [x.size]), by, 0), x.shape));
  }
  const list = typeof axes === 'number' ? [axes] : axes;
  if (list.length !== by.length) throw new ShapeError(`roll: ${by.length} shifts for ${list.length} axes`);
  return scope(() =>
    by.reduce(
      (y, s, i) => {
        const a = normalizeAxis('roll', list[i]!, x.rank);
        const d = x.shape[a]!;
        const k = d === 0 ? 0 : ((s % d) + d) % d;
        return k === 0 ? y : concat([slice(y, along(x, a, [d - k])), slice(y, along(x, a, [0, d - k]))], a);
      },
      reshape(x, x.shape),
    ),
  );
});

/**
 * The diagonal of a matrix [M, N] as a vector, or the matrix [n + |k|, n + |k|] with a vector [n] on its diagonal. `k` > 0
 * is above the main diagonal, `k` < 0 below. As torch.diag.
 * @throws ShapeError unless x is a vector or a matrix
 * @function
 */
export const diag = op('diag', [aTensor('x'), maybe(aNumber('k'))], (x, k = 0): Tensor => {
  whole('diag', 'the diagonal', k, Number.NEGATIVE_INFINITY);
  const place = (columns: number) => (k >= 0 ? k : -k * columns);
  if (x.rank === 1) {
    const n = x.shape[0]!;
    const side = n + Math.abs(k);
    const window = { begin: [n > 0 ? place(side) : 0], size: [n], step: [side + 1] };
    return scope(() => reshape(unslice(x, [side * side], window), [side, side]));
  }
  if (x.rank === 2) {
    const [m, n] = x.shape as [number, number];
    const count = Math.max(0, Math.min(k < 0 ? m + k : m, k > 0 ? n - k : n));
    const from = count > 0 ? place(n) : 0;
    const end = from + Math.max(0, (count - 1) * (n + 1) + 1);
    return scope(() => slice(reshape(x, [m * n]), [[from, count > 0 ? end : from, n + 1]]));
  }
  throw new ShapeError(`diag: ${x.describe()} has ${x.rank} axes; give a vector or a matrix`);
});

export interface TriangleParams {
  readonly k: number;
}

const triangleRow = (name: 'tril' | 'triu'): Row<TriangleParams> => {
  const row: Row<TriangleParams, 1, 1> = {
    name,
    shape: ([x]) => {
      if (x.length < 2) throw new ShapeError(`${name}: x ${show(x)} needs two axes or more, rows and columns last`);
      return [x];
    },
    kernel: ({ inputs: [x], params: { k } }) =>
      trianglePlan(name === 'triu', sizeOf(x), x[x.length - 2]!, x[x.length - 1]!, k),
    vjp: [(g, { params }) => apply(row, [g], params)[0]],
    show: ({ k }) => `${k}`,
  };
  return row;
};

function triangle(row: Row<TriangleParams>, x: Tensor, k: number): Tensor {
  whole(row.name, 'the diagonal', k, Number.NEGATIVE_INFINITY);
  return apply(row, [x], { k })[0]!;
}

const trilRow = triangleRow('tril');
const triuRow = triangleRow('triu');

/**
 * The lower triangles of matrices [..., M, N]: what lies above diagonal `k` (default 0, the main one) becomes 0.
 * @throws ShapeError
 * @function
 */
export const tril = op('tril', [aTensor('x'), maybe(aNumber('k'))], (x, k = 0): Tensor => triangle(trilRow, x, k));

/**
 * The upper triangles of matrices [..., M, N]: what lies below diagonal `k` (default 0, the main one) becomes 0.
 * @throws ShapeError
 * @function
 */
export const triu = op('triu', [aTensor('x'), maybe(aNumber('k'))], (x, k = 0): Tensor => triangle(triuRow, x, k));

function blocks(op: string, x: Tensor, block: number): readonly [number, number, number, number] {
  whole(op, 'the block', block, 1);
  if (x.rank !== 4) throw new ShapeError(`${op}: ${x.describe()} has ${x.rank} axes; give images [N,H,W,C]`);
  return x.shape as Shape as readonly [number, number, number, number];
}

/**
 * Images [N, H, W, C·b²] to [N, H·b, W·b, C]: the channels of a pixel become a block of b × b pixels, in the order (row,
 * column, C) of TensorFlow. torch.nn.PixelShuffle has the order (C, row, column), channels first (Shi et al. 2016).
 * @throws ShapeError unless block² divides the channels
 * @function
 */
export const depthToSpace = op('depthToSpace', [aTensor('x'), aNumber('block')], (x, block): Tensor => {
  const [n, h, w, d] = blocks('depthToSpace', x, block);
  const c = d / block ** 2;
  if (!Number.isInteger(c)) {
    throw new ShapeError(
      `depthToSpace: the ${d} channels of ${x.describe()}, its last axis, are not a multiple of block² = ${block ** 2}`,
    );
  }
  return scope(() =>
    reshape(permute(reshape(x, [n, h, w, block, block, c]), [0, 1, 3, 2, 4, 5]), [n, h * block, w * block, c]),
  );
});

/**
 * Images [N, H, W, C] to [N, H/b, W/b, b²·C]: the inverse of {@link depthToSpace}.
 * @throws ShapeError unless b divides H and W
 * @function
 */
export const spaceToDepth = op('spaceToDepth', [aTensor('x'), aNumber('block')], (x, block): Tensor => {
  const [n, h, w, c] = blocks('spaceToDepth', x, block);
  if (h % block !== 0 || w % block !== 0) {
    throw new ShapeError(
      `spaceToDepth: height ${h} and width ${w} of ${x.describe()} must be multiples of the block ${block}; pad first`,
    );
  }
  const [oh, ow] = [h / block, w / block];
  return scope(() =>
    reshape(permute(reshape(x, [n, oh, block, ow, block, c]), [0, 1, 3, 2, 4, 5]), [n, oh, ow, block ** 2 * c]),
  );
});

/** The rows of this file, by name. */
export const shapesRows = { tril: trilRow, triu: triuRow };

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** Drops axes of size 1. */
    squeeze(axes?: number | readonly number[]): Tensor;
    /** Puts a new axis of size 1 before axis `axis`. */
    unsqueeze(axis: number): Tensor;
    /** Cuts along an axis into pieces of the given sizes. */
    split(sizes: number | readonly number[], axis?: number): Tensor[];
    /** Cuts along an axis into so many pieces at most. */
    chunk(chunks: number, axis?: number): Tensor[];
    /** Reverses the order along `axes`, all unless given. */
    flip(axes?: number | readonly number[]): Tensor;
    /** Repeats `reps[i]` times along axis i; missing counts are 1. */
    tile(reps: readonly number[]): Tensor;
    /** Repeats `reps[i]` times along axis i, with a count for every axis. */
    repeat(reps: readonly number[]): Tensor;
    /** Repeats each element in its place along an axis. */
    repeatInterleave(count: number, axis: number): Tensor;
    /** Moves the elements along axes, round the end. */
    roll(shifts: number | readonly number[], axes?: number | readonly number[]): Tensor;
    /** The diagonal of a matrix, or the matrix of a diagonal. */
    diag(k?: number): Tensor;
    /** The lower triangles of matrices. */
    tril(k?: number): Tensor;
    /** The upper triangles of matrices. */
    triu(k?: number): Tensor;
    /** Channels become blocks of pixels. */
    depthToSpace(block: number): Tensor;
    /** Blocks of pixels become channels. */
    spaceToDepth(block: number): Tensor;
  }
}

methods({
  squeeze,
  unsqueeze,
  split,
  chunk,
  flip,
  tile,
  repeat,
  repeatInterleave,
  roll,
  diag,
  tril,
  triu,
  depthToSpace,
  spaceToDepth,
});
