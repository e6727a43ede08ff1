import { bothRows, type MetricSamples } from './samples.ts';

/**
 * How far translated images are from what they should be: the mean absolute difference of their pixels, as a share of the range from -1 to 1.
 * 0 where they are equal, 1 where each has black for white; lower is better. Judge it beside the distance of the images that were translated,
 * which is what copying them would reach. It takes blurred images for better than sharp ones that are off by a pixel.
 *
 * Source: the L1 distance of Isola et al., "Image-to-image translation with conditional adversarial networks", CVPR 2017, section 3.1.
 * @param samples images [N, ...] in [-1, 1]
 * @param truth in the shape of `samples`, each the truth of the sample at its place
 * @throws RangeError for lists of different lengths, samples that do not fit, or values that are not finite
 */
export function distanceToTruth(samples: MetricSamples, truth: MetricSamples): number {
  const [a, b] = bothRows('distanceToTruth', samples, truth);
  if (a.count !== b.count)
    throw new RangeError(`distanceToTruth: ${a.count} samples and ${b.count} true ones are no pairs`);
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += Math.abs(a.data[i]! - b.data[i]!);
  return sum / a.data.length / 2;
}
