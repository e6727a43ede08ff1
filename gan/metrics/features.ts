import { concat, type Device, logSoftmax, reshape, slice, softmax, type Tensor, tensor } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import * as nn from '../../nn/index.ts';
import { largest } from '../extremes.ts';
import { deviceFor, readFrom } from './read.ts';
import { type MetricSamples, rowsOf } from './samples.ts';

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
  refuseTraining(op, network);
  const { data, count, width } = rowsOf(op, 'samples', samples);
  const size = checkRange(op, 'batchSize', ranges.count, batchSize);
  const one = samples.shape.slice(1);
  const launch = (from: number) => {
    const to = Math.min(from + size, count);
    const part = data.subarray(from * width, to * width);
    const batch = readFrom(device, () => of(tensor(part, { shape: [to - from, ...one] })));
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
    return row.indexOf(largest(row));
  });
}

/**
 * A classifier of images with one channel, applied to each channel of an image: the features stand one channel's after the other's, and
 * the classes are all combinations, the first channel's the most significant: three digits make 0 to 999 (stacked MNIST).
 * @param classifier of images [N,H,W,1], in evaluation mode, to K classes and D features
 * @param channels C, at least 1
 * @returns a classifier of images [N,H,W,C] to K^C classes and C D features
 * @throws Error for a classifier that is still training
 */
export function stackedClassifier(classifier: FeatureClassifier, channels: number): FeatureClassifier {
  checkRange('stackedClassifier', 'channels', ranges.count, channels);
  refuseTraining('stackedClassifier', classifier);
  const planes = (x: Tensor) => {
    if (x.rank !== 4 || x.shape[3] !== channels) {
      throw new RangeError(`stackedClassifier: samples [${x.shape}] are no images [N,H,W,${channels}]`);
    }
    return Array.from({ length: channels }, (_, c) => slice(x, [[], [], [], [c, c + 1]]));
  };
  return {
    features: (x) =>
      concat(
        planes(x).map((plane) => classifier.features(plane)),
        1,
      ),
    forward: (x) =>
      planes(x)
        .map((plane) => logSoftmax(classifier.forward(plane)))
        .reduce((joint, next) => {
          const [n, most, few] = [joint.shape[0]!, joint.shape[1]!, next.shape[1]!];
          return reshape(reshape(joint, [n, most, 1]).add(reshape(next, [n, 1, few])), [n, most * few]);
        }),
  };
}

function refuseTraining(op: string, network: FeatureNetwork): void {
  if (network instanceof nn.Module && network.training) {
    throw new Error(`${op}: the network is in training mode; call its eval() first`);
  }
}
