import type { DataName } from './choices.ts';
import type { Setup } from './setup.ts';

/** The functions of the library that make distributions of the page. */
export type Maker =
  | 'gaussianRing'
  | 'gaussianGrid'
  | 'gaussianMixture'
  | 'moons'
  | 'spirals'
  | 'swissRoll'
  | 'segments';

/** The function that makes each distribution, and its options: called in the page, and printed in the program for Node. */
export const dataCalls: Readonly<
  Record<Exclude<DataName, 'drawn'>, (setup: Setup) => readonly [Maker, Readonly<Record<string, unknown>>]>
> = {
  ring: ({ modes, sigma }) => ['gaussianRing', { modes, sigma }],
  // The corners stay where they are, however many Gaussians there are.
  grid: ({ modes, sigma }) => ['gaussianGrid', { side: modes, spacing: 4 / Math.max(1, modes - 1), sigma }],
  two: ({ sigma }) => [
    'gaussianMixture',
    {
      centres: [
        [-1.2, 0],
        [1.2, 0],
      ],
      sigma,
    },
  ],
  one: ({ sigma }) => ['gaussianMixture', { centres: [[1, 1]], sigma }],
  moons: ({ sigma }) => ['moons', { noise: sigma }],
  spirals: ({ sigma }) => ['spirals', { noise: sigma }],
  'swiss-roll': ({ sigma }) => ['swissRoll', { noise: sigma }],
  segments: () => ['segments', { theta: 1 }],
};
