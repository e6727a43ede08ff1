import { type Generator, grad, type Tensor } from '../engine/index.ts';
import type { Module } from '../nn/index.ts';

/**
 * The gradient penalty of WGAN-GP (Gulrajani et al. 2017, eq. 3): E[(‖∇f(x̂)‖₂ - 1)²] with x̂ uniform on the line
 * between a real and a generated sample. Two-sided; not yet multiplied by lambda.
 * @param real [N, ...]; no gradient flows into it
 * @param fake generated samples in the shape of `real`; no gradient flows into them
 * @param rng draws the places on the lines, one for each sample
 * @returns a scalar that can be differentiated with respect to the critic's parameters
 * @example
 * const penalty = gradientPenalty(critic, real, fake, rng).mul(10);
 * const loss = critic.forward(fake).mean().sub(critic.forward(real).mean()).add(penalty);
 */
export function gradientPenalty(critic: Module, real: Tensor, fake: Tensor, rng: Generator): Tensor {
  const alpha = rng.uniform([real.shape[0]!, ...real.shape.slice(1).map(() => 1)]);
  const xHat = fake
    .add(alpha.mul(real.sub(fake)))
    .detach()
    .requireGrad()
    .named('x̂');
  const [slope] = grad(critic.forward(xHat).sum(), [xHat], { createGraph: true });
  const axes = xHat.shape.slice(1).map((_, i) => i + 1);
  // The norm has no derivative at 0; a critic that is flat somewhere must not poison all weights with NaN.
  const norm = slope!.square().sum(axes).add(1e-12).sqrt();
  return norm.sub(1).square().mean();
}
