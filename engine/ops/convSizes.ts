/** Sizes and paddings of convolutions over any number of axes. */
import { ShapeError } from '../errors.ts';
import { show } from '../tensor/shape.ts';

/** Stride and dilation of a convolution, a number for each axis, and the zeros before and behind each. */
interface Steps {
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** @throws ShapeError unless stride, dilation and groups are whole numbers, 1 or more */
export function checkSteps(op: string, values: readonly number[]): void {
  const bad = values.find((v) => !Number.isInteger(v) || v < 1);
  if (bad !== undefined)
    throw new ShapeError(`${op}: stride, dilation and groups must be whole numbers, 1 or more, not ${bad}`);
}

/** @throws ShapeError unless paddings are whole numbers, 0 or more */
export function checkPadding(op: string, padding: readonly number[]): void {
  if (!padding.every((p) => Number.isInteger(p) && p >= 0))
    throw new ShapeError(`${op}: padding must be whole numbers, 0 or more, 'same' or 'valid', not ${show(padding)}`);
}

/** The zeros that padding 'same' puts around an axis in all: the output has ceil(size / stride) places then. */
export const samePadding = (size: number, kernel: number, stride: number, dilation: number): number =>
  Math.max(0, (Math.ceil(size / stride) - 1) * stride + dilation * (kernel - 1) + 1 - size);

/**
 * The size of a convolution's output, axis by axis.
 * @throws ShapeError where the kernel reaches further than the padded image
 */
export const outputSize = (op: string, image: readonly number[], kernel: readonly number[], p: Steps): number[] =>
  image.map((size, i) => {
    const padded = size + p.before[i]! + p.after[i]!;
    const reach = p.dilation[i]! * (kernel[i]! - 1) + 1;
    if (reach > padded) {
      throw new ShapeError(
        `${op}: the kernel reaches over ${reach} places of an axis that has ${padded} with padding (image ${show(image)}, kernel ${show(kernel)})`,
      );
    }
    return Math.floor((padded - reach) / p.stride[i]!) + 1;
  });

/** @throws ShapeError unless groups divide the channels */
export function splits(op: string, channels: number, groups: number): void {
  if (channels % groups !== 0)
    throw new ShapeError(
      `${op}: ${channels} channels do not split into ${groups} groups; choose groups that divide them`,
    );
}
