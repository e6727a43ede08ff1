/** What the losses of this folder share: how elements become one number, and the checks of shapes. */
import { type LossReduction, mean, type Shape, ShapeError, sum, type Tensor } from '../../engine/index.ts';
import { calls, type OptionRange, ranges } from '../../engine/internal.ts';

/**
 * What is done with the losses of the elements: 'mean', 'sum', 'none', or 'batchmean', their sum over the size of the first
 * axis.
 */
export type BatchReduction = LossReduction | 'batchmean';

/** Options of losses without others. */
export interface LossOptions {
  /** Default 'mean'. */
  readonly reduction?: LossReduction;
}

/** The kind of {@link LossOptions}. @internal */
export const lossOptions = calls.options<LossOptions>({ reduction: ranges.reduction });

/** The range of a {@link BatchReduction}. @internal */
export const batchReduction: OptionRange = {
  holds: (v) => v === 'batchmean' || ranges.reduction.holds(v),
  says: "'mean', 'batchmean', 'sum' or 'none'",
};

/** The losses of the elements as an option asks for them. */
export const reduced = (loss: Tensor, reduction: LossReduction = 'mean'): Tensor =>
  reduction === 'none' ? loss : reduction === 'sum' ? sum(loss) : mean(loss);

/** Does what {@link reduced} does, where 'batchmean' is allowed. @throws ShapeError for the mean of a scalar */
export function batchReduced(op: string, loss: Tensor, reduction: BatchReduction): Tensor {
  if (reduction !== 'batchmean') return reduced(loss, reduction);
  const [n] = loss.shape;
  if (n === undefined) throw new ShapeError(`${op}: 'batchmean' divides by the first axis, and a scalar has none`);
  return sum(loss).mul(1 / n);
}

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

/**
 * Losses do not broadcast: [N,1] against [N] would compare every prediction with every target.
 * @throws ShapeError unless all have the shape of the first
 */
export function checkSame(
  op: string,
  first: readonly [string, Tensor],
  ...rest: readonly (readonly [string, Tensor])[]
) {
  const [name, { shape }] = first;
  for (const [other, t] of rest) {
    if (sameShape(t.shape, shape)) continue;
    throw new ShapeError(
      `${op}: ${other} [${t.shape}] must have the shape [${shape}] of ${name}; losses do not broadcast: reshape it, or use broadcastTo`,
    );
  }
}
