import { estimates } from '../../gan/objectives/objective.ts';
import type { Panel } from '../../gan/pictures/plotCurves.ts';

const one = (key: string, title: string, axis: string, label = 'training batches'): Panel => ({
  title,
  axis,
  curves: [{ key, label }],
});

/** Everything that `metrics.jsonl` may say of a run, by its columns; what a run does not say is left out of its pictures. */
export const runPanels: readonly Panel[] = [
  {
    title: 'Losses',
    axis: 'loss',
    curves: [
      { key: 'criticLoss', label: 'critic' },
      { key: 'generatorLoss', label: 'generator' },
    ],
  },
  ...estimates.map(({ name, title = name, unit = name }) => one(name, title, unit)),
  one('penalty', "Penalty, as a part of the critic's loss", 'loss', 'penalty'),
  one('slicedWasserstein', 'Sliced Wasserstein distance to held-out samples', 'distance', 'samples from fixed codes'),
  one('modes', 'Modes covered', 'modes', 'modes'),
  one('highQuality', 'Samples within 3 sigma of a mode', 'share', 'share'),
  one('spread', "Spread of the critic's outputs", 'standard deviation'),
];
