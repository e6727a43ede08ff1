import { plot } from '../../gan/pictures/plot.ts';
import type { PlotPoint } from '../../gan/pictures/plotTypes.ts';
import { largest } from '../critics.ts';
import { fixed, picture, section, table } from '../markdown.ts';
import { meanAndEnds } from '../tables.ts';
import { atOptimum, slopesAtGenerated, straightness } from './twoGaussiansClaims.ts';
import { EQUILIBRIUM, LAMBDA, type PenalisedPair, real, type TwoGaussiansFindings } from './twoGaussiansSetting.ts';

/** The seed whose critic with a two-sided penalty is furthest below the optimum. */
const furthest = ({ penalised }: TwoGaussiansFindings): PenalisedPair =>
  penalised.reduce((a, b) => (b.twoSided.estimate < a.twoSided.estimate ? b : a));

/** The pictures of `two-gaussians`. */
export function drawTwoGaussians(f: TwoGaussiansFindings): Record<string, string> {
  const along = (ys: readonly number[]): PlotPoint[] => ys.map((y, i) => [f.x[i]!, y]);
  const x = { label: 'x' };
  const behind = furthest(f);
  const [first] = f.penalised as [PenalisedPair];
  const densities = [
    { kind: 'line', label: 'density of real samples', points: along(f.density.real), fill: true, color: 0 },
    { kind: 'line', label: 'density of generated samples', points: along(f.density.generated), fill: true, color: 1 },
  ] as const;
  const two = plot({
    title: 'What a discriminator and a critic say between two Gaussians',
    subtitle: `trained for ${f.sizes.steps} updates on ${f.sizes.batch} new samples each; seed ${first.seed}`,
    panels: [
      {
        title: 'Discriminator',
        x,
        y: { label: 'density; D(x)', min: 0, max: 1 },
        height: 210,
        series: [
          ...densities,
          { kind: 'line', label: 'trained D', points: along(f.discriminator.trained[0]!), color: 2 },
          {
            kind: 'line',
            label: 'D* = p_r / (p_r + p_g)',
            points: along(f.discriminator.best),
            dash: 'dashed',
            color: 7,
          },
        ],
      },
      {
        title: 'Critic, 0 in the middle',
        x,
        y: { label: 'density; f(x)' },
        height: 210,
        series: [
          // Unfilled: the area would reach down to the lower end of the axis.
          ...densities.map((d) => ({ ...d, fill: false })),
          { kind: 'line', label: 'critic, one-sided penalty', points: along(first.oneSided.scores), color: 2 },
          {
            kind: 'line',
            label: `two-sided penalty, seed ${behind.seed}`,
            points: along(behind.twoSided.scores),
            dash: 'dashed',
            color: 4,
          },
          { kind: 'line', label: 'clipped, by its steepest slope', points: along(f.clipped.scores), color: 3 },
        ],
      },
    ],
  });
  const value = plot({
    title: 'V(D, G) and the Jensen-Shannon divergence',
    subtitle: 'between N(0, 1) and N(shift, 1)',
    panels: [
      {
        x: { label: 'shift, in standard deviations' },
        y: { label: 'V' },
        height: 230,
        series: [
          { kind: 'line', label: '2 JSD - log 4', points: f.values.map((v) => [v.shift, v.theory]) },
          {
            kind: 'scatter',
            label: 'trained discriminators',
            points: f.values.flatMap((v) => v.trained.map((trained) => [v.shift, trained] as const)),
            size: 9,
          },
          { kind: 'level', label: '-log 4', at: EQUILIBRIUM },
        ],
      },
    ],
  });
  return { 'critics.svg': two, 'value.svg': value };
}

/** The end of the section on `two-gaussians`. */
export function twoGaussiansPage(findings: TwoGaussiansFindings): string {
  const { x, sizes, penalised, theory, values, equilibria, clipped } = findings;
  const slopes = slopesAtGenerated(findings);
  const over = `${(100 * (theory.optimum / theory.wasserstein - 1)).toFixed(1)} %`;
  const behind = penalised.filter(({ twoSided }) => twoSided.estimate < 0.98 * theory.optimum);
  return section(
    [
      picture(
        'two-gaussians',
        'critics.svg',
        'Densities of two Gaussians with the trained and the optimal discriminator, and with three critics',
      ),
      picture('two-gaussians', 'value.svg', 'V of trained discriminators on the curve of 2 JSD - log 4'),
      `Everything was trained for each of ${sizes.seeds.length} seeds: other first weights, other samples. Means, and in brackets the ends.`,
      table(
        ['shift', 'V, trained', '2 JSD - log 4', 'largest difference'],
        values.map((v) => [
          v.shift,
          meanAndEnds(v.trained),
          fixed(v.theory, 3),
          fixed(largest(v.trained.map((t) => Math.abs(t - v.theory))), 3),
        ]),
      ),
      table(
        ['quantity', 'measured', 'theory'],
        [
          [
            `V against a generator trained for ${sizes.generatorSteps} steps`,
            meanAndEnds(equilibria.map((e) => e.value)),
            `-log 4 = ${fixed(EQUILIBRIUM, 3)}`,
          ],
          ['mean of what that generator makes', meanAndEnds(equilibria.map((e) => e.mean)), `${real.mean}`],
          ['its standard deviation', meanAndEnds(equilibria.map((e) => e.deviation)), `${real.sigma}`],
          [
            `slope of the critics between the means, one-sided penalty, λ = ${LAMBDA}`,
            meanAndEnds(penalised.map(({ oneSided }) => straightness(x, oneSided.scores).slope)),
            'above 1, see below',
          ],
          ['their least slope within σ of the generated mean', slopes.critic.toFixed(3), 'above 1'],
          ['the largest slope of D there', slopes.discriminator.toFixed(4), slopes.best.toFixed(4)],
          ["the clipped critic's steepest slope", clipped.scale.toPrecision(3), 'not known beforehand'],
        ],
      ),
      `What the critics say the distance is, E f(x) - E f(y): ${theory.optimum.toFixed(3)} at the optimum under a penalty of λ = ${LAMBDA}, where W₁ is ${theory.wasserstein.toFixed(3)}.`,
      table(
        ['seed', 'one-sided penalty', 'two-sided penalty', 'local optimum of the signs of its slopes'],
        penalised.map(({ seed, oneSided, twoSided }) => [
          seed,
          fixed(oneSided.estimate, 3),
          fixed(twoSided.estimate, 3),
          fixed(twoSided.settled, 3),
        ]),
      ),
    ],
    [
      'The trained D lies on D*. Over the generated samples it is 0 and flat: the minimax generator, whose gradient is D(x) times the slope of the logit, learns nothing.',
      'The critic with a penalty falls in a straight line from the real samples to the generated ones: its slope over the generated samples is as large as anywhere. The clipped one, as in the published figure, has a slope everywhere too, but bends where its few saturated weights let it.',
      `The best critic under a penalty has the slope 1 + |Q - P| / (2 λ ρ), with P and Q the distribution functions and ρ the density of the places that are penalised. That is above 1 wherever there is mass to move, and makes the estimate ${over} too large here: not an error of training, but what λ = ${LAMBDA} buys. The critics with a one-sided penalty find this optimum from every start.`,
      `The two-sided penalty has walls. A piece of the critic that starts with a slope in the wrong direction would have to pass through slope 0, which costs λ, and stays where it is, at the slope -(1 - |Q - P| / (2 λ ρ)). ${behind.length === 0 ? 'Here no critic was caught' : `Here ${behind.length} of ${penalised.length} were caught (seed ${behind.map((b) => b.seed).join(', ')}: look for the rise of the dashed line)`}; ${atOptimum(findings)} of ${penalised.length} are within 2 % of the optimum, and what the others say is, to 2 %, what such a local optimum gives.. The one-sided penalty, from the same first weights and samples, has none (Petzka et al. 2018).`,
      'V of the best discriminator never falls below -log 4, and is there only if the generator has it all right: the game is over when the discriminator can do no better than a coin. V alone does not show that it is the best one: D = 1/2 has -log 4 against any generator. What this generator makes is therefore measured too.',
    ],
  );
}
