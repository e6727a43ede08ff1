/** Rearranging numbers on the host. */
import { sizeOf } from '../../engine/index.ts';
import type { ElementArray } from './dtypes.ts';

/** The elements of an array of this shape with its axes in another order: axis i of the result is axis `axes[i]`. */
export function permuted(data: ElementArray, shape: readonly number[], axes: readonly number[]): ElementArray {
  const strides = shape.map((_, i) => sizeOf(shape.slice(i + 1)));
  return pick(
    data,
    axes.map((a) => shape[a]!),
    axes.map((a) => strides[a]!),
  );
}

/**
 * The elements with one axis, which runs over flattened images, in another order.
 * @param image the image's shape with its channels last
 * @param channels where the result has them; the data has them at the other end
 */
export function reordered(
  data: ElementArray,
  shape: readonly number[],
  axis: number,
  image: readonly number[],
  channels: 'first' | 'last',
): ElementArray {
  const [outer, inner] = [shape.slice(0, axis), shape.slice(axis + 1)];
  const [space, c] = [image.slice(0, -1), image.at(-1)!];
  const now = channels === 'first' ? [...space, c] : [c, ...space];
  const at = outer.length;
  const within = now.map((_, i) => i);
  const moved = channels === 'first' ? [within.length - 1, ...within.slice(0, -1)] : [...within.slice(1), 0];
  const full = [...outer, ...now, ...inner];
  const axes = full.map((_, i) => (i >= at && i < at + now.length ? at + moved[i - at]! : i));
  return permuted(data, full, axes);
}

/** Copies elements in row-major order of `sizes`, a step of `strides[i]` along axis i. */
function pick(data: ElementArray, sizes: readonly number[], strides: readonly number[]): ElementArray {
  const out = data.slice();
  const index = sizes.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = data[from]!;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      index[axis]!++;
      if (index[axis]! < sizes[axis]!) break;
      from -= strides[axis]! * sizes[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}
