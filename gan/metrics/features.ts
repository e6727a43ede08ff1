import { checked, type Device, Generator, scope, softmax, type Tensor, tensor, withDevice } from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
import { deviceFor, type MetricSamples, rowsOf, wholeNumber } from './samples.ts';

/** A network whose features the metrics compare, such as {@link DigitClassifier} or {@link RandomFeatures}. */
export interface FeatureNetwork {
  /** The features [N,D] of samples [N, ...]. */
  features(x: Tensor): Tensor;
}

/** A classifier with features. */
export interface FeatureClassifier extends FeatureNetwork {
  /** The logits [N,K] of samples [N, ...]. */
  forward(x: Tensor): Tensor;
}

/** Options of {@link featuresOf} and {@link classProbabilities}. */
export interface FeatureOptions {
  /** Samples that the network sees at once. Default 250. */
  readonly batchSize?: number;
  /** Where the network is; the current device unless given. */
  readonly device?: Device;
}

/**
 * The features of samples, in batches on the device.
 * @returns features [N,D], with the samples' labels
 * @throws Error for a network that is still training, whose batch norm would mix the samples; RangeError for samples with NaN
 */
export const featuresOf = (network: FeatureNetwork, samples: MetricSamples, options: FeatureOptions = {}) =>
  inBatches('featuresOf', network, (x) => network.features(x), samples, options);

/**
 * The class probabilities of samples, softmax of the logits.
 * @returns [N,K], with the samples' labels
 * @throws Error as {@link featuresOf}
 */
export const classProbabilities = (network: FeatureClassifier, samples: MetricSamples, options: FeatureOptions = {}) =>
  inBatches('classProbabilities', network, (x) => softmax(network.forward(x)), samples, options);

async function inBatches(
  op: string,
  network: FeatureNetwork,
  of: (x: Tensor) => Tensor,
  samples: MetricSamples,
  options: FeatureOptions,
): Promise<MetricSamples> {
  const { batchSize = 250, device: asked } = checked(op, options, ['batchSize', 'device']);
  const device = deviceFor(asked);
  if (network instanceof nn.Module && network.training) {
    throw new Error(`${op}: the network is in training mode; call its eval() first`);
  }
  const { data, count, width } = rowsOf(op, 'samples', samples);
  const size = wholeNumber(op, 'batchSize', batchSize, 1);
  const one = samples.shape.slice(1);
  const launch = (from: number) => {
    const to = Math.min(from + size, count);
    const part = data.subarray(from * width, to * width);
    const batch = withDevice(device, () => scope(() => of(tensor(part, { shape: [to - from, ...one] })).data()));
    return { batch, from };
  };
  let out: Float32Array | Float64Array | undefined;
  let length = 0;
  // The next batch is computed while one is read.
  for (let next: ReturnType<typeof launch> | undefined = launch(0); next; ) {
    const { batch, from }: ReturnType<typeof launch> = next;
    next = from + size < count ? launch(from + size) : undefined;
    const values = await batch;
    length = values.length / (Math.min(from + size, count) - from);
    out ??= values instanceof Float64Array ? new Float64Array(count * length) : new Float32Array(count * length);
    out.set(values, from * length);
  }
  return { data: out!, shape: [count, length], ...(samples.labels && { labels: samples.labels }) };
}

/** The most probable class of each sample, from probabilities [N,K]. */
export function classesOf({ data, shape }: MetricSamples): Int32Array {
  const [count, many] = shape as [number, number];
  return Int32Array.from({ length: count }, (_, i) => {
    const row = data.subarray(i * many, (i + 1) * many);
    return row.indexOf(Math.max(...row));
  });
}

/**
 * The classes of stacked images: each channel is a digit of its own, the first the most significant, so that three of ten
 * classes make 0 to 999 (stacked MNIST).
 * @param classifier of images with one channel, [N,H,W,1]
 * @param samples [N,H,W,C]
 * @returns [N], 0 to K^C - 1
 */
export async function stackedClasses(
  classifier: FeatureClassifier,
  samples: MetricSamples,
  options: FeatureOptions = {},
): Promise<{ readonly classes: Int32Array; readonly many: number }> {
  const device = deviceFor(options.device);
  const { data, count } = rowsOf('stackedClasses', 'samples', samples);
  const [, height, width, channels] = samples.shape;
  if (samples.shape.length !== 4) throw new RangeError(`stackedClasses: samples [${samples.shape}] are no images [N,H,W,C]`);
  const classes = new Int32Array(count);
  let many = 1;
  for (let c = 0; c < channels!; c++) {
    const plane = new Float32Array(count * height! * width!);
    for (let i = 0; i < plane.length; i++) plane[i] = data[i * channels! + c]!;
    const image = { data: plane, shape: [count, height!, width!, 1] };
    const found = await classProbabilities(classifier, image, { ...options, device });
    const base = found.shape[1]!;
    classesOf(found).forEach((digit, i) => { classes[i] = classes[i]! * base + digit; });
    many *= base;
  }
  return { classes, many };
}

/** Numbers that describe an image in {@link RandomFeatures}. */
export const RANDOM_FEATURES = 64;

/**
 * Convolutions with random weights that are never trained: features for images that no classifier here knows, of any size from 8 x 8
 * on and any number of channels. Naeem et al. (2020, section 4.1) find them better than ImageNet's for images of another kind. The same
 * seed makes the same network; figures of others do not compare.
 */
export class RandomFeatures extends nn.Module {
  /** From images to features. */
  readonly body: nn.Sequential;

  /**
   * Makes the weights, on the current device, in evaluation mode.
   * @param shape of one image, [H,W,C]
   * @param seed of the weights; 0 unless given
   */
  constructor(shape: readonly [height: number, width: number, channels: number], seed = 0) {
    super();
    const [height, width, channels] = shape;
    const half = (n: number): number => Math.floor(n / 2);
    const plain = { bias: false, init: nn.init.kaimingNormal(), rng: new Generator(seed) };
    const stride = { stride: 2, padding: 1, ...plain };
    this.body = new nn.Sequential(
      new nn.Conv2d(channels, 16, 4, stride),
      new nn.ReLU(),
      new nn.Conv2d(16, 32, 4, stride),
      new nn.ReLU(),
      new nn.Conv2d(32, 64, 4, stride),
      new nn.ReLU(),
      new nn.Flatten(),
      new nn.Linear(half(half(half(height))) * half(half(half(width))) * 64, RANDOM_FEATURES, plain),
    );
    this.eval();
  }

  /** The features [N,64] of images [N,H,W,C] in [-1, 1]. */
  features(images: Tensor): Tensor {
    return this.body.forward(images);
  }

  /** The features; there are no classes. */
  override forward(images: Tensor): Tensor {
    return this.features(images);
  }
}
