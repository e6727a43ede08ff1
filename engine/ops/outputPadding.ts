/** Transposed convolutions whose output goes on past what their input reaches. */
import { ShapeError } from '../errors.ts';
import { show } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { unslice } from './movement.ts';

/**
 * The images y of a transposed convolution, and what is left of outputPadding: past a stride it makes room for outputs that the
 * convolution has a place of y for. There are zeros behind y, then.
 * @throws ShapeError unless it is less than the stride or the dilation, as in PyTorch
 */
export function extended(
  op: string,
  y: Tensor,
  extra: readonly number[],
  { stride, dilation }: { readonly stride: readonly number[]; readonly dilation: readonly number[] },
): { readonly y: Tensor; readonly extra: number[] } {
  const odd = extra.findIndex((e, i) => !(Number.isInteger(e) && e >= 0 && e < Math.max(stride[i]!, dilation[i]!)));
  if (odd >= 0 || extra.length !== stride.length) {
    throw new ShapeError(
      `${op}: outputPadding ${show(extra)} must be whole numbers, 0 or more, each less than the stride ${show(stride)} or the dilation ${show(dilation)} of its axis`,
    );
  }
  const more = extra.map((e, i) => Math.floor(e / stride[i]!));
  if (more.every((m) => m === 0) || y.rank !== extra.length + 2) return { y, extra: [...extra] };
  const shape = y.shape.map((d, axis) => d + (more[axis - 1] ?? 0));
  const window = { begin: shape.map(() => 0), size: y.shape, step: shape.map(() => 1) };
  return { y: unslice(y, shape, window), extra: extra.map((e, i) => e - more[i]! * stride[i]!) };
}
