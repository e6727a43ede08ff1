/** Reading images at places that another tensor gives. */

import {
  gridCorners as cornersPlan,
  placeGather as gatherPlan,
  placeScatter as scatterPlan,
} from '../../kernels/places.ts';
import { op, options } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { flag, oneOf } from '../arguments/ranges.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { ShapeError } from '../errors.ts';
import { methods } from '../tensor/methods.ts';
import { scope } from '../tensor/scope.ts';
import { type Shape, show } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { affine, maximum, minimum, mul, relu } from './elementwise.ts';
import { concat, reshape, slice } from './movement.ts';
import { sum } from './reduce.ts';

function checkIndex(op: string, values: Shape, index: Shape): void {
  if (values.length !== 3 || index.length !== 2 || values[0] !== index[0]) {
    throw new ShapeError(`${op}: ${show(values)} and the index ${show(index)} must be [N,P,C] and [N,K]`);
  }
}

// The indices choose and are not differentiable; in the other input both are linear, and each is the other's adjoint.
const gatherRow: Row<Record<string, never>, 2, 1> = {
  name: 'placeGather',
  shape: ([x, index]) => {
    checkIndex('placeGather', x, index);
    return [[x[0]!, index[1]!, x[2]!]];
  },
  kernel: ({ inputs: [x, index] }) => gatherPlan(x[0]!, x[2]!, x[1]!, index[1]!),
  vjp: [(g, { inputs: [x, index] }) => placeScatter(g, index, x.shape[1]!), null],
};

const scatterRow: Row<{ places: number }, 2, 1> = {
  name: 'placeScatter',
  shape: ([y, index], { places }) => {
    checkIndex('placeScatter', y, index);
    if (y[1] !== index[1]) {
      throw new ShapeError(`placeScatter: ${show(y)} and the index ${show(index)} differ in axis 1`);
    }
    return [[y[0]!, places, y[2]!]];
  },
  kernel: ({ inputs: [y, index], params: { places } }) => scatterPlan(y[0]!, y[2]!, places, index[1]!),
  vjp: [(g, { inputs: [, index] }) => placeGather(g, index), null],
  show: ({ places }) => `${places} places`,
};

/** Rows of x [N,P,C] by index [N,K], a whole number as a float: [N,K,C]. An index outside 0 to P - 1 gives 0. */
export const placeGather = (x: Tensor, index: Tensor): Tensor => apply(gatherRow, [x, index], {})[0];

/**
 * The adjoint of placeGather: adds the rows of y [N,K,C] up at the places [N,K] of [N,places,C]; P·K steps for each
 * channel.
 */
export const placeScatter = (y: Tensor, index: Tensor, places: number): Tensor =>
  apply(scatterRow, [y, index], { places })[0];

const cornersRow: Row<{ h: number; w: number }, 1, 2> = {
  name: 'gridCorners',
  shape: ([at]) => [
    [at[0]!, 4, at[1]!],
    [at[0]!, at[1]!, 2],
  ],
  kernel: ({ inputs: [at], params: { h, w } }) => cornersPlan(at[0]!, at[1]!, h, w),
  show: ({ h, w }) => show([h, w]),
};

/**
 * The cells of an image of h by w places in which points at [N,M,2], (x, y) in pixels, lie: `index` [N,4,M] of their
 * corners (r·w + c in the order top left, top right, bottom left, bottom right; -1 for one outside the image), and `base`
 * [N,M,2], the top left corner (x, y) itself.
 */
export function gridCorners(at: Tensor, h: number, w: number): { index: Tensor; base: Tensor } {
  const [index, base] = apply(cornersRow, [at], { h, w });
  return { index: index, base: base };
}

/** Options of {@link gridSample}. */
export interface GridSampleOptions {
  /** What lies outside the image: zeros, or its nearest pixel. Default 'zeros'. */
  readonly paddingMode?: 'zeros' | 'border';
  /** Whether -1 and 1 are the centres of the outermost pixels, instead of the edges of the image. Default false. */
  readonly alignCorners?: boolean;
}

const gridSampleOptions = options<GridSampleOptions>({ paddingMode: oneOf(['zeros', 'border']), alignCorners: flag });

/** A grid coordinate in -1 to 1 as a place in pixels, from 0 (the first one's centre) to size - 1. */
function pixels(g: Tensor, size: number, { paddingMode = 'zeros', alignCorners = false }: GridSampleOptions): Tensor {
  const last = size - 1;
  const at = alignCorners ? affine(g, last / 2, last / 2) : affine(g, size / 2, last / 2);
  // Beyond a pixel outside all is zero, so that no point needs to be further out: infinity stays out of the weights.
  if (paddingMode === 'zeros') return maximum(minimum(at, size + 0.5), -1.5);
  // As PyTorch clips: with derivative 0 also at the ends, which relu has at 0.
  return affine(relu(affine(relu(at), -1, last)), -1, last);
}

/**
 * Reads images x [N,H,W,C] at the places grid [N,OH,OW,2] by bilinear interpolation; grid holds (x, y), from -1 (left, top)
 * to 1 (right, bottom). As torch.nn.functional.grid_sample in mode 'bilinear', with channels last. Differentiable in
 * both, to any order; the gradient in x takes H·W·OH·OW steps for each channel.
 * Where a place lies on a pixel's centre the gradient in the grid is that of the cell to its right and below.
 * @returns [N,OH,OW,C]
 * @throws ShapeError
 * @function
 */
export const gridSample = op(
  'gridSample',
  [aTensor('x'), aTensor('grid'), gridSampleOptions],
  (x, grid, options = {}): Tensor => {
    if (x.rank !== 4 || grid.rank !== 4 || grid.shape[3] !== 2 || grid.shape[0] !== x.shape[0]) {
      throw new ShapeError(
        `gridSample: x must be [N,H,W,C] and grid [N,OH,OW,2] with the same N, not ${show(x.shape)} and ${show(grid.shape)}`,
      );
    }
    const { paddingMode = 'zeros' } = options;
    if (paddingMode !== 'zeros' && paddingMode !== 'border') {
      throw new ShapeError(`gridSample: paddingMode is '${paddingMode}'; choose 'zeros' or 'border'`);
    }
    const [n, h, w, c] = x.shape as [number, number, number, number];
    const [, oh, ow] = grid.shape as [number, number, number];
    if (h < 1 || w < 1) throw new ShapeError(`gridSample: x ${show(x.shape)} has no pixels`);
    const m = oh * ow;
    return scope(() => {
      const points = reshape(grid, [n, m, 2]);
      const column = pixels(slice(points, [[], [], [0, 1]]), w, options);
      const row = pixels(slice(points, [[], [], [1, 2]]), h, options);
      const at = concat([column, row], 2);
      const { index, base } = gridCorners(at, h, w);
      const part = at.sub(base);
      const weightsOf = (k: number): Tensor => {
        const far = reshape(slice(part, [[], [], [k, k + 1]]), [n, 1, m]);
        return concat([affine(far, -1, 1), far], 1);
      };
      const weights = mul(reshape(weightsOf(1), [n, 2, 1, m]), reshape(weightsOf(0), [n, 1, 2, m]));
      const corners = placeGather(reshape(x, [n, h * w, c]), reshape(index, [n, 4 * m]));
      const terms = mul(reshape(corners, [n, 4, m, c]), reshape(weights, [n, 4, m, 1]));
      return reshape(sum(terms, 1), [n, oh, ow, c]);
    });
  },
);

/** The rows of this file, by name. */
export const gridRows = { placeGather: gatherRow, placeScatter: scatterRow, gridCorners: cornersRow };

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** Reads images at the places of a grid, by bilinear interpolation. */
    gridSample(grid: Tensor, options?: GridSampleOptions): Tensor;
  }
}

methods({ gridSample });
