import { compile, grad, type Rng, ShapeError, scope, type Tensor, tensor } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { Adam, Parameter } from '../../nn/index.ts';
import { type LatentGenerator, type SampleArray, withStatistics } from './draw.ts';

/** Options of {@link invertSamples}. */
export interface InvertOptions {
  /** Length of a latent code. */
  readonly latent: number;
  /** Draws the codes from which the search starts. */
  readonly rng: Rng;
  /** Steps of Adam. Default 200. */
  readonly steps?: number;
  /** Adam's learning rate, which falls to 0 along a cosine. Default 0.1. */
  readonly lr?: number;
  /** Searches for each sample from different codes, of which the best counts. Default 4. */
  readonly restarts?: number;
  /** Weight of |z|² / latent in the loss, which holds codes where the generator was trained. Default 0. */
  readonly prior?: number;
  /**
   * What is compared, from samples [B, ...] to features [B, ...]: of each sample by itself, so a module in evaluation mode. The
   * samples' own numbers unless given.
   */
  readonly features?: (samples: Tensor) => Tensor;
}

/** What {@link invertSamples} found. */
export interface Inversion {
  /** The codes, [N, latent]; the caller frees them. */
  readonly codes: Tensor;
  /** Mean squared error of each sample's reconstruction, in what is compared, without the prior; [N]. */
  readonly errors: Float64Array;
}

/**
 * Finds for each sample the latent code whose sample is nearest to it, by Adam on the code: reconstruction as in Lipton
 * and Tripathi 2017 and in Creswell and Bharath 2018. What a generator cannot reconstruct, it never draws. The generator
 * normalises by its running statistics (see {@link standingStatistics}), so that samples do not see each other. Its
 * parameters stay as they are.
 *
 * @param samples [N, ...] as the networks see them; N · restarts codes are searched at once
 * @throws ShapeError if the generator's samples have another shape; RangeError for a number out of range
 */
export async function invertSamples(
  generator: LatentGenerator,
  samples: SampleArray,
  options: InvertOptions,
): Promise<Inversion> {
  const names = ['latent', 'rng', 'steps', 'lr', 'restarts', 'prior', 'features'] as const;
  const { latent, rng, steps = 200, lr = 0.1, restarts = 4, prior = 0, features } = checked(OP, options, names);
  for (const [name, value] of Object.entries({ latent, steps, restarts })) checkRange(OP, name, ranges.count, value);
  checkRange(OP, 'lr', ranges.positive, lr);
  checkRange(OP, 'prior', ranges.notNegative, prior);
  const n = samples.shape[0] ?? 0;
  if (samples.shape.length < 2 || n < 1)
    throw new ShapeError(`${OP}: the samples must be [N, ...], not [${samples.shape}]`);

  const compared = (x: Tensor): Tensor => {
    const y = features ? features(x) : x;
    return y.reshape([x.shape[0]!, y.size / x.shape[0]!]);
  };
  const wanted = scope(() => {
    const x = tensor(samples.data, { shape: samples.shape });
    // Search r of sample i is row r · n + i.
    return compared(x).detach().tile([restarts, 1]);
  });
  const codes = new Parameter(rng.normal([n * restarts, latent]), 'codes');
  const adam = new Adam([codes], { lr });
  /** The mean squared error of each search, [N · restarts]. */
  const errorsOf = (z: Tensor): Tensor => {
    const made = withStatistics(generator, 'running', () => generator.forward(z));
    if (String(made.shape.slice(1)) !== String(samples.shape.slice(1))) {
      throw new ShapeError(`${OP}: the generator makes [${made.shape}], not samples like [${samples.shape}]`);
    }
    return compared(made).sub(wanted).square().mean(1);
  };
  const step = compile(() => {
    // A sum: each code's gradient is that of its own search.
    const loss = errorsOf(codes).add(codes.square().mean(1).mul(prior)).sum();
    adam.step(grad(loss, [codes]));
  });
  try {
    for (let k = 0; k < steps; k++) {
      adam.lr = (lr * (1 + Math.cos((Math.PI * k) / steps))) / 2;
      step();
    }
    const found = await scope(() => errorsOf(codes).detach().data());
    const best = Array.from({ length: n }, (_, i) => {
      const rows = Array.from({ length: restarts }, (_, r) => r * n + i);
      return rows.reduce((least, row) => (found[row]! < found[least]! ? row : least));
    });
    return {
      codes: scope(() => codes.detach().indexSelect(best)),
      errors: Float64Array.from(best, (row) => found[row]!),
    };
  } finally {
    step.dispose();
    adam.dispose();
    for (const t of [codes, wanted]) t.dispose();
  }
}

const OP = 'invertSamples';
