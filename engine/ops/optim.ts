/** Ops that overwrite their leading inputs: optimizer updates, running averages, copies. They have no derivative. */
import { type Adam as AdamParams, adam as adamPlan, ema as emaPlan } from '../../kernels/adam.ts';
import { copy } from '../../kernels/copy.ts';
import { runningStats as runningStatsPlan } from '../../kernels/runningStats.ts';
import { apply } from '../apply.ts';
import { ShapeError } from '../errors.ts';
import { type Live, live } from '../live.ts';
import type { Row } from '../row.ts';
import { type Shape, show, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

export type { AdamParams };

export const adamRow: Row<AdamParams> = {
  name: 'adam',
  shape: ([p, m, v, ...gs], { lengths, offsets }) => {
    const size = sizeOf(p!);
    const fits = (g: Shape, i: number) =>
      sizeOf(g) === lengths[i] && offsets[i]! >= 0 && offsets[i]! + lengths[i]! <= size;
    if (sizeOf(m!) !== size || sizeOf(v!) !== size || gs.length !== lengths.length || !gs.every(fits)) {
      throw new ShapeError(
        `adam: arenas ${show(p!)}, ${show(m!)}, ${show(v!)} and gradients ${gs.map(show)} do not fit lengths ${show(lengths)} at offsets ${show(offsets)}`,
      );
    }
    return [];
  },
  kernel: ({ params, target }) => adamPlan(target, params),
  mutates: 3,
};

/**
 * One step of Adam or AdamW on parameters p with moments m and v, all flat arenas, and a gradient for each parameter; p, m and
 * v are overwritten. What `nn.Adam` calls.
 * @throws ShapeError if the gradients do not fit the arenas
 */
export const adamStep = (
  p: Tensor,
  m: Tensor,
  v: Tensor,
  gradients: readonly Tensor[],
  params: AdamParams | Live<AdamParams>,
): void => {
  apply(adamRow, [p, m, v, ...gradients], params);
};

export const emaRow: Row<{ readonly decay: number }> = {
  name: 'ema',
  shape: ([average, p]) => {
    if (sizeOf(average!) !== sizeOf(p!))
      throw new ShapeError(`ema: ${show(average!)} cannot follow ${show(p!)}; sizes must be equal`);
    return [];
  },
  kernel: ({ inputs: [average], params: { decay }, target }) => emaPlan(target, average![0]!, decay),
  mutates: 1,
};

/**
 * average <- decay · average + (1 - decay) · p, over flat arenas; the average is overwritten.
 * @throws ShapeError if sizes differ
 */
export const emaStep = (average: Tensor, p: Tensor, decay: number | Live<number>): void => {
  apply(emaRow, [average, p], typeof decay === 'number' ? { decay } : live(() => ({ decay: decay.next() })));
};

/** What {@link updateRunningStats} needs to know of the batch norm. */
export interface RunningStatsParams {
  /** How far the running statistics move, 0 to 1. */
  readonly momentum: number;
  /** What batch norm added to the variance. */
  readonly eps: number;
  /** Values of a channel in the batch. */
  readonly n: number;
}

export const runningStatsRow: Row<RunningStatsParams> = {
  name: 'runningStats',
  shape: ([mean, variance, stats]) => {
    if (sizeOf(variance!) !== sizeOf(mean!) || sizeOf(stats!) !== 2 * sizeOf(mean!)) {
      throw new ShapeError(
        `runningStats: mean ${show(mean!)}, variance ${show(variance!)} and stats ${show(stats!)} must be [C], [C] and [2,C]`,
      );
    }
    return [];
  },
  kernel: ({ inputs: [mean], params: { momentum, eps, n } }) => runningStatsPlan(mean![0]!, momentum, eps, n),
  mutates: 2,
};

/**
 * Moves running mean and (unbiased) variance [C] towards `stats` [2, C] as {@link batchNorm} returns them, as PyTorch does;
 * both are overwritten.
 * @throws ShapeError
 */
export const updateRunningStats = (mean: Tensor, variance: Tensor, stats: Tensor, params: RunningStatsParams): void => {
  apply(runningStatsRow, [mean, variance, stats], params);
};

export const copyFromRow: Row<undefined> = {
  name: 'copyFrom',
  shape: ([x, source]) => {
    if (show(x!) !== show(source!)) {
      throw new ShapeError(`copyFrom: ${show(source!)} does not fit ${show(x!)}; reshape or broadcast it first`);
    }
    return [];
  },
  kernel: ({ inputs: [x] }) => {
    const n = sizeOf(x!);
    return { dispatches: copy({ sizes: [n], from: [1], to: [1] }, 1, 0) };
  },
  mutates: 1,
};

/**
 * Overwrites x with the values of `source` on the device, without reading them: torch.Tensor.copy_. A tape that saved the old
 * values will refuse to use them; the copy itself is not differentiated.
 * @returns x
 * @throws ShapeError if shapes differ
 */
export function copyFrom<T extends Tensor>(x: T, source: Tensor): T {
  if (x !== source) apply(copyFromRow, [x, source], undefined);
  return x;
}

/** The rows of this file, by name. */
export const optimRows = {
  adam: adamRow,
  ema: emaRow,
  runningStats: runningStatsRow,
  copyFrom: copyFromRow,
};
