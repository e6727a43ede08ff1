/** What the page's points are drawn from. */

import { Rng } from '../../engine/index.ts';
import {
  type Distribution,
  gaussianGrid,
  gaussianMixture,
  gaussianRing,
  moons,
  segments,
  spirals,
  swissRoll,
} from '../../gan/index.ts';
import type { DataName } from '../setup/choices.ts';
import type { Setup } from '../setup/setup.ts';

/** Makes a distribution. @param modes how many Gaussians @param sigma their spread, or that of the noise around a curve */
type Create = (options: Pick<Setup, 'modes' | 'sigma' | 'points'>) => Distribution;

/** The sets of points by name. */
export const distributions: Readonly<Record<DataName, Create>> = {
  ring: ({ modes, sigma }) => gaussianRing({ modes, sigma }),
  // The corners stay where they are, however many Gaussians there are.
  grid: ({ modes, sigma }) => gaussianGrid({ side: modes, spacing: 4 / Math.max(1, modes - 1), sigma }),
  two: ({ sigma }) => gaussianMixture({ centres: [[-1.2, 0], [1.2, 0]], sigma }), // biome-ignore format: two points in a line
  one: ({ sigma }) => gaussianMixture({ centres: [[1, 1]], sigma }),
  moons: ({ sigma }) => moons({ noise: sigma }),
  spirals: ({ sigma }) => spirals({ noise: sigma }),
  'swiss-roll': ({ sigma }) => swissRoll({ noise: sigma }),
  segments: () => segments({ theta: 1 }),
  drawn: ({ points, sigma }) => drawn(points, sigma),
};

/** Points that were given, each as likely, with Gaussian noise around them. */
function drawn(points: readonly number[], sigma: number): Distribution {
  return {
    name: 'drawn',
    title: 'points that were drawn',
    dimension: 2,
    sample(n, rng) {
      const from = typeof rng === 'number' ? new Rng(rng) : rng;
      const which = from.hostUniform(n).map((u) => Math.floor((u * points.length) / 2));
      return Float32Array.from(from.hostNormal(2 * n), (z, i) => points[2 * which[i >> 1]! + (i % 2)]! + sigma * z);
    },
  };
}
