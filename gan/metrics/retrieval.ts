import type { Device } from '../../engine/index.ts';
import { checked } from '../../engine/internal.ts';
import { nearest } from './neighbours.ts';
import { deviceFor } from './read.ts';
import { bothRows, type MetricSamples } from './samples.ts';

/**
 * How often a translated image is told from the true images of all others: the share of samples whose nearest true image is the one at their own
 * place, 0 to 1; higher is better, and 1/N is chance. One that is as near to another true image as to its own is not told. Judge it beside the
 * share of the images that were translated, which is what copying them would reach. It falls as N grows: compare equal N.
 *
 * Near is by Euclidean distance. By L1, which is least for a picture of medians, thus for empty paper, the true characters with the least ink are
 * nearest to many others: of 400 Chinese characters in one hand, 74 fell to the same one of another hand, by Euclidean distance 30.
 *
 * Source: recall at 1, as in Jégou et al., "Product quantization for nearest neighbor search", IEEE TPAMI 2011, section V; on such hubs
 * Radovanović et al., "Hubs in space", JMLR 2010.
 * @param samples [N, ...] with N at least 2
 * @param truth in the shape of `samples`, each the truth of the sample at its place
 * @throws RangeError for lists of different lengths, samples that do not fit, or values that are not finite
 */
export async function retrieval(
  samples: MetricSamples,
  truth: MetricSamples,
  options: { readonly device?: Device } = {},
): Promise<number> {
  const device = deviceFor(checked('retrieval', options, ['device']).device);
  const [a, b] = bothRows('retrieval', samples, truth, 2);
  if (a.count !== b.count) throw new RangeError(`retrieval: ${a.count} samples and ${b.count} true ones are no pairs`);
  const { indices, distances } = await nearest(a, b, 2, device);
  let told = 0;
  for (let i = 0; i < a.count; i++) if (indices[2 * i] === i && distances[2 * i]! < distances[2 * i + 1]!) told++;
  return told / a.count;
}
