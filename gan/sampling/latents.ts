import { type Rng, ShapeError, scope, type Tensor, withDevice, zeros } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';

/** @throws ShapeError unless `codes` is [N, latent] with at least `least` rows */
export function needCodes(op: string, codes: Tensor, least = 1): void {
  if (codes.rank === 2 && codes.shape[0]! >= least && codes.shape[1]! >= 1) return;
  const rows = least > 1 ? ` of ${least} or more` : '';
  throw new ShapeError(`${op}: the codes must be [N, latent]${rows}, not [${codes.shape}]`);
}

/**
 * n latent codes [n, latent] from the truncated normal distribution: each number is standard normal given that it is within
 * ±psi, as if those beyond were drawn again. A small psi trades variety for quality, as far as the generator was
 * trained on the plain normal distribution: the truncation trick of BigGAN (Brock et al. 2019, section 3.1).
 *
 * @param psi the bound, above 0, in standard deviations; BigGAN shows 2, 1, 0.5 and 0.04
 * @throws RangeError unless psi is a finite number above 0
 */
export function truncatedLatents(rng: Rng, n: number, latent: number, psi: number): Tensor {
  checkRange('truncatedLatents', 'psi', ranges.positive, psi);
  return rng.truncatedNormal([n, latent], { low: -psi, high: psi });
}

/** n latent codes [n, latent], standard normal or, given psi, {@link truncatedLatents}. */
export const codesOf = (rng: Rng, n: number, latent: number, psi?: number): Tensor =>
  psi === undefined ? rng.normal([n, latent]) : truncatedLatents(rng, n, latent, psi);

/** Options of {@link towardsMean}. */
export interface TowardsMeanOptions {
  /**
   * Share of the distance from the mean that is kept: 1 changes nothing, 0 gives the mean, below 0 the opposite side. Any
   * finite number.
   */
  readonly psi: number;
  /** The mean code, [latent]. Default zeros, the mean of normal codes. For a mapping network's output give {@link meanLatent} of many. */
  readonly mean?: Tensor;
}

/**
 * Codes moved towards their mean: mean + psi (code - mean), StyleGAN's truncation trick (Karras et al. 2019, appendix B), there
 * on the output w of the mapping network. Differentiable.
 *
 * @param codes [N, latent]
 * @throws RangeError unless psi is a finite number; ShapeError for codes or a mean of another shape
 */
export function towardsMean(codes: Tensor, options: TowardsMeanOptions): Tensor {
  const { psi, mean } = checked('towardsMean', options, ['psi', 'mean']);
  needCodes('towardsMean', codes);
  checkRange('towardsMean', 'psi', ranges.finite, psi);
  const latent = codes.shape[1]!;
  if (mean && !(mean.rank === 1 && mean.shape[0] === latent)) {
    throw new ShapeError(`towardsMean: the mean must be [${latent}] for codes [${codes.shape}], not [${mean.shape}]`);
  }
  return scope(() => {
    const centre = mean ?? withDevice(codes.device, () => zeros([latent]));
    return codes.sub(centre).mul(psi).add(centre);
  });
}

/**
 * The mean [latent] of some codes: of samples that share what is wanted, picked by eye (Radford et al. 2016 take three).
 * Differentiable.
 *
 * @param codes [N, latent]
 * @param indices which rows; all unless given. A row may count more than once.
 * @throws ShapeError for codes of another shape; RangeError for no index, or one that is not a row
 */
export function meanLatent(codes: Tensor, indices?: readonly number[]): Tensor {
  needCodes('meanLatent', codes);
  if (!indices) return codes.mean(0);
  return scope(() => codesAt('meanLatent', codes, indices).mean(0));
}

/** The rows of `codes` with these numbers, [indices, latent]. @throws RangeError for no index, or one that is not a row */
export function codesAt(op: string, codes: Tensor, indices: readonly number[]): Tensor {
  const n = codes.shape[0]!;
  if (indices.length === 0) throw new RangeError(`${op}: no index given`);
  const wrong = indices.find((i) => !(Number.isInteger(i) && i >= 0 && i < n));
  if (wrong !== undefined) throw new RangeError(`${op}: there is no code ${wrong}; there are 0 to ${n - 1}`);
  return codes.indexSelect(indices);
}

/**
 * Arithmetic of concepts, a - b + c: "smiling woman - neutral woman + neutral man" gives a smiling man (Radford et al.
 * 2016, Fig. 7). Differentiable.
 *
 * @param a codes [..., latent], or means of some (see {@link meanLatent})
 * @param b what is taken away; broadcasts
 * @param c what is put in its place; broadcasts
 * @throws ShapeError unless the three have the same latent length and broadcast
 */
export function analogy(a: Tensor, b: Tensor, c: Tensor): Tensor {
  const lengths = [a, b, c].map((t) => t.shape.at(-1));
  if (new Set(lengths).size !== 1 || lengths[0] === undefined) {
    throw new ShapeError(`analogy: codes of one length are needed, not [${a.shape}] - [${b.shape}] + [${c.shape}]`);
  }
  return scope(() => a.sub(b).add(c));
}
