/** Tensors of one value in the shape of another, and where it lives. */
import { aValue, op, options } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { withDevice } from '../device.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type CreateOptions, createRanges, full } from './create.ts';

const createOptions = options<CreateOptions>(createRanges);

const filled = (x: Tensor, value: number, given?: CreateOptions): Tensor =>
  withDevice(x.device, () => full(x.shape, value, given));

/**
 * A tensor of one value in the shape of x, on the device of x; nothing of it depends on x. As torch.full_like.
 * @throws UseAfterFreeError if x was freed
 * @function
 */
export const fullLike = op(
  'fullLike',
  [aTensor('x'), aValue('value'), createOptions],
  (x, value, given?: CreateOptions): Tensor => filled(x, value, given),
);

/**
 * Zeros in the shape of x, on the device of x; nothing of it depends on x. As torch.zeros_like.
 * @throws UseAfterFreeError if x was freed
 * @function
 */
export const zerosLike = op(
  'zerosLike',
  [aTensor('x'), createOptions],
  (x, given?: CreateOptions): Tensor => filled(x, 0, given),
);

/**
 * Ones in the shape of x, on the device of x; nothing of it depends on x. As torch.ones_like.
 * @throws UseAfterFreeError if x was freed
 * @function
 */
export const onesLike = op(
  'onesLike',
  [aTensor('x'), createOptions],
  (x, given?: CreateOptions): Tensor => filled(x, 1, given),
);
