/**
 * What is looked at of systems that take samples apart and put them together again: what is left of held-out samples, beside what as many
 * principal components leave.
 * @module
 */
import type { Tensor } from '../../engine/index.ts';
import type { SampleSet } from '../data/sampleSet.ts';
import { type Pca, pca } from '../metrics/pca.ts';
import { principalAngles } from '../metrics/principalAngles.ts';
import { metricSamples } from '../metrics/samples.ts';
import { mapSamples } from '../sampling/mapSamples.ts';
import { joined } from '../sampling/sampleArray.ts';
import type { System } from '../system.ts';
import type { Lab, Measure, Show } from './row.ts';

/** A system that restores samples from codes. */
export interface Autoencoder extends System<string> {
  /** Numbers of a code. */
  readonly codeSize: number;
  /** What is left of samples [N, ...] on the way through the code. */
  restored(samples: Tensor): Tensor;
}

/** An autoencoder whose decoder is linear. */
export interface LinearDecoder extends Autoencoder {
  /** The weight of the decoder, [code, numbers of a sample], whose rows span all that it can make. */
  readonly span: Tensor;
}

/** The principal components of training samples: found once for each set and number. */
const found = new WeakMap<SampleSet, Map<number, Promise<Pca>>>();
function componentsOf(set: SampleSet, k: number): Promise<Pca> {
  const own = found.get(set) ?? new Map<number, Promise<Pca>>();
  found.set(set, own);
  const known = own.get(k) ?? pca(metricSamples(set.train, set.shape), k);
  own.set(k, known);
  return known;
}

/** The largest principal angle between what the decoder spans and the principal components of the training samples. */
export const angleToComponents = <T extends LinearDecoder>(): Measure<T> => ({
  title: 'largest principal angle to the PCA subspace, degrees',
  better: 'lower',
  quick: true,
  async compute({ system, set }) {
    const [k, size] = system.span.shape as [number, number];
    const { components } = await componentsOf(set as SampleSet, k);
    const rows = await system.span.data();
    const columns = Float64Array.from({ length: k * size }, (_, i) => rows[(i % k) * size + Math.floor(i / k)]!);
    const angles = await principalAngles({ data: columns, shape: [size, k] }, components);
    return angles.at(-1)!;
  },
});

/** The squared error on held-out samples over that of as many principal components. */
export const errorBesideComponents = <T extends Autoencoder>(): Measure<T> => ({
  title: "squared error on held-out samples, in units of PCA's",
  better: 'lower',
  async compute({ system, set }: Lab<T>) {
    const samples = metricSamples((set as SampleSet).test, set.shape);
    const { mean, components } = await componentsOf(set as SampleSet, system.codeSize);
    const { data } = await mapSamples((x) => system.restored(x), samples, { batchSize: 500 });
    const [size, k] = components.shape as [number, number];
    let [own, best] = [0, 0];
    for (let n = 0; n < samples.shape[0]!; n++) {
      const codes = new Float64Array(k);
      for (let i = 0; i < size; i++) {
        const x = samples.data[n * size + i]!;
        own += (data[n * size + i]! - x) ** 2;
        best += (x - mean[i]!) ** 2; // less what the components keep, below
        for (let j = 0; j < k; j++) codes[j]! += (x - mean[i]!) * components.data[i * k + j]!;
      }
      for (const code of codes) best -= code ** 2;
    }
    return own / best;
  },
});

/** Held-out samples, and what is left of each below it. */
export const restoredSamples = <T extends Autoencoder>(): Show<T> => ({
  title: 'held-out samples, and what is left of them, below each',
  async draw({ system, set }, count = 16) {
    const { test, shape } = set as SampleSet;
    const samples = metricSamples(test, shape, count);
    const made = await mapSamples((x) => system.restored(x), samples);
    const layout = { columns: samples.shape[0]!, rowLabels: ['real', 'restored'], scale: 2 };
    return { samples: joined([samples, made]), layout };
  },
});
