import { concat, noGrad, type Rng, ShapeError, scope, type Tensor } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { type Buffer, type EMA, Module, withoutTracking } from '../../nn/index.ts';
import { codesOf, needCodes } from './latents.ts';
import { inBatches, type SampleArray } from './sampleArray.ts';

export type { SampleArray } from './sampleArray.ts';

/** What samples are drawn from: a generator module, or any function of latent codes. */
export interface LatentGenerator {
  /** Latent codes [N, latent] to samples [N, ...]. */
  forward(latents: Tensor): Tensor;
}

/**
 * What batch norm and its like normalise by: `batch`, the statistics of the codes drawn together, as in training; `running`,
 * those that the layers keep (see {@link standingStatistics}), with dropout off, which makes a sample depend on its code alone.
 */
export type Statistics = 'batch' | 'running';

/** Options of {@link drawSamples}. */
export interface DrawOptions {
  /** Codes in one forward pass: bounds the memory. Default 64. */
  readonly batchSize?: number;
  /**
   * Default 'batch': the running statistics that training leaves are not those of averaged weights. A last batch that is shorter
   * is filled up with the first codes, so that all batches have one size; for a few codes take 'running'. Only modules
   * know these modes.
   */
  readonly statistics?: Statistics;
  /** Draws with the averaged weights instead of the current ones. */
  readonly ema?: EMA;
}

/**
 * Draws the samples of latent codes in batches, without a tape and without moving any statistics.
 *
 * @param codes [N, latent], N >= 1; kept
 * @throws ShapeError for codes of another shape, or samples that are not [N, ...]; RangeError for a batch size
 * @example
 * const { data, shape } = await drawSamples(generator, rng.normal([100, 64]), { ema });
 * await writePng('samples.png', tileImages(data, shape));
 */
export async function drawSamples(
  generator: LatentGenerator,
  codes: Tensor,
  options: DrawOptions = {},
): Promise<SampleArray> {
  const given = checked('drawSamples', options, ['batchSize', 'statistics', 'ema']);
  const { batchSize = 64, statistics = 'batch', ema } = given;
  needCodes('drawSamples', codes);
  checkRange('drawSamples', 'batchSize', ranges.count, batchSize);
  checkRange('drawSamples', 'statistics', ranges.oneOf(['batch', 'running']), statistics);
  const n = codes.shape[0]!;
  return inBatches(n, batchSize, (first, size) => {
    const own = codes.slice([[first, first + size]]);
    // Filled up where there are more codes than one batch holds.
    const batch = size < batchSize && first > 0 ? concat([own, codes.slice([[0, batchSize - size]])]) : own;
    const forward = () => withStatistics(generator, statistics, () => noGrad(() => generator.forward(batch)));
    const samples = ema ? ema.apply(forward) : forward();
    if (samples.rank >= 2 && samples.shape[0] === batch.shape[0]) return samples.slice([[0, size]]);
    throw new ShapeError(`drawSamples: the generator made [${samples.shape}] of ${batch.shape[0]} codes, not [N, ...]`);
  });
}

/** Runs `fn` with the generator's layers in a mode, and leaves them as they were, moving none of their statistics. */
export function withStatistics<T>(generator: LatentGenerator, statistics: Statistics, fn: () => T): T {
  const modules = generator instanceof Module ? generator.namedModules().map(([, m]) => m) : [];
  const modes = modules.map((m) => m.training);
  for (const m of modules) m.training = statistics === 'batch';
  try {
    return withoutTracking(fn);
  } finally {
    modules.forEach((m, k) => {
      m.training = modes[k]!;
    });
  }
}

/** Options of {@link standingStatistics}. */
export interface StandingStatisticsOptions {
  /** Length of a latent code. */
  readonly latent: number;
  /** Draws the codes. */
  readonly rng: Rng;
  /** Batches that the statistics are the mean of. Default 16. */
  readonly batches?: number;
  /** Codes in a batch, >= 2. Default 64. */
  readonly batchSize?: number;
  /** Draws the codes from the normal distribution truncated at ±psi, as samples at that psi want it. Default: not truncated. */
  readonly psi?: number;
  /** Measures the averaged weights instead of the current ones. */
  readonly ema?: EMA;
}

/**
 * Replaces the running statistics of a generator's layers (batch norm) by the means over many batches of random codes, for the
 * weights as they are: the standing statistics of BigGAN (Brock et al. 2019), where each truncation has its own. Afterwards samples drawn
 * with statistics 'running' depend on their own codes alone, which interpolations, inversions and small batches need. Training
 * that goes on afterwards moves the statistics from there; it never reads them.
 *
 * @returns how many layers keep statistics; 0 where there is nothing to do
 * @throws RangeError for numbers of codes or batches out of range
 */
export function standingStatistics(generator: Module, options: StandingStatisticsOptions): number {
  const names = ['latent', 'rng', 'batches', 'batchSize', 'psi', 'ema'] as const;
  const { latent, rng, batches = 16, batchSize = 64, psi, ema } = checked('standingStatistics', options, names);
  for (const [name, value] of Object.entries({ latent, batches, batchSize })) {
    checkRange('standingStatistics', name, ranges.count, value);
  }
  if (batchSize < 2) throw new RangeError('standingStatistics: a batch of 1 has no statistics; use 2 or more');
  const layers = generator.namedModules().flatMap(([, m]) => (isTracked(m) ? [m] : []));
  if (psi !== undefined) checkRange('standingStatistics', 'psi', ranges.positive, psi);
  if (layers.length === 0) return 0;
  const modes = generator.namedModules().map(([, m]) => [m, m.training] as const);
  const momenta = layers.map((layer) => layer.momentum);
  const run = () => noGrad(() => scope(() => void generator.forward(codesOf(rng, batchSize, latent, psi))));
  try {
    generator.train();
    for (let k = 0; k < batches; k++) {
      // A step of 1 / (k + 1) towards batch k makes the mean of all so far; the first overwrites what there was. A layer
      // that counts its batches does so by itself, from 0.
      for (const layer of layers) {
        if (layer.momentum !== null) layer.momentum = 1 / (k + 1);
        else if (k === 0) layer.numBatchesTracked?.assign([0]);
      }
      if (ema) ema.apply(run);
      else run();
    }
  } finally {
    layers.forEach((layer, k) => {
      layer.momentum = momenta[k]!;
    });
    for (const [m, training] of modes) m.training = training;
  }
  return layers.length;
}

/** A layer that keeps running statistics, with the fields that `nn`'s have; `momentum` is set for a while. */
interface Tracked {
  momentum: number | null;
  readonly runningMean: Buffer;
  readonly numBatchesTracked?: Buffer;
}

const isTracked = (m: object): m is Tracked => 'momentum' in m && 'runningMean' in m && m.runningMean !== undefined;
