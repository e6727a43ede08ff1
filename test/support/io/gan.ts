/** A small WGAN-GP with all that a training run keeps: weights, running statistics, moments, an average, random streams. */

import type { Device } from '../../../engine/device.ts';
import { compile, Rng, type Tensor, tensor, withDevice } from '../../../engine/index.ts';
import { Gan } from '../../../gan/index.ts';
import * as nn from '../../../nn/index.ts';

/** Adds noise from a stream of its own, as a dropout layer has one. */
class Noise extends nn.Module {
  private readonly rng: Rng;

  constructor(rng: Rng) {
    super();
    this.rng = rng;
  }

  override forward(x: Tensor): Tensor {
    return x.add(this.rng.normal(x.shape, { std: 0.1 }));
  }
}

/** Numbers, and the bits of tensors, by name. */
export type Fingerprint = Readonly<Record<string, unknown>>;

/** The names of what is not equal to the last bit. */
export const differences = (a: Fingerprint, b: Fingerprint): string[] =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((k) => JSON.stringify(a[k]) !== JSON.stringify(b[k]));

export interface Run {
  /** What a checkpoint of the run holds. */
  readonly parts: nn.CheckpointParts;
  /** One critic step and one generator step. @param k its number, from which learning rate and batch come */
  step(k: number): void;
  /** Every bit of the run's state, as text. */
  fingerprint(): Promise<Fingerprint>;
  dispose(): void;
}

const hex = ({ buffer }: { readonly buffer: ArrayBuffer }): string =>
  Array.from(new Uint32Array(buffer), (word) => word.toString(16)).join(' ');

/** @param seed of all initial weights and streams: what a checkpoint must replace */
export function startRun(device: Device, mode: 'eager' | 'compiled', seed: number): Run {
  return withDevice(device, () => {
    const rng = new Rng(seed, 1);
    const noise = new Rng(seed, 2);
    const generator = new nn.Sequential(
      new nn.Linear(4, 3 * 3 * 4, { rng, bias: false }),
      new nn.Reshape([3, 3, 4]),
      new nn.BatchNorm2d(4),
      new nn.ReLU(),
      new nn.ConvTranspose2d(4, 1, 4, { stride: 2, padding: 1, rng }),
      new nn.Tanh(),
    );
    const critic = new nn.Sequential(
      new Noise(noise),
      new nn.Conv2d(1, 4, 3, { stride: 2, padding: 1, rng }),
      new nn.LeakyReLU(0.2),
      new Noise(noise),
      new nn.Flatten(),
      new nn.Linear(3 * 3 * 4, 1, { rng }),
    );
    const draws = new Rng(seed, 3);
    const gan = new Gan({ generator, critic, latent: 4 }, draws, {
      criticOptimizer: (p) => new nn.Adam(p, { lr: 1e-4, betas: [0.5, 0.9] }),
      emaDecay: 0.9,
    });
    const { criticOptimizer, generatorOptimizer, ema } = gan;
    const once = (real: Tensor): Tensor => {
      const { loss } = gan.criticStep(real);
      gan.generatorStep(8);
      return loss;
    };
    const step = mode === 'compiled' ? compile(once) : once;
    const parts = { generator, critic, criticOptimizer, generatorOptimizer, ema: ema!, draws };
    return {
      parts,
      step(k) {
        criticOptimizer.lr = 1e-2 / (k + 1);
        withDevice(device, () => {
          const real = tensor(new Rng(k).hostNormal(8 * 36), { shape: [8, 6, 6, 1] });
          step(real).dispose();
          real.dispose();
        });
      },
      async fingerprint() {
        const found: Record<string, unknown> = { draws: draws.stateDict(), noise: noise.stateDict() };
        for (const [name, part] of Object.entries({
          generator,
          critic,
          criticOptimizer,
          generatorOptimizer,
          ema: ema!,
        })) {
          for (const [inner, t] of part.stateDict() as Map<string, Tensor | number>) {
            found[`${name}.${inner}`] = typeof t === 'number' ? t : hex(await t.data());
          }
        }
        return found;
      },
      dispose() {
        if (mode === 'compiled') (step as ReturnType<typeof compile>).dispose();
        gan.dispose();
        generator.dispose();
        critic.dispose();
      },
    };
  });
}
