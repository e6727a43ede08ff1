import { checked, checkRange, ranges, type Tensor } from '../../engine/index.ts';

/**
 * What critic and generator minimise. Both see logits (or scores), the critic's outputs [N, 1] before any sigmoid; the losses are
 * means over the batch.
 */
export interface Objective {
  /** The name, as on the command line. */
  readonly name: ObjectiveName;
  /** For headings. */
  readonly title: string;
  /** What the critic minimises. @param real logits of real samples @param fake logits of generated ones @returns a scalar */
  criticLoss(real: Tensor, fake: Tensor): Tensor;
  /** What the generator minimises. @param fake logits of generated samples, with a graph @returns a scalar */
  generatorLoss(fake: Tensor): Tensor;
  /**
   * The divergence between real and generated samples that the critic's loss stands for: a lower bound, which the best critic
   * reaches. Of 'wasserstein' only for slopes of at most 1: with a regulariser that leaves steeper slopes K it is K · W1 at most (a
   * gradient penalty's K is a little above 1, that of clipped weights unknown). Absent where labels are smoothed, since there is no
   * such divergence then.
   */
  readonly estimate?: Estimate;
}

/** The divergence that a critic estimates. */
export interface Estimate {
  /** 'jsd', 'wasserstein', ...: the column in the logs. */
  readonly name: string;
  /** For plots, such as 'Jensen-Shannon divergence (nats)'. */
  readonly title: string;
  /** The estimate from the critic's loss, without penalties. Works for numbers read from the device. */
  fromLoss(criticLoss: number): number;
}

/** Options of {@link objective}. */
export interface ObjectiveOptions {
  /**
   * One-sided label smoothing (Salimans et al. 2016, 3.4): real samples get the label 1 - labelSmoothing, 0 to less than 1. For the
   * objectives that have labels: minimax, non-saturating and least-squares. Default 0.
   */
  readonly labelSmoothing?: number;
}

/** An {@link objective} by its name. */
export type ObjectiveName = 'minimax' | 'non-saturating' | 'least-squares' | 'hinge' | 'wasserstein';

type Losses = Pick<Objective, 'criticLoss' | 'generatorLoss'>;

interface Family {
  readonly title: string;
  readonly estimate: Estimate;
  /** Whether real samples have a label that can be smoothed. */
  readonly labels: boolean;
  readonly losses: (realLabel: number) => Losses;
}

/** -E[t log D + (1 - t) log(1 - D)] of real samples with the label t, and -E log(1 - D) of generated ones: D = sigmoid(logit). */
const logisticCritic =
  (t: number) =>
  (real: Tensor, fake: Tensor): Tensor => {
    const ofReal = real.neg().softplus();
    // t softplus(-x) + (1 - t) softplus(x) = softplus(-x) + (1 - t) x
    return (t === 1 ? ofReal : ofReal.add(real.mul(1 - t))).mean().add(fake.softplus().mean());
  };

const jsd: Estimate = {
  name: 'jsd',
  title: 'Jensen-Shannon divergence (nats)',
  // V(D*, G) = 2 JSD - log 4, and the critic's loss is -V (Goodfellow et al. 2014, Theorem 1).
  fromLoss: (loss) => Math.log(2) - loss / 2,
};

const families: Readonly<Record<ObjectiveName, Family>> = {
  minimax: {
    title: 'minimax GAN',
    estimate: jsd,
    labels: true,
    losses: (t) => ({
      criticLoss: logisticCritic(t),
      generatorLoss: (fake) => fake.softplus().mean().neg(),
    }),
  },
  'non-saturating': {
    title: 'non-saturating GAN',
    estimate: jsd,
    labels: true,
    losses: (t) => ({
      criticLoss: logisticCritic(t),
      generatorLoss: (fake) => fake.neg().softplus().mean(),
    }),
  },
  'least-squares': {
    title: 'least squares GAN',
    labels: true,
    estimate: {
      name: 'triangular',
      title: 'triangular discrimination',
      // The best D is p / (p + q), where the loss is (2 - Δ) / 8 with Δ = ∫ (p - q)² / (p + q), 0 to 2.
      fromLoss: (loss) => 2 - 8 * loss,
    },
    losses: (t) => ({
      criticLoss: (real, fake) => real.sub(t).square().mean().add(fake.square().mean()).mul(0.5),
      generatorLoss: (fake) => fake.sub(1).square().mean().mul(0.5),
    }),
  },
  hinge: {
    title: 'hinge GAN',
    labels: false,
    estimate: {
      name: 'totalVariation',
      title: 'total variation distance',
      // The best critic is sign(p - q), where the loss is 2 ∫ min(p, q) = 2 (1 - TV).
      fromLoss: (loss) => 1 - loss / 2,
    },
    losses: () => ({
      criticLoss: (real, fake) => real.neg().add(1).relu().mean().add(fake.add(1).relu().mean()),
      generatorLoss: (fake) => fake.mean().neg(),
    }),
  },
  wasserstein: {
    title: 'Wasserstein GAN',
    labels: false,
    estimate: { name: 'wasserstein', title: 'Wasserstein estimate', fromLoss: (loss) => -loss },
    losses: () => ({
      criticLoss: (real, fake) => fake.mean().sub(real.mean()),
      generatorLoss: (fake) => fake.mean().neg(),
    }),
  },
};

/** The names of all objectives. */
export const objectiveNames = Object.keys(families) as readonly ObjectiveName[];

/**
 * The objective of that name. With x the critic's logit of a real sample, y that of a generated one, and sp the softplus:
 *
 * | name | the critic minimises | the generator minimises | source |
 * |---|---|---|---|
 * | minimax | E sp(-x) + E sp(y), that is -E log D - E log(1 - D) | -E sp(y), that is E log(1 - D) | Goodfellow et al. 2014, eq. 1 |
 * | non-saturating | as minimax | E sp(-y), that is -E log D | Goodfellow et al. 2014, section 3 |
 * | least-squares | ½ E (x - 1)² + ½ E y² | ½ E (y - 1)² | Mao et al. 2017, eq. 9: a = 0, b = c = 1 |
 * | hinge | E max(0, 1 - x) + E max(0, 1 + y) | -E y | Lim and Ye 2017; Miyato et al. 2018, eq. 16 and 17 |
 * | wasserstein | E y - E x | -E y | Arjovsky et al. 2017, eq. 2; needs a critic that is kept Lipschitz |
 *
 * @throws TypeError for another name, or for smoothed labels where there are none; RangeError for a label out of range
 * @example
 * const { criticLoss, generatorLoss } = objective('non-saturating', { labelSmoothing: 0.1 });
 * const loss = criticLoss(critic.forward(real), critic.forward(fake));
 */
export function objective(name: ObjectiveName, options: ObjectiveOptions = {}): Objective {
  const { labelSmoothing = 0 } = checked('objective', options, ['labelSmoothing']);
  if (!Object.hasOwn(families, name)) {
    throw new TypeError(`objective: there is no objective ${String(name)}; there are ${objectiveNames.join(', ')}`);
  }
  checkRange('objective', 'labelSmoothing', ranges.belowOne, labelSmoothing);
  const { title, labels, losses, estimate }: Family = families[name];
  if (labelSmoothing > 0 && !labels) {
    const labelled = objectiveNames.filter((n) => families[n].labels);
    throw new TypeError(`objective: ${name} has no labels to smooth; ${labelled.join(', ')} have`);
  }
  return { name, title, ...losses(1 - labelSmoothing), ...(labelSmoothing === 0 && { estimate }) };
}
