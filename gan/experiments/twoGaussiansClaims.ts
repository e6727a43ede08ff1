import { atLeast, atMost } from './claims.ts';
import { largest, least } from './critics.ts';
import type { Claim } from './experiment.ts';
import { EQUILIBRIUM, fake, real, type TwoGaussiansFigures } from './twoGaussiansSetting.ts';

/**
 * How steep discriminator and critic are between neighbouring places of the picture within a standard deviation of the mean of the
 * generated samples: the critic at least, the trained D and the best D* at most.
 */
export function slopesAtGenerated({ x, discriminator, critic }: TwoGaussiansFigures): {
  readonly critic: number;
  readonly discriminator: number;
  readonly best: number;
} {
  const slopes = (ys: readonly number[]) =>
    x.slice(1).flatMap((b, i) => {
      const a = x[i]!;
      const near = Math.abs((a + b) / 2 - fake.mean) <= fake.sigma;
      return near ? [Math.abs((ys[i + 1]! - ys[i]!) / (b - a))] : [];
    });
  return {
    critic: least(slopes(critic.penalised)),
    discriminator: largest(slopes(discriminator.trained)),
    best: largest(slopes(discriminator.best)),
  };
}

/** What must hold. V is -log 4 of D = 1/2 against any generator: D must be the best one, and the generator near its aim. */
export function twoGaussiansClaims(figures: TwoGaussiansFigures): Claim[] {
  const { discriminator, estimate, between, values, equilibrium } = figures;
  const { best, trained } = discriminator;
  const gap = largest(best.map((d, i) => Math.abs(d - trained[i]!)));
  const value = largest(values.map((v) => Math.abs(v.trained - v.theory)));
  const same = values.find((v) => v.shift === 0)!;
  const off = Math.abs(estimate.trained / estimate.optimum - 1);
  const slopes = slopesAtGenerated(figures);
  return [
    atMost('the trained D is within 0.05 of D* at every place of the picture (largest difference)', gap, 0.05),
    atMost(
      'V between equal distributions is within 0.05 of -log 4 (difference)',
      Math.abs(same.trained - EQUILIBRIUM),
      0.05,
    ),
    atMost(
      'V against a trained generator is within 0.05 of -log 4 (difference)',
      Math.abs(equilibrium.value - EQUILIBRIUM),
      0.05,
    ),
    atMost(
      `what that generator makes has a mean within 0.05 of ${real.mean} (difference)`,
      Math.abs(equilibrium.mean - real.mean),
      0.05,
    ),
    atMost(
      `and a standard deviation within 0.05 of ${real.sigma} (difference)`,
      Math.abs(equilibrium.deviation - real.sigma),
      0.05,
    ),
    atMost('V(D, G) is within 0.02 of 2 JSD - log 4 at every shift (largest difference)', value, 0.02),
    atMost("the critic's estimate is within 2 % of the penalised optimum (relative difference)", off, 0.02),
    atMost('the critic is a straight line between the means (largest distance from it)', between.bend, 0.05),
    atLeast(
      'where the generated samples are, within σ of their mean, the critic has a slope of at least 0.9 (least slope)',
      slopes.critic,
      0.9,
    ),
    atMost('and D one of at most 0.05 (largest slope)', slopes.discriminator, 0.05),
  ];
}
