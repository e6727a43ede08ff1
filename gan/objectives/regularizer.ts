import type { Rng, Tensor } from '../../engine/index.ts';
import { checkedNumber, checkRange, ranges } from '../../engine/internal.ts';
import { clipWeights, type Module, type Parameter, spectralNorm, type WeightedModule } from '../../nn/index.ts';
import { namesOf, tableOf } from '../rows.ts';
import { type CriticFunction, draganPenalty, gradientPenalty, zeroCentredPenalty } from './penalty.ts';

/**
 * What keeps a critic smooth: a row of the table behind {@link regularizer}, or an object of your own.
 * @example
 * const drift: Regularizer = { // keeps the scores near 0 (Karras et al. 2018, A.1)
 *   name: 'drift',
 *   penalty: (critic, real) => critic.forward(real).square().mean().mul(0.001),
 * };
 */
export interface Regularizer {
  /** What it is called; of those in the table, the name on the command line. */
  readonly name: string;
  /** What headings call it, with its strength: 'gradient penalty 10'. The name unless given. */
  readonly title?: string;
  /** The penalty's strength; absent where it has none. */
  readonly strength?: number;
  /** Changes the critic, once, before its optimizer is made. @param rng for first values */
  prepare?(critic: Module, rng: Rng): void;
  /** A scalar that the critic's loss grows by. The samples carry no gradient. */
  penalty?(critic: CriticFunction, real: Tensor, fake: Tensor, rng: Rng): Tensor;
  /** Changes the critic's parameters after each update. */
  project?(parameters: readonly Parameter[]): void;
}

type Effect = Pick<Regularizer, 'prepare' | 'penalty' | 'project'>;

interface Family {
  /** The name for headings, with the strength in its place. */
  readonly title: (strength: number) => string;
  /** The default strength; undefined where there is nothing to weigh. */
  readonly strength: number | undefined;
  readonly effect: (strength: number) => Effect;
}

const families = tableOf<Family>()({
  'weight-clipping': {
    title: (c) => `weights clipped to ±${c}`,
    strength: 0.01,
    effect: (c) => ({ project: (parameters) => clipWeights(parameters, c) }),
  },
  'gradient-penalty': {
    title: (lambda) => `gradient penalty ${lambda}`,
    strength: 10,
    effect: (lambda) => ({
      penalty: (critic, real, fake, rng) => gradientPenalty(critic, real, fake, rng).mul(lambda),
    }),
  },
  'one-sided-penalty': {
    title: (lambda) => `one-sided gradient penalty ${lambda}`,
    strength: 10,
    effect: (lambda) => ({
      penalty: (critic, real, fake, rng) => gradientPenalty(critic, real, fake, rng, { oneSided: true }).mul(lambda),
    }),
  },
  r1: {
    title: (gamma) => `R1 ${gamma}`,
    strength: 10,
    effect: (gamma) => ({ penalty: (critic, real) => zeroCentredPenalty(critic, real).mul(gamma / 2) }),
  },
  r2: {
    title: (gamma) => `R2 ${gamma}`,
    strength: 10,
    effect: (gamma) => ({ penalty: (critic, _, fake) => zeroCentredPenalty(critic, fake).mul(gamma / 2) }),
  },
  dragan: {
    title: (lambda) => `DRAGAN ${lambda}`,
    strength: 10,
    effect: (lambda) => ({ penalty: (critic, real, _, rng) => draganPenalty(critic, real, rng).mul(lambda) }),
  },
  'spectral-norm': {
    title: () => 'spectral norm',
    strength: undefined,
    effect: () => ({ prepare: normalizeSpectra }),
  },
});

/** The names of all regularisers in the table. */
export const regularizerNames = namesOf(families);

/** A {@link regularizer} by its name. */
export type RegularizerName = (typeof regularizerNames)[number];

/**
 * The regulariser of that name. Several may be used at once, with any objective.
 *
 * | name | what it does | strength (default) | source |
 * |---|---|---|---|
 * | weight-clipping | limits each weight to ±c after each update | c (0.01) | Arjovsky et al. 2017, Algorithm 1 |
 * | gradient-penalty | λ E (‖∇f(x̂)‖ - 1)² between real and generated samples | λ (10) | Gulrajani et al. 2017, eq. 3 |
 * | one-sided-penalty | λ E max(0, ‖∇f(x̂)‖ - 1)² | λ (10) | Petzka et al. 2018, eq. 8 |
 * | r1 | γ/2 E ‖∇f‖² at real samples | γ (10) | Mescheder et al. 2018, eq. 9 |
 * | r2 | γ/2 E ‖∇f‖² at generated samples | γ (10) | Mescheder et al. 2018, eq. 10 |
 * | dragan | λ E (‖∇f‖ - 1)² around real samples | λ (10) | Kodali et al. 2017 |
 * | spectral-norm | divides each weight by its largest singular value | | Miyato et al. 2018 |
 *
 * @param strength the weight of the penalty, or the bound of the weights; as in the table unless given
 * @throws TypeError for another name, or a strength where there is none; RangeError for one that is not above 0
 * @example
 * const gan = new Gan(networks, rng, { objective: 'wasserstein', regularizers: [regularizer('gradient-penalty', 10)] });
 */
export function regularizer(name: RegularizerName, strength?: number): Regularizer {
  if (!Object.hasOwn(families, name)) {
    throw new TypeError(
      `regularizer: there is no regulariser ${String(name)}; there are ${regularizerNames.join(', ')}`,
    );
  }
  const { title, effect, strength: usual } = families[name];
  if (strength !== undefined) {
    if (usual === undefined) throw new TypeError(`regularizer: ${name} has no strength to set`);
    checkedNumber('regularizer', `the strength of ${name}`, strength);
    checkRange('regularizer', `the strength of ${name}`, ranges.positive, strength);
  }
  const used = strength ?? usual;
  return { name, title: title(used ?? 0), ...(used !== undefined && { strength: used }), ...effect(used ?? 0) };
}

/** The regulariser that `name` or `name=strength` says. @throws TypeError, RangeError as {@link regularizer} */
export function parseRegularizer(text: string): Regularizer {
  const [name, strength, ...rest] = text.split('=');
  if (strength === undefined) return regularizer(name as RegularizerName);
  const value = strength.trim() === '' || rest.length > 0 ? Number.NaN : Number(strength);
  if (Number.isNaN(value)) throw new TypeError(`${text}: write a regulariser as name or name=strength, such as r1=10`);
  return regularizer(name as RegularizerName, value);
}

/** Spectral norm on every layer of the critic that has a weight to multiply with. */
function normalizeSpectra(critic: Module, rng: Rng): void {
  for (const [, layer] of critic.namedModules()) {
    const { weight } = layer as WeightedModule;
    if (weight && weight.rank >= 2) spectralNorm(layer, { rng });
  }
}
