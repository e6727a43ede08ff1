import { concat, ShapeError, type Tensor, tensor } from '../../engine/index.ts';
import { Module } from '../../nn/index.ts';
import { type DrawOptions, drawSamples, type SampleArray } from './draw.ts';

/** A generator of codes [N, latent] with the class behind each, [N, latent + 1], for whatever draws from codes alone. */
class Told extends Module<[codes: Tensor]> {
  readonly generator: Module<[codes: Tensor, label: Tensor]>;

  constructor(generator: Module<[codes: Tensor, label: Tensor]>) {
    super();
    this.generator = generator;
  }

  override forward(codes: Tensor): Tensor {
    const latent = codes.shape[1]! - 1;
    const label = codes.slice([[], [latent, latent + 1]]).reshape([codes.shape[0]!]);
    return this.generator.forward(codes.slice([[], [0, latent]]), label);
  }
}

/**
 * Draws the samples of latent codes, each of the class that is asked for, as {@link drawSamples} does without classes.
 * @param generator of codes [N, latent] and classes [N]
 * @param codes [N, latent], N >= 1; kept
 * @param labels the class of each code
 * @throws ShapeError unless there is a label for each code
 */
export async function drawClasses(
  generator: Module<[codes: Tensor, label: Tensor]>,
  codes: Tensor,
  labels: readonly number[],
  options: DrawOptions = {},
): Promise<SampleArray> {
  if (codes.shape[0] !== labels.length) {
    throw new ShapeError(`drawClasses: ${labels.length} labels for codes [${codes.shape}]; there must be one for each`);
  }
  using label = tensor(labels, { shape: [labels.length, 1] });
  using told = concat([codes, label], 1);
  return await drawSamples(new Told(generator), told, options);
}
