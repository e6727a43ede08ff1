import type { ObjectiveName } from '../../gan/objectives/objective.ts';
import type { RegularizerName } from '../../gan/objectives/regularizer.ts';

/** How much is trained. */
export interface VanishingSizes {
  /** Updates of the generator before it is held fixed. */
  readonly stages: readonly number[];
  /** Updates of each new discriminator and critic. */
  readonly steps: number;
  readonly batch: number;
  /** Units in each hidden layer of both networks. */
  readonly width: number;
  /** Real samples. */
  readonly samples: number;
}
/** A critic's loss and regulariser, and the generator's losses whose gradients are measured under it. */
export const criticKinds = {
  discriminator: { objective: 'minimax', regularizer: undefined, losses: ['minimax', 'non-saturating'] },
  'gradient penalty': { objective: 'wasserstein', regularizer: ['gradient-penalty', 10], losses: ['wasserstein'] },
  clipping: { objective: 'wasserstein', regularizer: ['weight-clipping', 0.05], losses: ['wasserstein'] },
} as const satisfies Record<
  string,
  {
    readonly objective: ObjectiveName;
    readonly regularizer: readonly [RegularizerName, number] | undefined;
    readonly losses: readonly ObjectiveName[];
  }
>;
/** The name of a critic. */
export type CriticKind = keyof typeof criticKinds;

/** Norms of the generator's gradient under one loss: the mean over batches, and the ends. */
export interface NormCurve {
  readonly loss: ObjectiveName;
  readonly mean: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** One new critic against one fixed generator. */
export interface CriticCurve {
  readonly kind: CriticKind;
  readonly norms: readonly NormCurve[];
  /** The discriminator's mean output D on generated samples; of a critic, the mean of sigmoid(f), which means nothing. */
  readonly doubt: readonly number[];
  /**
   * E f(x) - E f(y) of a Wasserstein critic over as many real as generated samples; of the discriminator, the same of its logits.
   * Absent from findings of before it was kept.
   */
  readonly estimate?: readonly number[];
}

/** What `vanishing` measures. */
export interface VanishingFindings {
  readonly sizes: VanishingSizes;
  /** Updates of the critic after which was measured. */
  readonly at: readonly number[];
  readonly stages: readonly { readonly stage: number; readonly critics: readonly CriticCurve[] }[];
  readonly falls: readonly Fall[];
}

/** The critic of a kind among those of a stage. */
export const criticOf = (critics: readonly CriticCurve[], kind: CriticKind): CriticCurve =>
  critics.find((critic) => critic.kind === kind)!;

/** The mean norms of the generator's gradient under a loss and a kind of critic, at all measurements of a stage. */
export const normsOf = (critics: readonly CriticCurve[], kind: CriticKind, loss: ObjectiveName): readonly number[] =>
  criticOf(critics, kind).norms.find((norms) => norms.loss === loss)!.mean;

/** What happens to the norms of one stage, from the first update to the last. */
export interface Fall {
  readonly stage: number;
  /** The first minimax norm divided by the last. */
  readonly minimax: number;
  /** The last non-saturating norm divided by the first. */
  readonly nonSaturating: number;
  /** Under a gradient penalty, the largest norm divided by the least. */
  readonly penalty: number;
  /** The same for clipped weights, once a tenth of the updates has brought them to their bounds. */
  readonly clipping: number;
}
