/** Rows behind the distributions of an Rng; see rng.ts. */
import { gumbelMax as gumbelMaxPlan } from '../../kernels/random/gumbelMax.ts';
import { truncatedNormal as truncatedNormalPlan } from '../../kernels/random/truncatedNormal.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { ShapeError } from '../errors.ts';
import { sameShape, show, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { NormalParams } from './create.ts';

export interface TruncatedNormalParams extends NormalParams {
  readonly low: number;
  readonly high: number;
}

export const truncatedNormalRow: Row<TruncatedNormalParams> = {
  name: 'truncatedNormal',
  shape: (_, { shape }) => [shape],
  kernel: ({ params }) => truncatedNormalPlan(sizeOf(params.shape), params),
  show: ({ mean, std, low, high, shape }) => `${mean}, ${std}, ${low} to ${high}, ${show(shape)}`,
};

const none: Readonly<Record<string, never>> = {};

const gumbelMaxRow: Row<typeof none, 2, 1> = {
  name: 'gumbelMax',
  shape: ([logits, u]) => {
    if (!sameShape(logits, u) || !logits[logits.length - 1]) {
      throw new ShapeError(`gumbelMax: ${show(logits)} and ${show(u)} must be equal, with a class along the last axis`);
    }
    return [logits.slice(0, -1)];
  },
  kernel: ({ inputs: [x], outputs: [y] }) => gumbelMaxPlan(sizeOf(y), x[x.length - 1]!),
};

/** logits and u [..., C], u uniform in [0, 1): [...] class indices, drawn with probabilities softmax(logits). */
export const gumbelMax = (logits: Tensor, u: Tensor): Tensor => apply(gumbelMaxRow, [logits, u], none)[0];

/** The rows of this file, by name. */
export const samplingRows = { truncatedNormal: truncatedNormalRow, gumbelMax: gumbelMaxRow };
