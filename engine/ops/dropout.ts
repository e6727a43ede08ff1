import { aNumber, kind, op } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { Rng } from '../rng.ts';
import { scope } from '../tensor/scope.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { affine, mul } from './elementwise.ts';

const anRng = kind<Rng>('generator', 'an Rng', (v) => v instanceof Rng);

/**
 * Inverted dropout (Srivastava et al. 2014), as in training: each element becomes 0 with probability p, and the others grow
 * by 1/(1-p), so that the mean stays. The numbers come from `generator`; there is no hidden stream. In evaluation, don't call it.
 * @returns a tensor of the shape of x; with p = 1 all zeros
 * @throws RangeError unless 0 <= p <= 1
 * @function
 */
export const dropout = op('dropout', [aTensor('x'), aNumber('p'), anRng], (x, p, generator): Tensor => {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`dropout: p must be from 0 to 1, not ${p}`);
  return scope(() => mul(x, affine(generator.bernoulli(x.shape, 1 - p), p === 1 ? 0 : 1 / (1 - p), 0)));
});
