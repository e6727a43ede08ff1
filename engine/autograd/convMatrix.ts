import { numbers, op } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { type Conv2dOptions, conv2d, conv2dOptions } from '../ops/conv.ts';
import { reshape, transpose } from '../ops/movement.ts';
import { scope } from '../tensor/scope.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';

/**
 * The matrix U of a convolution: conv2d(x, w) flattened is U times x flattened, and convTranspose2d is Uᵀ.
 * @param w [KH,KW,Cin/groups,Cout]
 * @param inputSize [H, W] of the image, or [H, W, Cin]; Cin is taken from w unless there are groups
 * @returns [OH·OW·Cout, H·W·Cin], dense: for lessons and tests of small sizes
 * @throws ShapeError as `conv2d`
 * @function
 */
export const convMatrix = op(
  'convMatrix',
  [aTensor('w'), numbers('inputSize', '[28, 28]'), conv2dOptions],
  (w: Tensor, inputSize: readonly number[], options: Conv2dOptions = {}): Tensor => {
    const [h = 1, wd = 1, cin = w.shape[2]! * (options.groups ?? 1)] = inputSize;
    const n = h * wd * cin;
    return scope(() => {
      // Column i of U is what the convolution makes of the image that is 1 at place i.
      const eye = new Float32Array(n * n);
      for (let i = 0; i < n; i++) eye[i * (n + 1)] = 1;
      const columns = conv2d(tensor(eye, { shape: [n, h, wd, cin], device: w.device }), w, options);
      return transpose(reshape(columns, [n, columns.size / n]));
    });
  },
);
