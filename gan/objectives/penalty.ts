import { grad, type Rng, type Tensor } from '../../engine/index.ts';

/** A critic as penalties see it: a module, or any function of samples alone, such as one that holds the class of each fast. */
export interface CriticFunction {
  /** Logits of samples [N, ...]: [N, 1], or [N, ...]. */
  forward(x: Tensor): Tensor;
}

/**
 * ‖∇f(x)‖₂ for each sample, [N]: how steep the critic is there. Differentiable with respect to the critic's parameters. Of several
 * outputs for a sample, as a critic of patches has, it is the gradient of their sum.
 *
 * A critic that mixes the samples of a batch (batch norm) has no gradient at one sample: what comes out then is that of the sum of all
 * its outputs.
 * @param critic a module, or what closes over a condition: `{ forward: (x) => critic.forward(x, label) }`
 * @param x samples [N, ...]; no gradient flows into them
 */
export function gradientNorms(critic: CriticFunction, x: Tensor): Tensor {
  return squaredNorms(critic, x).add(1e-12).sqrt(); // no derivative at 0: a flat critic must not make weights NaN
}

/** ‖∇f(x)‖₂² for each sample, [N]; see {@link gradientNorms}. */
function squaredNorms(critic: CriticFunction, x: Tensor): Tensor {
  const at = x.detach().requireGrad().named('x̂');
  const [gradient] = grad(critic.forward(at).sum(), [at], { createGraph: true });
  const axes = x.shape.slice(1).map((_, i) => i + 1);
  return gradient!.square().sum(axes);
}

/** Which gradient norms {@link gradientPenalty} punishes. */
export interface GradientPenaltyOptions {
  /** Only those above 1, as Petzka et al. 2018 propose (WGAN-LP). Default false: those on both sides of 1. */
  readonly oneSided?: boolean;
}

/**
 * The gradient penalty of WGAN-GP (Gulrajani et al. 2017, eq. 3): E[(‖∇f(x̂)‖₂ - 1)²] with x̂ uniform on the line
 * between a real and a generated sample. Not yet multiplied by lambda.
 * @param critic a module, or what closes over a condition
 * @param real [N, ...]; no gradient flows into it
 * @param fake generated samples in the shape of `real`; no gradient flows into them
 * @param rng draws the places on the lines, one for each sample
 * @returns a scalar that can be differentiated with respect to the critic's parameters
 * @example
 * const penalty = gradientPenalty(critic, real, fake, rng).mul(10);
 * const loss = critic.forward(fake).mean().sub(critic.forward(real).mean()).add(penalty);
 */
export function gradientPenalty(
  critic: CriticFunction,
  real: Tensor,
  fake: Tensor,
  rng: Rng,
  { oneSided = false }: GradientPenaltyOptions = {},
): Tensor {
  const alpha = rng.uniform([real.shape[0]!, ...real.shape.slice(1).map(() => 1)]);
  return penalised(critic, fake.add(alpha.mul(real.sub(fake))), oneSided);
}

/** E[(‖∇f(x)‖₂ - 1)²], or that of max(0, ‖∇f(x)‖₂ - 1). */
function penalised(critic: CriticFunction, x: Tensor, oneSided: boolean): Tensor {
  const excess = gradientNorms(critic, x).sub(1);
  return (oneSided ? excess.relu() : excess).square().mean();
}

/**
 * E ‖∇f(x)‖² over the samples: the zero-centred penalty of Roth et al. 2017 and Mescheder et al. 2018, who call it R1 at real samples
 * and R2 at generated ones, and weight it with γ / 2.
 * @param x samples [N, ...]
 */
export const zeroCentredPenalty = (critic: CriticFunction, x: Tensor): Tensor => squaredNorms(critic, x).mean();

/**
 * The penalty of DRAGAN (Kodali et al. 2017), as in its authors' code: E[(‖∇f(x)‖₂ - 1)²] between real samples and what is near
 * them, x = real + α · u · s / 2, with α uniform in [0, 1) for each sample, u uniform in [0, 1) for each number, and s the standard
 * deviation of all numbers of the batch. (The paper's algorithm writes normal noise in place of α · u · s / 2.)
 * @param real [N, ...]
 */
export function draganPenalty(critic: CriticFunction, real: Tensor, rng: Rng): Tensor {
  const spread = real.sub(real.mean()).square().mean().sqrt();
  const alpha = rng.uniform([real.shape[0]!, ...real.shape.slice(1).map(() => 1)]);
  return penalised(critic, real.add(rng.uniform(real.shape).mul(spread.mul(0.5)).mul(alpha)), false);
}
