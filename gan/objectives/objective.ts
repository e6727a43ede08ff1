import type { Tensor } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { namesOf, tableOf } from '../rows.ts';

/**
 * What critic and generator minimise: a row of the table behind {@link objective}, or an object of your own. Both losses see logits (or
 * scores): what the critic gives for a batch before any sigmoid, [N, 1], or [N, ...] of a critic of patches. They are means over all
 * axes.
 *
 * A critic may give more than a logit. Feature matching (Salimans et al. 2016, 3.1) takes the features of its last hidden layer as
 * further columns, which the critic's loss leaves alone and the generator is to match on average:
 * @example
 * const logit = (scores: Tensor) => scores.slice([[], [0, 1]]); // of a critic that gives concat([head(h), h], -1), [N, 1 + F]
 * const features = (scores: Tensor) => scores.slice([[], [1]]);
 * const { criticLoss } = objective('non-saturating');
 * const featureMatching: Objective = {
 *   name: 'feature-matching',
 *   needsReal: true,
 *   criticLoss: (real, fake) => criticLoss(logit(real), logit(fake)),
 *   generatorLoss: (fake, real) => features(real!).mean(0).sub(features(fake).mean(0)).square().sum(),
 * };
 * const gan = new Gan(networks, rng, { objective: featureMatching });
 */
export interface Objective {
  /** What errors call it; of those in the table, the name on the command line. */
  readonly name: string;
  /** What headings call it; the name unless given. */
  readonly title?: string;
  /**
   * Whether the generator's loss looks at real samples too. Default false: then the generator's step makes no pass of the critic for
   * them.
   */
  readonly needsReal?: boolean;
  /** What the critic minimises. @param real logits of real samples @param fake logits of as many generated ones @returns a scalar */
  criticLoss(real: Tensor, fake: Tensor): Tensor;
  /**
   * What the generator minimises.
   * @param fake logits of generated samples, with a graph
   * @param real logits of as many real samples, constants: given where `needsReal` says so
   * @returns a scalar
   */
  generatorLoss(fake: Tensor, real?: Tensor): Tensor;
  /**
   * The divergence between real and generated samples that the critic's loss stands for: a lower bound, which the best critic
   * reaches. Of 'wasserstein' only for gradients of norm 1 at most: with a regulariser that leaves norms up to K it is K · W1 at most (a
   * gradient penalty's K is a little above 1, that of clipped weights unknown). Absent where labels are smoothed, since there is no
   * such divergence then.
   */
  readonly estimate?: Estimate;
}

/** The divergence that a critic estimates. */
export interface Estimate {
  /** The column in the logs: 'jsd', 'wasserstein', ... */
  readonly name: string;
  /** What headings of plots call it, such as 'Jensen-Shannon divergence, as the discriminator sees it'; the name unless given. */
  readonly title?: string;
  /** What the axis of plots says: its unit, such as 'nats', or its range. */
  readonly unit?: string;
  /** What the progress bar calls it, such as 'W'; the name unless given. */
  readonly short?: string;
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

type Losses = Pick<Objective, 'criticLoss' | 'generatorLoss' | 'needsReal'>;

interface Family {
  readonly title: string;
  readonly estimate?: Estimate;
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
  title: 'Jensen-Shannon divergence, as the discriminator sees it',
  unit: 'nats',
  // V(D*, G) = 2 JSD - log 4, and the critic's loss is -V (Goodfellow et al. 2014, Theorem 1).
  fromLoss: (loss) => Math.log(2) - loss / 2,
};

/** The logits of real samples that the generator's loss of `name` must be given. */
function needed(name: string, real: Tensor | undefined): Tensor {
  if (real) return real;
  throw new TypeError(`${name}: generatorLoss(fake, real) needs the critic's logits of real samples too`);
}

/** -E log σ(a - b): falls where a is taken for more realistic than b. */
const lessRealistic = (a: Tensor, b: Tensor): Tensor => b.sub(a).softplus().mean();

/** -E log σ(a - E b) - E log(1 - σ(b - E a)): falls where a is taken for more realistic than b on average, and b for less than a. */
const lessRealisticOnAverage = (a: Tensor, b: Tensor): Tensor =>
  b.mean().sub(a).softplus().mean().add(b.sub(a.mean()).softplus().mean());

const families = tableOf<Family>()({
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
      title: 'Triangular discrimination, as the discriminator sees it',
      unit: '0 to 2',
      short: 'Δ',
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
      title: 'Total variation distance, as the critic sees it',
      unit: '0 to 1',
      short: 'TV',
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
    estimate: {
      name: 'wasserstein',
      title: 'Wasserstein estimate (critic on real minus on generated)',
      unit: 'distance (critic units)',
      short: 'W',
      fromLoss: (loss) => -loss,
    },
    losses: () => ({
      criticLoss: (real, fake) => fake.mean().sub(real.mean()),
      generatorLoss: (fake) => fake.mean().neg(),
    }),
  },
  relativistic: {
    title: 'relativistic GAN',
    labels: false,
    losses: () => ({
      needsReal: true,
      criticLoss: lessRealistic,
      generatorLoss: (fake, real) => lessRealistic(fake, needed('relativistic', real)),
    }),
  },
  'relativistic-average': {
    title: 'relativistic average GAN',
    labels: false,
    losses: () => ({
      needsReal: true,
      criticLoss: lessRealisticOnAverage,
      generatorLoss: (fake, real) => lessRealisticOnAverage(fake, needed('relativistic-average', real)),
    }),
  },
});

/** The names of all objectives in the table. */
export const objectiveNames = namesOf(families);

/** An {@link objective} by its name. */
export type ObjectiveName = (typeof objectiveNames)[number];

/** The divergences that critics of the table estimate, each once. */
export const estimates: readonly Estimate[] = [
  ...new Map(
    Object.values(families).flatMap(({ estimate }) => (estimate ? [[estimate.name, estimate] as const] : [])),
  ).values(),
];

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
 * | relativistic | E sp(y - x) of pairs, that is -E log σ(x - y) | E sp(x - y) | Jolicoeur-Martineau 2018, RSGAN |
 * | relativistic-average | E sp(E y - x) + E sp(y - E x) | E sp(E x - y) + E sp(x - E y) | Jolicoeur-Martineau 2018, RaSGAN |
 *
 * The relativistic ones ask whether real samples look more real than generated ones, so that the generator's loss sees both
 * (`needsReal`). They are the sums that the paper writes, of which its code takes half for RaSGAN.
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
  const { title, labels, losses, estimate } = families[name];
  if (labelSmoothing > 0 && !labels) {
    const labelled = objectiveNames.filter((n) => families[n].labels);
    throw new TypeError(`objective: ${name} has no labels to smooth; ${labelled.join(', ')} have`);
  }
  return { name, title, ...losses(1 - labelSmoothing), ...(estimate && labelSmoothing === 0 && { estimate }) };
}
