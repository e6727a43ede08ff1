import { fileURLToPath } from 'node:url';
import { type Device, withDevice } from '../../engine/index.ts';
import { loadSafetensors } from '../../nn/io/file.node.ts';
import { DigitClassifier } from './digitClassifier.ts';

/** The file of the classifier's weights, beside this file in the sources and in the package. */
export const DIGIT_WEIGHTS = fileURLToPath(new URL('./digitClassifier.safetensors', import.meta.url));

/**
 * The classifier that the metrics of digits use, in evaluation mode. Its weights come with the package;
 * `npm run example:classifier -- --keep` trains and replaces them.
 * @param options.device where it computes; the current device unless given
 * @param options.path of other weights of the same network
 * @throws Error naming the path, if it cannot be read or holds something else
 */
export async function loadDigitClassifier(
  options: { readonly device?: Device; readonly path?: string } = {},
): Promise<DigitClassifier> {
  const { path = DIGIT_WEIGHTS, device } = options;
  const { tensors } = await loadSafetensors(path);
  const make = () => new DigitClassifier();
  const classifier = device ? withDevice(device, make) : make();
  try {
    classifier.loadStateDict(tensors);
  } catch (cause) {
    classifier.dispose();
    throw new Error(`${path}: ${(cause as Error).message}`, { cause });
  }
  return classifier.eval();
}
