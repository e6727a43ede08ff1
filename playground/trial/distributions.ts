/** What the page's points are drawn from. */
import { generatorOf } from '../../gan/data/distribution.ts';
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
import { dataCalls, type Maker } from '../setup/dataCalls.ts';
import type { Setup } from '../setup/setup.ts';

const makers: Readonly<Record<Maker, (options: never) => Distribution>> = {
  ...{ gaussianGrid, gaussianMixture, gaussianRing, moons, segments, spirals, swissRoll },
};

/** The distribution of a setup. */
export function distributionOf(setup: Setup): Distribution {
  if (setup.data === 'drawn') return drawn(setup);
  const [maker, options] = dataCalls[setup.data](setup);
  return makers[maker](options as never);
}

/** Points that were given, each as likely, with Gaussian noise around them. */
const drawn = ({ points, sigma }: Setup): Distribution => ({
  name: 'drawn',
  title: 'points that were drawn',
  dimension: 2,
  sample(n, rng) {
    const from = generatorOf(rng);
    const which = from.hostUniform(n).map((u) => Math.floor((u * points.length) / 2));
    return Float32Array.from(from.hostNormal(2 * n), (z, i) => points[2 * which[i >> 1]! + (i % 2)]! + sigma * z);
  },
});
