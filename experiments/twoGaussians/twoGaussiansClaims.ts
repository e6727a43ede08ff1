import { atLeast, atMost, over } from '../claims.ts';
import { largest, smallest } from '../critics.ts';
import type { Claim } from '../experiment.ts';
import { EQUILIBRIUM, fake, real, type TwoGaussiansFindings } from './twoGaussiansSetting.ts';

/**
 * How steep discriminators and critics are between neighbouring places of the picture within a standard deviation of the mean of
 * the generated samples: the critics with a one-sided penalty at least, the trained D and the best D* at most.
 */
export function slopesAtGenerated({ x, discriminator, penalised }: TwoGaussiansFindings): {
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
    critic: smallest(penalised.map((pair) => smallest(slopes(pair.oneSided.scores)))),
    discriminator: largest(discriminator.trained.map((d) => largest(slopes(d)))),
    best: largest(slopes(discriminator.best)),
  };
}

/** How a critic runs between the means: its slope from end to end, and how far it leaves that line. */
export function straightness(
  x: readonly number[],
  scores: readonly number[],
): { readonly slope: number; readonly bend: number } {
  const inside = x.flatMap((at, i) =>
    at >= real.mean - 1e-9 && at <= fake.mean + 1e-9 ? [[at, scores[i]!] as const] : [],
  );
  const [[a, fa], [b, fb]] = [inside[0]!, inside.at(-1)!];
  const slope = (fb - fa) / (b - a);
  return { slope: Math.abs(slope), bend: largest(inside.map(([at, f]) => Math.abs(f - fa - slope * (at - a)))) };
}

/** How many critics with a two-sided penalty found the optimum itself, to 2 %. */
export const atOptimum = ({ penalised, theory }: TwoGaussiansFindings): number =>
  penalised.filter(({ twoSided }) => Math.abs(twoSided.estimate / theory.optimum - 1) <= 0.02).length;

/** What must hold. V is -log 4 of D = 1/2 against any generator: D must be the best one, and the generator near its aim. */
export function twoGaussiansClaims(findings: TwoGaussiansFindings): Claim[] {
  const { x, sizes, discriminator, penalised, theory, values, equilibria } = findings;
  const differences = (ys: readonly number[], from: readonly number[] | number) =>
    largest(ys.map((y, i) => Math.abs(y - (typeof from === 'number' ? from : from[i]!))));
  const same = values.find((v) => v.shift === 0)!;
  const slopes = slopesAtGenerated(findings);
  return over(sizes.seeds.length, [
    atMost(
      `the trained D is within 0.05 of D* at every place of the picture (largest difference)`,
      largest(discriminator.trained.map((d) => differences(d, discriminator.best))),
      0.05,
    ),
    atMost(
      `V between equal distributions is within 0.05 of -log 4 (largest difference)`,
      differences(same.trained, EQUILIBRIUM),
      0.05,
    ),
    atMost(
      `V against a trained generator is within 0.05 of -log 4 (largest difference)`,
      differences(
        equilibria.map((e) => e.value),
        EQUILIBRIUM,
      ),
      0.05,
    ),
    atMost(
      `what that generator makes has a mean within 0.05 of ${real.mean} (largest difference)`,
      differences(
        equilibria.map((e) => e.mean),
        real.mean,
      ),
      0.05,
    ),
    atMost(
      `and a standard deviation within 0.05 of ${real.sigma} (largest difference)`,
      differences(
        equilibria.map((e) => e.deviation),
        real.sigma,
      ),
      0.05,
    ),
    atMost(
      `V(D, G) is within 0.02 of 2 JSD - log 4 at every shift (largest difference)`,
      largest(values.map((v) => differences(v.trained, v.theory))),
      0.02,
    ),
    atMost(
      `one-sided penalty: the critic's estimate is within 2 % of the penalised optimum (largest relative difference)`,
      largest(penalised.map(({ oneSided }) => Math.abs(oneSided.estimate / theory.optimum - 1))),
      0.02,
    ),
    atMost(
      `two-sided penalty: it is within 2 % of the local optimum of the signs that its slopes have (largest relative difference; ${atOptimum(findings)} of ${penalised.length} seeds are at the optimum itself)`,
      largest(penalised.map(({ twoSided }) => Math.abs(twoSided.estimate - twoSided.settled) / theory.optimum)),
      0.02,
    ),
    atMost(
      `one-sided penalty: the critic is a straight line between the means (largest distance from it)`,
      largest(penalised.map(({ oneSided }) => straightness(x, oneSided.scores).bend)),
      0.05,
    ),
    atLeast(
      `where the generated samples are, within σ of their mean, that critic has a slope of at least 0.9 (least slope)`,
      slopes.critic,
      0.9,
    ),
    atMost(`and D one of at most 0.05 (largest slope)`, slopes.discriminator, 0.05),
  ]);
}
