import { plot } from '../run/plot.node.ts';
import type { PlotPoint } from '../run/plotTypes.ts';
import { fixed, picture, table } from './markdown.ts';
import { slopesAtGenerated } from './twoGaussiansClaims.ts';
import { EQUILIBRIUM, real, type TwoGaussiansFigures } from './twoGaussiansSetting.ts';

/** The pictures of `two-gaussians`. */
export function drawTwoGaussians(f: TwoGaussiansFigures): Record<string, string> {
  const along = (ys: readonly number[]): PlotPoint[] => ys.map((y, i) => [f.x[i]!, y]);
  const x = { label: 'x' };
  const densities = [
    { kind: 'line', label: 'density of real samples', points: along(f.density.real), fill: true, color: 0 },
    { kind: 'line', label: 'density of generated samples', points: along(f.density.generated), fill: true, color: 1 },
  ] as const;
  const two = plot({
    title: 'What a discriminator and a critic say between two Gaussians',
    subtitle: `trained for ${f.sizes.steps} updates on ${f.sizes.batch} new samples each`,
    panels: [
      {
        title: 'Discriminator',
        x,
        y: { label: 'density; D(x)', min: 0, max: 1 },
        height: 210,
        series: [
          ...densities,
          { kind: 'line', label: 'trained D', points: along(f.discriminator.trained), color: 2 },
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
          { kind: 'line', label: 'critic, gradient penalty', points: along(f.critic.penalised), color: 2 },
          { kind: 'line', label: 'critic, clipped, by its steepest slope', points: along(f.critic.clipped), color: 3 },
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
            points: f.values.map((v) => [v.shift, v.trained]),
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
export function twoGaussiansPage(figures: TwoGaussiansFigures): string {
  const { sizes, estimate, between, values, equilibrium, critic } = figures;
  const slopes = slopesAtGenerated(figures);
  const over = `${(100 * (estimate.optimum / estimate.wasserstein - 1)).toFixed(1)} %`;
  return [
    picture(
      'two-gaussians',
      'critics.svg',
      'Densities of two Gaussians with the trained and the optimal discriminator, and with two critics',
    ),
    '',
    picture('two-gaussians', 'value.svg', 'V of trained discriminators on the curve of 2 JSD - log 4'),
    '',
    table(
      ['shift', 'V, trained', '2 JSD - log 4', 'difference'],
      values.map((v) => [v.shift, fixed(v.trained, 3), fixed(v.theory, 3), fixed(v.trained - v.theory, 3)]),
    ),
    '',
    table(
      ['figure', 'measured', 'theory'],
      [
        [
          `V against a generator trained for ${sizes.generatorSteps} steps`,
          fixed(equilibrium.value, 3),
          `-log 4 = ${fixed(EQUILIBRIUM, 3)}`,
        ],
        ['mean of what that generator makes', equilibrium.mean.toFixed(3), `${real.mean}`],
        ['its standard deviation', equilibrium.deviation.toFixed(3), `${real.sigma}`],
        [
          "the critic's E f(x) - E f(y), λ = 10",
          estimate.trained.toFixed(3),
          `${estimate.optimum.toFixed(3)}; W₁ is ${estimate.wasserstein.toFixed(3)}`,
        ],
        ['its slope between the means', between.slope.toFixed(3), 'above 1, see below'],
        ['its least slope within σ of the generated mean', slopes.critic.toFixed(3), 'above 1'],
        ['the largest slope of D there', slopes.discriminator.toFixed(4), slopes.best.toFixed(4)],
        ["the clipped critic's steepest slope", critic.scale.toPrecision(3), 'not known beforehand'],
      ],
    ),
    '',
    'What to point at:',
    '- The trained D lies on D*. Over the generated samples it is 0 and flat: the minimax generator, whose gradient is D(x) times the slope of the logit, learns nothing.',
    '- The critic with a penalty falls in a straight line from the real samples to the generated ones: its slope over the generated samples is as large as anywhere. The clipped one, as in the published figure, has a slope everywhere too, but bends where its few saturated weights let it.',
    `- The best critic under a penalty has the slope 1 + |Q - P| / (2 λ ρ), with P and Q the distribution functions and ρ the density of the places that are penalised. That is above 1 wherever there is mass to move, and makes the estimate ${over} too large here: not an error of training, but what λ = 10 buys. The trained critic finds this optimum.`,
    '- V of the best discriminator never falls below -log 4, and is there only if the generator has it all right: the game is over when the discriminator can do no better than a coin. V alone does not show that it is the best one: D = 1/2 has -log 4 against any generator. What this generator makes is therefore measured too.',
  ].join('\n');
}
