import {
  avgPool2d,
  concat,
  conv2d,
  type Device,
  mean,
  permute,
  type Rng,
  relu,
  reshape,
  split,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { deviceFor, readFrom } from './read.ts';
import { type MetricSamples, meanAndSpread, rowsOf, takeSamples } from './samples.ts';

/** Exponents of the scales, finest first (Wang et al., section 3.2). */
const WEIGHTS: readonly number[] = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

/** Side and standard deviation of the Gaussian window. */
const [WINDOW, SIGMA] = [11, 1.5];

/** K1² and K2² for a range of 1. */
const [C1, C2] = [0.01 ** 2, 0.03 ** 2];

/** Pairs compared at once. */
const BATCH = 100;

const GAUSSIAN: readonly number[] = (() => {
  const raw = Array.from({ length: WINDOW }, (_, i) => Math.exp(-((i - (WINDOW - 1) / 2) ** 2) / (2 * SIGMA ** 2)));
  const total = raw.reduce((s, x) => s + x, 0);
  return raw.map((x) => x / total);
})();

/** Options of {@link msSsim}. */
export interface MsSsimOptions {
  /**
   * Scales, 1 to 5; each halves the images. Unless given, as many as leave room for the window of 11 x 11 pixels: 5 from 176 pixels on, 3
   * at 64, 2 at 28 and 32. Fewer than 5 use the first of the published exponents, divided by their sum, so that scores of different
   * numbers of scales do not compare; with 1 it is plain SSIM.
   */
  readonly scales?: number;
  /** The device that computes; the current device unless given. */
  readonly device?: Device;
}

/** How many scales images of this shape have room for, 0 to 5. */
function scalesFor([height, width]: readonly [number, number]): number {
  return WEIGHTS.filter((_, s) => Math.floor(Math.min(height, width) / 2 ** s) >= WINDOW).length;
}

function scalesOf(op: string, shape: readonly number[], scales: number | undefined): number {
  const [, height, width] = shape;
  if (shape.length !== 4) throw new RangeError(`${op}: samples [${shape}] are no images [N,H,W,C]`);
  const most = scalesFor([height!, width!]);
  if (most === 0)
    throw new RangeError(`${op}: images of ${height} x ${width} have no room for a window of ${WINDOW} x ${WINDOW}`);
  return checkRange(op, 'scales', ranges.whole(1, most), scales ?? most);
}

/**
 * Multi-scale structural similarity of each image with the one at the same place in the other list: 1 for equal images, about 0
 * for unrelated ones (what would be below 0 is 0). Colours are compared one by one and averaged.
 *
 * Source: Wang, Simoncelli, Bovik, "Multiscale structural similarity for image quality assessment", Asilomar 2003, eq. 7, with a
 * Gaussian window of 11 x 11, standard deviation 1.5, K = (0.01, 0.03), and means over 2 x 2 pixels between scales, where an odd last
 * row or column is left out.
 * @param a images [N,H,W,C] in [-1, 1], which are compared as values in [0, 1]
 * @param b images in the shape of `a`
 * @returns [N]
 * @throws RangeError for images smaller than 11 x 11, more scales than they have room for, or shapes that differ
 */
export async function msSsim(a: MetricSamples, b: MetricSamples, options: MsSsimOptions = {}): Promise<Float64Array> {
  const { scales, device: asked } = checked('msSsim', options, ['scales', 'device']);
  const device = deviceFor(asked);
  const many = scalesOf('msSsim', a.shape, scales);
  if (a.shape.join() !== b.shape.join()) throw new RangeError(`msSsim: [${a.shape}] and [${b.shape}] do not compare`);
  const [x, y] = [rowsOf('msSsim', 'a', a), rowsOf('msSsim', 'b', b)];
  const out = new Float64Array(x.count);
  const one = a.shape.slice(1) as [height: number, width: number, channels: number];
  for (let from = 0; from < x.count; from += BATCH) {
    const to = Math.min(from + BATCH, x.count);
    const images = ({ data, width }: typeof x) =>
      tensor(data.subarray(from * width, to * width), { shape: [to - from, ...one] });
    const values = await readFrom(device, () => similarity(images(x), images(y), many));
    out.set(values, from);
  }
  return out;
}

/** [N] of images [N,H,W,C] in [-1, 1]. */
function similarity(a: Tensor, b: Tensor, scales: number): Tensor {
  const [n, height, width, channels] = a.shape as [number, number, number, number];
  const planes = (x: Tensor) =>
    reshape(permute(x, [0, 3, 1, 2]), [n * channels, height, width, 1])
      .mul(0.5)
      .add(0.5);
  let [x, y] = [planes(a), planes(b)];
  const total = WEIGHTS.slice(0, scales).reduce((s, w) => s + w, 0);
  let product: Tensor | undefined;
  for (let s = 0; s < scales; s++) {
    if (s > 0) [x, y] = [avgPool2d(x, 2), avgPool2d(y, 2)];
    const [structure, whole] = oneScale(x, y);
    const factor = relu(s === scales - 1 ? whole : structure).pow(WEIGHTS[s]! / total);
    product = product ? product.mul(factor) : factor;
  }
  return mean(reshape(product!, [n, channels]), 1);
}

/** The means over a plane of contrast times structure, and of that times luminance: twice [P] of planes [P,H,W,1]. */
function oneScale(x: Tensor, y: Tensor): readonly [structure: Tensor, whole: Tensor] {
  const down = tensor(GAUSSIAN, { shape: [WINDOW, 1, 1, 1] });
  const across = tensor(GAUSSIAN, { shape: [1, WINDOW, 1, 1] });
  const all = concat([x, y, x.mul(x), y.mul(y), x.mul(y)]);
  const parts = split(conv2d(conv2d(all, down), across), x.shape[0]!);
  const [mx, my, xx, yy, xy] = parts as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const [mxx, myy, mxy] = [mx.mul(mx), my.mul(my), mx.mul(my)];
  const variances = xx.sub(mxx).add(yy.sub(myy));
  const structure = xy.sub(mxy).mul(2).add(C2).div(variances.add(C2));
  const luminance = mxy.mul(2).add(C1).div(mxx.add(myy).add(C1));
  return [mean(structure, [1, 2, 3]), mean(structure.mul(luminance), [1, 2, 3])];
}

/** Options of {@link msSsimDiversity}. */
export interface MsSsimDiversityOptions extends MsSsimOptions {
  /** Chooses the pairs. */
  readonly rng: Rng;
  /** How many random pairs. Default 1,000. */
  readonly pairs?: number;
}

/** What {@link msSsimDiversity} finds. */
export interface MsSsimDiversity {
  /** Mean similarity of two different samples, 0 to 1: lower is more diverse. Judge it beside that of real samples. */
  readonly value: number;
  /** Standard deviation over the pairs. */
  readonly standardDeviation: number;
  /** Scales that images of this size have room for, or that were asked for. */
  readonly scales: number;
}

/**
 * How alike a generator's samples are: the mean {@link msSsim} of random pairs, of the same class where the samples have labels. A
 * generator that always draws the same has 1. It does not say whether samples look real: noise is most diverse.
 *
 * Source: Odena, Olah, Shlens, "Conditional image synthesis with auxiliary classifier GANs", ICML 2017, section 4.2.
 * @param samples images [N,H,W,C] in [-1, 1], N at least 2
 * @throws RangeError as {@link msSsim}, or where no two samples are of one class
 */
export async function msSsimDiversity(
  samples: MetricSamples,
  options: MsSsimDiversityOptions,
): Promise<MsSsimDiversity> {
  const op = 'msSsimDiversity';
  const { rng, pairs = 1000, scales, device } = checked(op, options, ['rng', 'pairs', 'scales', 'device']);
  const many = checkRange(op, 'pairs', ranges.count, pairs);
  const used = scalesOf(op, samples.shape, scales);
  const { count } = rowsOf(op, 'samples', samples, 2);
  const partners = groups(count, samples.labels);
  const able = Array.from({ length: count }, (_, i) => i).filter((i) => partners(i).length > 1);
  if (able.length === 0) throw new RangeError(`${op}: no two samples are of one class`);
  const [firsts, seconds]: [number[], number[]] = [[], []];
  const draws = rng.hostUniform(2 * many);
  for (let p = 0; p < many; p++) {
    const first = able[Math.floor(draws[2 * p]! * able.length)]!;
    const others = partners(first).filter((j) => j !== first);
    firsts.push(first);
    seconds.push(others[Math.floor(draws[2 * p + 1]! * others.length)]!);
  }
  const values = await msSsim(takeSamples(samples, firsts), takeSamples(samples, seconds), {
    scales: used,
    device: deviceFor(device),
  });
  const [value, standardDeviation] = meanAndSpread(values);
  return { value, standardDeviation, scales: used };
}

/** The samples of the same class for each sample, itself among them. */
function groups(count: number, labels: ArrayLike<number> | undefined): (i: number) => readonly number[] {
  const byClass = new Map<number, number[]>();
  for (let i = 0; i < count; i++) {
    const label = labels?.[i] ?? 0;
    const group = byClass.get(label);
    if (group) group.push(i);
    else byClass.set(label, [i]);
  }
  return (i) => byClass.get(labels?.[i] ?? 0)!;
}
