import { concat, Rng, scope, type Tensor } from '../../engine/index.ts';
import type { SampleSet } from '../../gan/data/sampleSet.ts';
import { evenly, largest } from '../../gan/extremes.ts';
import { loadDigitClassifier } from '../../gan/metrics/digitClassifier.node.ts';
import type { DigitClassifier } from '../../gan/metrics/digitClassifier.ts';
import type { Networks } from '../../gan/networks/networks.ts';
import type { ByteImage } from '../../gan/pictures/grid.ts';
import { type LabelledGridOptions, labelTiles } from '../../gan/pictures/labels.ts';
import { drawSamples, type SampleArray, standingStatistics } from '../../gan/sampling/draw.ts';
import { interpolate, latentGrid } from '../../gan/sampling/interpolate.ts';
import { invertSamples } from '../../gan/sampling/invert.ts';
import { analogy, codesAt, meanLatent, towardsMean, truncatedLatents } from '../../gan/sampling/latents.ts';
import { nearestNeighbours, samplesAt, withNeighbours } from '../../gan/sampling/neighbours.ts';
import { joined } from '../../gan/sampling/sampleArray.ts';
import type { SampleOptions } from './sampleOptions.ts';

/** What the pictures are made of. */
export interface Source {
  readonly networks: Networks;
  readonly options: SampleOptions;
  readonly openData: () => Promise<SampleSet>;
}

/** Samples laid out, and what there is to say of them. */
export interface Drawn {
  readonly samples: SampleArray;
  readonly layout: LabelledGridOptions;
  readonly report?: string;
}

/** Images beside each other where `count` does not say. */
const ACROSS = 8;
/** BigGAN's figure 2 from the other end; and shares of the way from the mean. */
const PSI = { resample: [0.04, 0.5, 1, 2], mean: [0.25, 0.5, 0.75, 1] } as const;
/** Radford et al. 2016 show the result of arithmetic among eight codes with uniform noise of this size. */
const NOISE = 0.25;

/**
 * Gives the generator's layers the statistics that samples are drawn with, from a stream that no seed shares: code k of a
 * seed is the same sample in every picture.
 */
export function settle({ generator, latent }: Networks, psi?: number): void {
  standingStatistics(generator, { latent, rng: new Rng(0, 7), ...(psi !== undefined && { psi }) });
}

/** The first n codes of the seed: those of its grid. */
export const gridCodes = ({ networks, options }: Source, n: number): Tensor =>
  new Rng(options.seed).normal([n, networks.latent]);

/** The samples of the codes that `make` gives, each by itself. What `make` makes is freed. */
export async function draw({ networks }: Source, make: () => Tensor): Promise<SampleArray> {
  using codes = scope(make);
  return await drawSamples(networks.generator, codes, { statistics: 'running' });
}

/** The codes that an interpolation goes through. */
export function pathCodes(source: Source): Tensor {
  const { codes, count = ACROSS, corners = false } = source.options;
  const numbers = codes ?? Array.from({ length: corners ? 4 : count }, (_, k) => k);
  return codesAt('sample', gridCodes(source, largest(numbers) + 1), numbers);
}

/** The standard deviation of each number over the samples, averaged. */
function spread({ data, shape: [n = 1] }: SampleArray): number {
  const size = data.length / n;
  let total = 0;
  for (let i = 0; i < size; i++) {
    let [sum, squares] = [0, 0];
    for (let at = i; at < data.length; at += size) {
      sum += data[at]!;
      squares += data[at]! ** 2;
    }
    total += Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2));
  }
  return total / size;
}

const numbered = (n: number): string[] => Array.from({ length: n }, (_, k) => String(k));

async function grid(source: Source): Promise<Drawn> {
  const { count = ACROSS ** 2 } = source.options;
  const columns = Math.ceil(Math.sqrt(count));
  const rowLabels = Array.from({ length: Math.ceil(count / columns) }, (_, row) => String(row * columns));
  const samples = await draw(source, () => gridCodes(source, count));
  return { samples, layout: { columns, rowLabels, columnLabels: numbered(columns) } };
}

/** A row for each leg of the path: from one code to the next, or between pairs where no codes are named. */
async function interpolation(source: Source): Promise<Drawn> {
  const { codes, count = ACROSS, mode = 'spherical', corners = false } = source.options;
  if (corners) {
    const between = () => latentGrid(pathCodes(source), { rows: ACROSS, columns: ACROSS, mode });
    return { samples: await draw(source, between), layout: { columns: ACROSS } };
  }
  const ends = codes
    ? codes.slice(1).map((to, k) => [codes[k]!, to] as const)
    : Array.from({ length: count }, (_, k) => [2 * k, 2 * k + 1] as const);
  const samples = await draw(source, () => {
    const all = gridCodes(source, largest(ends.flat()) + 1);
    return concat(ends.map((pair) => interpolate(codesAt('sample', all, pair), { steps: ACROSS, mode })));
  });
  return { samples, layout: { columns: ACROSS + 1, rowLabels: ends.map(([from, to]) => `${from}-${to}`) } };
}

/** Rows a, b and c, each with its samples and last that of their mean; then the result and codes near it. */
async function arithmetic(source: Source): Promise<Drawn> {
  const { codes = Array.from({ length: 9 }, (_, k) => k), seed } = source.options;
  const each = codes.length / 3;
  const terms = [0, 1, 2].map((term) => codes.slice(term * each, (term + 1) * each));
  const { latent } = source.networks;
  const samples = await draw(source, () => {
    const all = gridCodes(source, largest(codes) + 1);
    const [a, b, c] = terms.map((numbers) => meanLatent(all, numbers).reshape([1, latent])) as [Tensor, Tensor, Tensor];
    const result = analogy(a, b, c);
    const noise = new Rng(seed, 1).uniform([each, latent], { low: -NOISE, high: NOISE });
    const rows = [a, b, c].flatMap((mean, term) => [codesAt('sample', all, terms[term]!), mean]);
    return concat([...rows, result.add(noise), result]);
  });
  const columnLabels = [...Array.from({ length: each }, () => ''), 'mean'];
  const report = `a - b + c of the means of codes ${terms.map((numbers) => numbers.join(',')).join(' | ')}; below, the result (last) and codes within ${NOISE} of it`;
  return { samples, layout: { columns: each + 1, rowLabels: ['a', 'b', 'c', 'a-b+c'], columnLabels }, report };
}

async function truncate(source: Source): Promise<Drawn> {
  const { psi, count = psi === undefined ? ACROSS : ACROSS ** 2, truncation = 'resample', seed } = source.options;
  const { latent } = source.networks;
  const at = (value: number): Promise<SampleArray> => {
    if (truncation === 'mean') return draw(source, () => towardsMean(gridCodes(source, count), { psi: value }));
    // Shorter codes move the layers' inputs, so that each psi has statistics of its own, as in BigGAN.
    settle(source.networks, value);
    return draw(source, () => truncatedLatents(new Rng(seed), count, latent, value));
  };
  if (psi !== undefined) {
    const layout = { columns: Math.ceil(Math.sqrt(count)), title: `psi ${psi}` };
    return { samples: await at(psi), layout };
  }
  const rows: SampleArray[] = [];
  for (const value of PSI[truncation]) rows.push(await at(value));
  const spreads = rows.map((row, i) => `${PSI[truncation][i]}: ${spread(row).toFixed(3)}`);
  const report = `variety (standard deviation of a number over the samples, mean of all numbers) at psi ${spreads.join(', ')}`;
  const samples = joined(rows);
  return { samples, layout: { columns: count, rowLabels: PSI[truncation].map((value) => `psi ${value}`) }, report };
}

/** Each sample, then its nearest training images; and how near held-out images have theirs. */
async function neighbours(source: Source): Promise<Drawn> {
  const { count = ACROSS, compare = 'pixels' } = source.options;
  const k = ACROSS - 1;
  const set = await source.openData();
  const samples = await draw(source, () => gridCodes(source, count));
  const held = Math.min(count, set.test.count);
  const others = samplesAt(set.test, set.shape, evenly(held, set.test.count));
  const queries = joined([samples, others]);
  const classifier = compare === 'digits' ? await digitClassifier(set) : undefined;
  const features = classifier && { features: (x: Tensor) => classifier.features(x) };
  const found = await nearestNeighbours(queries, set.train, { k, ...features });
  classifier?.dispose();
  const nearestOf = (from: number, n: number) =>
    median(Array.from({ length: n }, (_, row) => found.distances[(from + row) * k]!)).toFixed(2);
  const own = { k, indices: found.indices.subarray(0, count * k), distances: found.distances.subarray(0, count * k) };
  return {
    samples: withNeighbours(samples, set.train, own),
    layout: { columns: k + 1, rowLabels: numbered(count), columnLabels: ['fake', ...numbered(k + 1).slice(1)] },
    report: `median distance to the nearest of ${set.train.count} training images, in ${compare === 'digits' ? "the digit classifier's features" : 'pixels'}: ${nearestOf(0, count)} for samples, ${nearestOf(count, held)} for held-out images (copies are at 0)`,
  };
}

async function digitClassifier({ name, shape }: SampleSet): Promise<DigitClassifier> {
  if (String(shape) !== '28,28,1') {
    throw new Error(`the digit classifier sees images [28,28,1]; ${name} has [${shape}]: compare pixels`);
  }
  return loadDigitClassifier();
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
};

/** Held-out images above, what the generator makes of them below. */
async function reconstruct(source: Source): Promise<Drawn> {
  const { count = ACROSS, seed } = source.options;
  const { networks } = source;
  const set = await source.openData();
  const n = Math.min(count, set.test.count);
  const real = samplesAt(set.test, set.shape, evenly(n, set.test.count));
  const { codes, errors } = await invertSamples(networks.generator, real, {
    latent: networks.latent,
    rng: new Rng(seed),
  });
  const made = await draw(source, () => codes);
  const mean = errors.reduce((sum, error) => sum + error, 0) / n;
  return {
    samples: joined([real, made]),
    layout: { columns: n, rowLabels: ['real', 'found'], columnLabels: [...errors].map((e) => e.toFixed(3)) },
    report: `mean squared error of ${n} held-out images, pixels in [-1, 1]: ${mean.toFixed(4)}, worst ${largest(errors).toFixed(4)}`,
  };
}

/** How each picture is made; an animation of a run's grids needs no network. */
export const drawings = { grid, interpolate: interpolation, arithmetic, truncate, neighbours, reconstruct } as const;

/** Images at a size that shows their pixels. */
export function tiled({ samples, layout }: Drawn): ByteImage {
  const scale = Math.max(1, Math.round(64 / samples.shape[1]!));
  return labelTiles(samples.data, samples.shape, { scale, ...layout });
}
