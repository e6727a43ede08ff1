import { concat, type Generator, grad, noGrad, scope, type Tensor } from '../engine/index.ts';
import { Adam, EMA, withoutTracking } from '../nn/index.ts';
import type { Networks } from './models/networks.ts';
import { gradientPenalty } from './penalty.ts';

/** Options of {@link WganGp}. */
export interface WganGpOptions {
  /** Weight of the gradient penalty. Default 10. */
  readonly lambda?: number;
  /** Adam's learning rate for the critic. Default 1e-4. */
  readonly criticRate?: number;
  /** Adam's learning rate for the generator. Default 1e-4. */
  readonly generatorRate?: number;
  /** Adam's decay rates. Default [0, 0.9]. */
  readonly betas?: readonly [number, number];
  /** Decay of the average of the generator's weights, from which `sample` draws. Default 0: no average. */
  readonly emaDecay?: number;
}

/** What a critic step measured; scalars on the device. */
export interface CriticReport {
  /** The loss that was minimised: -wasserstein + lambda · penalty. */
  readonly loss: Tensor;
  /** E f(real) - E f(fake): the estimate of the Wasserstein distance, as far as f is 1-Lipschitz. */
  readonly wasserstein: Tensor;
  /** The gradient penalty, not yet multiplied by lambda. */
  readonly penalty: Tensor;
}

/**
 * WGAN-GP (Gulrajani et al. 2017, Algorithm 1), one step at a time. Nothing here waits for the device.
 * @example
 * const rng = new Generator(1);
 * const gan = new WganGp(mnistNetworks(rng), rng);
 * for (let k = 0; k < 5; k++) gan.criticStep(nextBatch());
 * gan.generatorStep(64);
 */
export class WganGp {
  /** What is trained. */
  readonly networks: Networks;
  /** Draws latent codes, and the places where the gradient is penalised. */
  readonly rng: Generator;
  /** Weight of the gradient penalty. */
  readonly lambda: number;
  /** Updates the critic. */
  readonly criticOptimizer: Adam;
  /** Updates the generator. */
  readonly generatorOptimizer: Adam;
  /** The average of the generator's weights, if one was asked for. */
  readonly ema: EMA | undefined;

  /** Makes the optimizers, which take the parameters into their arenas. */
  constructor(networks: Networks, rng: Generator, options: WganGpOptions = {}) {
    const { lambda = 10, criticRate = 1e-4, generatorRate = 1e-4, betas = [0, 0.9], emaDecay = 0 } = options;
    this.networks = networks;
    this.rng = rng;
    this.lambda = lambda;
    this.criticOptimizer = new Adam(networks.critic.parameters(), { lr: criticRate, betas });
    this.generatorOptimizer = new Adam(networks.generator.parameters(), { lr: generatorRate, betas });
    this.ema = emaDecay > 0 ? new EMA(networks.generator.parameters(), emaDecay) : undefined;
  }

  /** One update of the critic on real samples [N, ...], against as many generated ones. */
  criticStep(real: Tensor): CriticReport {
    return scope(() => {
      const { critic, generator } = this.networks;
      const n = real.shape[0]!;
      const fake = noGrad(() => generator.forward(this.latents(n)));
      // Real and generated samples share one pass: the critic has no batch statistics that would mix them.
      const scores = critic
        .forward(concat([real, fake]))
        .reshape([2, n])
        .mean(1);
      const wasserstein = scores
        .slice([[0, 1]])
        .sub(scores.slice([[1, 2]]))
        .sum();
      const penalty = gradientPenalty(critic, real, fake, this.rng);
      const loss = penalty.mul(this.lambda).sub(wasserstein);
      this.criticOptimizer.step(grad(loss, critic.parameters()));
      return { loss: loss.detach(), wasserstein: wasserstein.detach(), penalty: penalty.detach() };
    });
  }

  /** One update of the generator on a batch of n latent codes. @returns its loss, -E f(fake) */
  generatorStep(n: number): Tensor {
    return scope(() => {
      const { critic, generator } = this.networks;
      const loss = critic
        .forward(generator.forward(this.latents(n)))
        .mean()
        .neg();
      this.generatorOptimizer.step(grad(loss, generator.parameters()));
      this.ema?.update();
      return loss.detach();
    });
  }

  /** n standard normal codes, [n, latent]. */
  latents(n: number): Tensor {
    return this.rng.normal([n, this.networks.latent]);
  }

  /** Samples for latent codes, from the averaged generator if there is one, in the batch's own statistics. */
  sample(latents: Tensor): Tensor {
    const draw = () => withoutTracking(() => noGrad(() => scope(() => this.networks.generator.forward(latents))));
    return this.ema ? this.ema.apply(draw) : draw();
  }

  /** Frees optimizers and average. The networks stay. */
  dispose(): void {
    this.criticOptimizer.dispose();
    this.generatorOptimizer.dispose();
    this.ema?.dispose();
  }
}
