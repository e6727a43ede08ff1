/** Bounds on gradients and weights. Nothing is read back, so that all of it may be compiled. */
import {
  concat,
  div,
  isFinite as isFiniteNumber,
  minimum,
  norm,
  scope,
  type Tensor,
  where,
} from '../../engine/index.ts';
import { calls, checked, checkRange, clampInPlace, ranges } from '../../engine/internal.ts';
import type { Parameter } from '../module/parameter.ts';
import { Arena } from './arena.ts';
import { changed } from './gradients.ts';

/** What {@link clipGradNorm} returns. */
export interface ClippedGradients {
  /** The scaled gradients, in the order of those given. */
  readonly gradients: Tensor[];
  /** The norm that they had, a scalar. */
  readonly totalNorm: Tensor;
}

/**
 * Scales gradients down, all by the same factor, if their norm as one vector is above `maxNorm`: the factor is
 * min(1, maxNorm / (norm + 1e-6)). As torch.nn.utils.clip_grad_norm_: given parameters, it puts the scaled gradients into their
 * `.grad`, and passes over those that have none. The norm of gradients of any size is right, also where the sum of their squares
 * would overflow. A norm that is NaN or infinite makes NaN of what is not 0: PyTorch makes 0 of the finite gradients beside an
 * infinite one, and so loses the update without a word.
 * @param gradients as `grad` returns them; or parameters, for what `backward` left in their `.grad`
 * @param options.normType p of the p-norm, also Infinity. Default 2
 * @throws RangeError unless maxNorm is 0 or more
 * @throws Error for no gradients; GradError if no parameter has one in `.grad`
 * @example
 * const { gradients, totalNorm } = clipGradNorm(grad(loss, parameters), 1);
 * optimizer.step(gradients);
 * @example
 * loss.backward();
 * clipGradNorm(model.parameters(), 1);
 * optimizer.step();
 */
export function clipGradNorm(
  gradients: readonly Tensor[],
  maxNorm: number,
  options: { readonly normType?: number } = {},
): ClippedGradients {
  calls.checkArguments(
    'clipGradNorm',
    [calls.tensors('the gradients'), calls.within('maxNorm', ranges.number), calls.maybe(calls.something('options'))],
    arguments,
  );
  const { normType = 2 } = checked('clipGradNorm', options, ['normType']);
  checkRange('clipGradNorm', 'maxNorm', ranges.notNegative, maxNorm);
  if (gradients.length === 0) throw new Error('clipGradNorm: no gradients given');
  return changed('clipGradNorm', gradients, (given) => scope(() => scaled(given, maxNorm, normType)));
}

/** What {@link clipGradNorm} makes of gradients. */
function scaled(gradients: readonly Tensor[], maxNorm: number, normType: number): ClippedGradients {
  const totalNorm = norm(concat(gradients.map((g) => g.reshape([g.size]))), normType);
  const finite = isFiniteNumber(totalNorm);
  // Of a very large norm the factor is a number that adapters take for 0; then it is applied in two parts.
  const down = where(totalNorm.greater(2 ** 100), where(finite, 2 ** -64, 1), 1);
  const rest = minimum(div(maxNorm, totalNorm.add(1e-6).mul(down)), div(1, down));
  const factor = where(finite, rest, Number.NaN);
  return { gradients: gradients.map((g) => where(g, g.mul(down).mul(factor), 0)), totalNorm };
}

/**
 * The gradients with each element limited to ±clipValue. As torch.nn.utils.clip_grad_value_: given parameters, it puts them into
 * their `.grad`, and passes over those that have none.
 * @param gradients as `grad` returns them; or parameters, for what `backward` left in their `.grad`
 * @throws RangeError unless clipValue is 0 or more; GradError if no parameter has a gradient in `.grad`
 */
export function clipGradValue(gradients: readonly Tensor[], clipValue: number): Tensor[] {
  calls.checkArguments(
    'clipGradValue',
    [calls.tensors('the gradients'), calls.within('clipValue', ranges.number)],
    arguments,
  );
  checkRange('clipGradValue', 'clipValue', ranges.notNegative, clipValue);
  const clip = (given: readonly Tensor[]) => ({ gradients: given.map((g) => g.clamp(-clipValue, clipValue)) });
  return changed('clipGradValue', gradients, clip).gradients;
}

/**
 * Limits each weight to ±bound, in place: how the first WGAN kept its critic Lipschitz (Arjovsky et al. 2017, Algorithm 1, with
 * bound 0.01). All parameters of an optimizer's group take one launch.
 * @throws RangeError unless bound is 0 or more
 */
export function clipWeights(parameters: readonly Parameter[], bound: number): void {
  calls.checkArguments(
    'clipWeights',
    [calls.aList('parameters', '[a, b]'), calls.within('bound', ranges.number)],
    arguments,
  );
  checkRange('clipWeights', 'bound', ranges.notNegative, bound);
  const wanted = new Set(parameters);
  const targets = [...wanted].map((p) => {
    const arena = Arena.holding(p);
    return arena?.parameters.every((q) => wanted.has(q)) ? arena.flat : p;
  });
  for (const t of new Set<Tensor>(targets)) clampInPlace(t, -bound, bound);
}
