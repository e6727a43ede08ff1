import { type Shape, sizeOf } from '../../kernels/kernel.ts';
import { checkAxes, checkedList, checkedNumber } from '../arguments/options.ts';
import { ShapeError } from '../errors.ts';

export { broadcastStrides, stridesOf } from '../../kernels/strides.ts';
export { type Shape, sizeOf };

/** `[2,3]`, as shapes are written in errors and on the tape. */
export const show = (shape: Shape): string => `[${shape.join(',')}]`;

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

/** NumPy's rule: align at the right; axes are equal, or one of them is 1. */
export function broadcastShapes(op: string, ...shapes: readonly Shape[]): Shape {
  const rank = shapes.reduce((most, s) => Math.max(most, s.length), 0);
  const out = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    const pad = rank - shape.length;
    for (let i = 0; i < shape.length; i++) {
      const d = shape[i]!;
      if (d === 1 || d === out[pad + i]) continue;
      if (out[pad + i] !== 1) {
        throw new ShapeError(
          `${op}: shapes ${shapes.map(show).join(' and ')} do not broadcast: axis ${pad + i} is ${out[pad + i]} in one and ${d} in another; sizes must be equal, or 1`,
        );
      }
      out[pad + i] = d;
    }
  }
  return out;
}

/** Checks axes, resolves negative ones, and sorts them. `undefined` means all axes. */
export function normalizeAxes(op: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  checkAxes(op, axes);
  const list = (typeof axes === 'number' ? [axes] : [...axes]).map((a) => normalizeAxis(op, a, rank));
  if (new Set(list).size !== list.length) throw new ShapeError(`${op}: axes ${show(list)} name an axis twice`);
  return list.sort((a, b) => a - b);
}

export function normalizeAxis(op: string, axis: number, rank: number): number {
  checkedNumber(`x.${op}`, 'the axis', axis);
  const a = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || a < 0 || a >= rank) {
    throw new ShapeError(`${op}: axis ${axis} is out of range for a tensor of ${rank} axes (${-rank} to ${rank - 1})`);
  }
  return a;
}

/** The shape after reducing `axes` (normalised), keeping them as 1 or dropping them. */
export const reducedShape = (shape: Shape, axes: readonly number[], keepDims: boolean): Shape =>
  keepDims ? shape.map((d, i) => (axes.includes(i) ? 1 : d)) : shape.filter((_, i) => !axes.includes(i));

/** Checks that a shape is a list of whole numbers >= 0. */
export function checkShape(op: string, shape: Shape): void {
  checkedList(op, 'the shape', shape, '[2, 3]');
  for (const d of shape) {
    if (!Number.isInteger(d) || d < 0) {
      throw new ShapeError(`${op}: ${show(shape)} is not a shape: every size must be a whole number, 0 or more`);
    }
  }
}
