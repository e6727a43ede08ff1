/** The kin of batch norm that are applied far less often: instance norm, group norm, batch norm in evaluation. */

import { aNumber, op, options } from '../arguments/arguments.ts';
import { aTensor, tensorRange } from '../arguments/kinds.ts';
import { number } from '../arguments/ranges.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { withDevice } from '../device.ts';
import { ShapeError } from '../errors.ts';
import { scope } from '../tensor/scope.ts';
import { show, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { full } from './create.ts';
import { row, type Scalars } from './define.ts';
import { add, mul, neg, rsqrt } from './elementwise.ts';
import { type NormOptions, type NormParams, normRow } from './normalization.ts';

const instanceNormRow = normRow('instanceNorm');
const groupNormRow = normRow('groupNorm');

/** Options of {@link instanceNorm}, {@link groupNorm} and {@link batchNormInference}. */
export interface AffineNormOptions extends NormOptions {
  /** Scale of each channel, [C]. Default 1. */
  readonly weight?: Tensor;
  /** Shift of each channel, [C]. Default 0. */
  readonly bias?: Tensor;
}

export const affineNormOptions = options<AffineNormOptions>({ eps: number, weight: tensorRange, bias: tensorRange });

/** The channels of x, once it is clear that the vectors of [C] have them. */
function channelsOf(op: string, x: Tensor, vectors: Readonly<Record<string, Tensor | undefined>>): number {
  const c = x.shape[x.rank - 1];
  if (c === undefined || x.rank < 2) throw new ShapeError(`${op}: x ${show(x.shape)} must be [N, ..., C]`);
  for (const [name, v] of Object.entries(vectors)) {
    if (v && (v.rank !== 1 || v.size !== c)) {
      throw new ShapeError(
        `${op}: ${name} ${show(v.shape)} must be [${c}], one number for each channel of x ${show(x.shape)}, its last axis`,
      );
    }
  }
  return c;
}

function run(
  row: Row<NormParams>,
  x: Tensor,
  { weight, bias }: AffineNormOptions,
  c: number,
  params: NormParams,
): Tensor {
  return scope(() => {
    const constant = (value: number) => withDevice(x.device, () => full([c], value));
    return apply(row, [x, weight ?? constant(1), bias ?? constant(0)], params)[0]!;
  });
}

/**
 * Instance normalisation (Ulyanov et al. 2016): each channel of each sample of x [N, ..., C] gets mean 0 and variance 1
 * over the axes in between, and then weight and bias [C] if given.
 * @throws ShapeError if there is one value a channel, whose variance would be 0
 * @function
 */
export const instanceNorm = op('instanceNorm', [aTensor('x'), affineNormOptions], (x, options = {}): Tensor => {
  const c = channelsOf('instanceNorm', x, { weight: options.weight, bias: options.bias });
  const n = x.shape[0]!;
  const r = sizeOf(x.shape.slice(1, -1));
  if (r === 1) {
    throw new ShapeError(
      `instanceNorm: x ${show(x.shape)} has one value for each channel of a sample; statistics need more`,
    );
  }
  return run(instanceNormRow, x, options, c, { view: [n, r, c, 1], affine: [1, 1, c, 1], eps: options.eps ?? 1e-5 });
});

/**
 * Group normalisation (Wu and He 2018): the channels of x [N, ..., C] in `groups` runs of neighbours, each of which gets
 * mean 0 and variance 1 in each sample, and then weight and bias [C] if given.
 * @throws ShapeError if the groups do not divide C
 * @function
 */
export const groupNorm = op(
  'groupNorm',
  [aTensor('x'), aNumber('groups'), affineNormOptions],
  (x, groups, options = {}): Tensor => {
    const c = channelsOf('groupNorm', x, { weight: options.weight, bias: options.bias });
    if (!Number.isInteger(groups) || groups < 1 || c % groups !== 0) {
      throw new ShapeError(`groupNorm: ${groups} groups do not divide the ${c} channels of x ${show(x.shape)}`);
    }
    const n = x.shape[0]!;
    const r = sizeOf(x.shape.slice(1, -1));
    const s = c / groups;
    return run(groupNormRow, x, options, c, {
      view: [n, r, groups, s],
      affine: [1, 1, groups, s],
      eps: options.eps ?? 1e-5,
    });
  },
);

const scaledDifferenceRow: Row<Scalars, 3, 1> = row('scaledDifference', 3, '(a - b) * c', [
  (g, { inputs: [, , c] }) => mul(g, c),
  (g, { inputs: [, , c] }) => neg(mul(g, c)),
  (g, { inputs: [a, b] }) => scaledDifference(a, b, g),
]);

/** (x - mean) · scale in one launch, with broadcasting. */
export const scaledDifference = (x: Tensor, mean: Tensor, scale: Tensor): Tensor =>
  apply(scaledDifferenceRow, [x, mean, scale], {})[0];

const standardizeRow: Row<Scalars, 4, 1> = row('standardize', 4, '(a - b) * c + d', [
  (g, { inputs: [, , c] }) => mul(g, c),
  (g, { inputs: [, , c] }) => neg(mul(g, c)),
  (g, { inputs: [a, b] }) => scaledDifference(a, b, g),
  (g) => g,
]);

/**
 * (x - mean) · scale + shift in one launch, with broadcasting. The mean is taken off first: x · scale and mean · scale are large
 * numbers beside their difference where the mean is large beside the deviation.
 */
export const standardize = (x: Tensor, mean: Tensor, scale: Tensor, shift: Tensor): Tensor =>
  apply(standardizeRow, [x, mean, scale, shift], {})[0];

/**
 * Batch normalisation in evaluation: (x - mean) / √(variance + eps) · weight + bias with given (running) statistics [C] of
 * x [..., C]. Differentiable in all of them.
 * @throws ShapeError unless statistics, weight and bias are [C]
 * @function
 */
export const batchNormInference = op(
  'batchNormInference',
  [aTensor('x'), aTensor('mean'), aTensor('variance'), affineNormOptions],
  (x, mean, variance, options = {}): Tensor => {
    const { weight, bias, eps = 1e-5 } = options;
    channelsOf('batchNormInference', x, { mean, variance, weight, bias });
    return scope(() => {
      const rstd = rsqrt(add(variance, eps));
      const scale = weight ? mul(rstd, weight) : rstd;
      return bias ? standardize(x, mean, scale, bias) : scaledDifference(x, mean, scale);
    });
  },
);

/** The fused rows of this file, by name. */
export const groupNormFused = { instanceNorm: instanceNormRow, groupNorm: groupNormRow };

/** The rows of this file, by name. */
export const groupNormRows = { scaledDifference: scaledDifferenceRow, standardize: standardizeRow };
