import { plot } from '../../gan/pictures/plot.ts';
import type { PlotPanel, PlotSeries } from '../../gan/pictures/plotTypes.ts';
import { picture, section, table } from '../markdown.ts';
import { criticOf, normsOf, type VanishingFindings } from './vanishingFindings.ts';

const labels = {
  minimax: 'minimax, log(1 - D)',
  'non-saturating': 'non-saturating, -log D',
  'gradient penalty': 'Wasserstein, gradient penalty',
  clipping: 'Wasserstein, clipping',
} as const;
type Label = keyof typeof labels;
const order = Object.keys(labels) as Label[];

/** The pictures of `vanishing`. */
export function drawVanishing({ sizes, at, stages }: VanishingFindings): Record<string, string> {
  const panels = stages.map(({ stage, critics }): PlotPanel => {
    const series = critics.flatMap(({ kind, norms }) =>
      norms.flatMap((n): PlotSeries[] => {
        const label: Label = kind === 'discriminator' ? (n.loss as Label) : kind;
        const style = { label: labels[label], color: order.indexOf(label) };
        return [
          { kind: 'band', ...style, points: at.map((x, i) => [x, n.low[i]!, n.high[i]!]) },
          { kind: 'line', ...style, points: at.map((x, i) => [x, n.mean[i]!]) },
        ];
      }),
    );
    return {
      title: `Generator fixed after ${stage} steps`,
      x: { label: 'updates of the new critic', log: true },
      y: { label: 'norm of ∇θ loss', log: true },
      height: 210,
      series,
    };
  });
  const doubt: PlotPanel = {
    title: 'Minimax norm against the mean of D(g(z))',
    x: { label: 'mean D(g(z))', log: true },
    y: { label: 'norm of ∇θ loss', log: true },
    height: 210,
    series: stages.map(({ stage, critics }) => {
      const { doubt } = criticOf(critics, 'discriminator');
      const minimax = normsOf(critics, 'discriminator', 'minimax');
      return {
        kind: 'line',
        label: `fixed after ${stage} steps`,
        markers: true,
        points: doubt.map((d, i) => [d, minimax[i]!]),
      };
    }),
  };
  return {
    'norms.svg': plot({
      title: "The generator's gradient while a new critic is trained",
      subtitle: `MNIST, the generator fixed; ${sizes.steps} updates; bands: ends over 8 batches of 128 samples`,
      columns: 2,
      width: 1000,
      panels: [...panels, doubt],
    }),
  };
}

/** The end of the section on `vanishing`. */
export function vanishingPage({ sizes, falls, stages }: VanishingFindings): string {
  return section(
    [
      picture(
        'vanishing',
        'norms.svg',
        "Norms of the generator's gradient against updates of new critics, for fixed generators",
      ),
      `MLPs with three layers of ${sizes.width} units; a generator trained as a non-saturating GAN and then held fixed, and a new discriminator or critic trained against it for ${sizes.steps} updates, from other first weights. Norms over all parameters of the generator, means of 8 batches:`,
      table(
        [
          'generator',
          'D(g(z)) at the end',
          'minimax falls by',
          'non-saturating grows by',
          'gradient penalty: largest / least',
          'clipping: largest / least, after a tenth',
        ],
        falls.map((f, i) => [
          `${f.stage} steps`,
          criticOf(stages[i]!.critics, 'discriminator').doubt.at(-1)!.toExponential(1),
          Math.round(f.minimax).toLocaleString('en-GB'),
          ...[f.nonSaturating, f.penalty, f.clipping].map((ratio) => ratio.toFixed(2)),
        ]),
      ),
      'Published (Fig. 2, a DCGAN after 1, 10 and 25 epochs, 4,000 updates): the minimax norm falls by up to five orders of magnitude. Here the generator that was trained longer is the harder one to tell from the digits, and its gradient falls later and less.',
    ],
    [
      "The better the discriminator, the less the generator learns from it: the norm is proportional to the discriminator's error D(g(z)) (last panel), as the bound M ε / (1 - ε) of theorem 2.4 says. With the minimax loss one must stop training the discriminator at the right time.",
      'The non-saturating loss keeps its gradient, which grows with the confidence of the discriminator and not with any distance between the samples (Fig. 3 of the same paper).',
      'The Wasserstein critic settles: more updates make its gradient more reliable, not smaller. Clipped weights first grow to their bounds, and the gradient with them by orders of magnitude: its size says what the bound is, not how far the samples are apart.',
    ],
  );
}
