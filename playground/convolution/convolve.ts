/**
 * A convolution as the matrix U, its transpose, and the gradients of both: what the convolution panel shows.
 * @module
 */
import { conv2d, convMatrix, convTranspose2d, grad, scope, type Tensor, tensor } from '../../engine/index.ts';
import type { Convolution, Convolved } from './convolution.ts';
import { outSize } from './convolution.ts';

/** Computes all that the panel shows of a convolution. @throws ShapeError if the kernel does not fit */
export async function convolve(asked: Convolution): Promise<Convolved> {
  const { size, kernel, stride, padding, x, u, z } = asked;
  const out = outSize(asked);
  const reads = scope(() => {
    const image = tensor(x, { shape: [1, size, size, 1], requiresGrad: true });
    const small = tensor(z, { shape: [1, out, out, 1], requiresGrad: true });
    const w = tensor(u, { shape: [kernel, kernel, 1, 1] });
    const options = { stride, padding };
    const U = convMatrix(w, [size, size], options);
    const forward = U.matmul(image.reshape([size * size, 1]));
    const transposed = U.transpose().matmul(small.reshape([out * out, 1]));
    // Each is linear, so that its gradient, weighted with z or x, is the other.
    const y = conv2d(image, w, options);
    const outputPadding = (size + 2 * padding - kernel) % stride;
    const back = convTranspose2d(small, w, { ...options, outputPadding });
    const [ofForward] = grad(y.mul(small.detach()).sum(), [image]);
    const [ofTransposed] = grad(back.mul(image.detach()).sum(), [small]);
    return [U, forward, transposed, ofForward!, ofTransposed!].map(async (t: Tensor) => [...(await t.data())]);
  });
  const [matrix, forward, transposed, gradientOfForward, gradientOfTransposed] = await Promise.all(reads);
  return {
    asked,
    out,
    matrix: matrix!,
    forward: forward!,
    transposed: transposed!,
    gradientOfForward: gradientOfForward!,
    gradientOfTransposed: gradientOfTransposed!,
  };
}
