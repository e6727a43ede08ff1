/** A small convolutional critic and WGAN-GP's loss, written by hand as in the design: for tests of the whole engine. */
import { conv2d, grad, leakyRelu, matmul, type Shape, type Tensor, tensor } from '../../engine/index.ts';
import { valuesFor } from './values.ts';

const SHAPES: Readonly<Record<string, Shape>> = {
  w1: [4, 4, 1, 4],
  b1: [4],
  w2: [4, 4, 4, 6],
  b2: [6],
  w3: [24, 1],
};

/** Fixed parameters for images [N, 8, 8, 1], on the current device. */
export const criticParameters = (): Tensor[] =>
  Object.entries(SHAPES).map(([label, shape], i) =>
    tensor(valuesFor({ shape, from: -0.4, to: 0.4 }, 20 + i), { shape, requiresGrad: true, label }),
  );

/** Scores [N, 1]: two strided convolutions with leaky ReLU, and a linear map. */
export function critic(x: Tensor, [w1, b1, w2, b2, w3]: readonly Tensor[]): Tensor {
  const h = leakyRelu(conv2d(x, w1!, { stride: 2, padding: 1 }).add(b1!), 0.2);
  const k = leakyRelu(conv2d(h, w2!, { stride: 2, padding: 1 }).add(b2!), 0.2);
  return matmul(k.reshape([x.shape[0]!, -1]), w3!);
}

/** E[(‖∂D/∂x̂‖ - 1)²] on the lines between real and fake images. */
export function penalty(real: Tensor, fake: Tensor, alpha: Tensor, parameters: readonly Tensor[]): Tensor {
  const xHat = real
    .mul(alpha)
    .add(fake.mul(alpha.neg().add(1)))
    .detach()
    .requireGrad();
  const [slope] = grad(critic(xHat, parameters).sum(), [xHat], { createGraph: true });
  return slope!.square().sum([1, 2, 3]).sqrt().sub(1).square().mean();
}

/** The critic's loss: E[D(fake)] - E[D(real)] + 10 · penalty. */
export function criticLoss(real: Tensor, fake: Tensor, alpha: Tensor, parameters: readonly Tensor[]): Tensor {
  const distance = critic(fake, parameters).mean().sub(critic(real, parameters).mean());
  return distance.add(penalty(real, fake, alpha, parameters).mul(10));
}

/** Fixed images and weights of the interpolation: real, fake, alpha. */
export const criticBatch = (n = 3): [Tensor, Tensor, Tensor] => {
  const draw = (shape: Shape, from: number, to: number, seed: number) =>
    tensor(valuesFor({ shape, from, to }, seed), { shape });
  return [draw([n, 8, 8, 1], -1, 1, 30), draw([n, 8, 8, 1], -1, 1, 31), draw([n, 1, 1, 1], 0, 1, 32)];
};
