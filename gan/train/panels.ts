import type { Gan } from '../gan.ts';
import type { Panel } from '../run/plot.node.ts';

/** The panels of a run's curves, by the columns of its `metrics.jsonl`. */
export function panelsOf({ objective, regularizers }: Gan): readonly Panel[] {
  const { estimate } = objective;
  const penalties = regularizers.filter((r) => r.penalty).map((r) => r.title);
  return [
    {
      title: 'Losses',
      axis: 'loss',
      curves: [
        { key: 'criticLoss', label: 'critic' },
        { key: 'generatorLoss', label: 'generator' },
      ],
    },
    ...(estimate
      ? [
          {
            title: `${capital(estimate.title)}, as the critic sees it`,
            axis: estimate.title,
            curves: [{ key: estimate.name, label: 'training batches' }],
          },
        ]
      : []),
    ...(penalties.length > 0
      ? [
          {
            title: `Penalty: ${penalties.join(' + ')}`,
            axis: 'part of the loss',
            curves: [{ key: 'penalty', label: 'penalty' }],
          },
        ]
      : []),
    {
      title: 'Sliced Wasserstein distance to held-out samples',
      axis: 'distance',
      curves: [{ key: 'slicedWasserstein', label: 'samples from fixed codes' }],
    },
    { title: 'Modes covered', axis: 'modes', curves: [{ key: 'modes', label: 'modes' }] },
    { title: 'Samples within 3 sigma of a mode', axis: 'share', curves: [{ key: 'highQuality', label: 'share' }] },
  ];
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
