import { noGrad, ShapeError, sizeOf, type Tensor, tensor } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { withoutTracking } from '../../nn/index.ts';
import { inBatches, type SampleArray } from './sampleArray.ts';

/**
 * What a function makes of samples, some at a time on the current device, without a tape and without moving running
 * statistics: translations, reconstructions, codes.
 * @param fn from [n, ...] to as many results
 * @param options.batchSize samples at once, which bounds the memory. Default 64
 * @throws ShapeError if it makes more or fewer than it is given; RangeError for a batch size
 * @example
 * const translations = await mapSamples((x) => translator.forward(x), metricSamples(set.test, set.shape));
 */
export async function mapSamples(
  fn: (samples: Tensor) => Tensor,
  samples: { readonly data: ArrayLike<number>; readonly shape: readonly number[] },
  options: { readonly batchSize?: number } = {},
): Promise<SampleArray> {
  const { batchSize = 64 } = checked('mapSamples', options, ['batchSize']);
  checkRange('mapSamples', 'batchSize', ranges.count, batchSize);
  const [n = 0, ...shape] = samples.shape;
  const size = sizeOf(shape);
  const values = Float32Array.from(samples.data);
  return inBatches(n, batchSize, (first, many) => {
    const part = tensor(values.subarray(first * size, (first + many) * size), { shape: [many, ...shape] });
    const made = withoutTracking(() => noGrad(() => fn(part)));
    if (made.shape[0] === many) return made;
    throw new ShapeError(`mapSamples: [${made.shape}] was made of ${many} samples`);
  });
}
