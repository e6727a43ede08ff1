import { Rng } from '../../engine/index.ts';
import { largest, smallest } from '../../gan/extremes.ts';
import { modeCoverage } from '../../gan/metrics/modeCoverage.ts';
import { type MeanSpread, meanSpread, recordOf } from '../tables.ts';
import { type MixtureName, mixtures } from './modesRun.ts';

/** What is counted of samples. */
const COUNTED = ['covered', 'highQuality', 'reverseKl'] as const;

/** The last rows of several seeds, or of several draws. */
export type Finals = Readonly<Record<(typeof COUNTED)[number], MeanSpread>>;

/** Mean and spread of each of the counts. */
export const finalsOf = (rows: readonly Readonly<Record<(typeof COUNTED)[number], number>>[]): Finals =>
  recordOf(COUNTED, (key) => meanSpread(rows.map((row) => row[key])));

/** Draws that the expected coverage of noise is the mean of: its standard error is below 0.1 modes. */
export const DRAWS = 400;

/**
 * What points score that know nothing but where the mixture ends: uniform in the smallest box around all modes, 3 σ of each included.
 * Few of them are near a mode, but with thousands of samples most modes get one: coverage alone shows no learning.
 * @param samples how many points are drawn each time
 * @returns mean and spread over 400 draws, the same each time
 */
export function uniformNoise(mixture: MixtureName, samples: number): Finals {
  const { modes } = mixtures[mixture].make();
  const { centres, sigma } = modes;
  const box = [0, 1].map((axis) => {
    const along = Array.from(centres).filter((_, i) => i % 2 === axis);
    return [smallest(along) - 3 * sigma, largest(along) + 3 * sigma] as const;
  });
  const found = Array.from({ length: DRAWS }, (_, seed) => {
    const places = new Rng(seed).hostUniform(2 * samples);
    const data = places.map((u, i) => box[i % 2]![0] + u * (box[i % 2]![1] - box[i % 2]![0]));
    return modeCoverage({ data, shape: [samples, 2] }, modes);
  });
  return finalsOf(found);
}
