/**
 * Linear ops on images whose outputs are weighted sums of windows: average pooling and resizing, with their adjoints.
 */
import { resample } from '../../kernels/resample.ts';
import type { WindowAxis, WindowKind, Windows } from '../../kernels/window.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { ShapeError } from '../errors.ts';
import { type Shape, show } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

export type { WindowAxis, WindowKind, Windows };

export interface WindowParams extends Windows {
  readonly kind: WindowKind;
}

/** @throws ShapeError unless x is [N,H,W,C] */
export function needImages(op: string, x: Shape): void {
  if (x.length !== 4) throw new ShapeError(`${op}: x must be [N,H,W,C], not ${show(x)}; reshape it`);
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** a and b in lowest terms. */
const reduced = (a: number, b: number): [number, number] => {
  const common = gcd(a, b) || 1;
  return [a / common, b / common];
};

function checkAxis(op: string, axis: WindowAxis): WindowAxis {
  const { size, out, a, b, c } = axis;
  if (size < 1 || out < 1) throw new ShapeError(`${op}: cannot make ${out} places of ${size}; both must be 1 or more`);
  if ((Math.max(size, out) + 2) * Math.max(a, Math.abs(b), c) > 2 ** 31 - 1) {
    throw new ShapeError(
      `${op}: ${size} and ${out} places are too many for a ratio of ${a}/${b}; choose rounder sizes`,
    );
  }
  return axis;
}

/** The axis of an adaptive pooling or a resizing from `size` to `out` places; see kernels/window.ts. */
export function ratioAxis(op: string, kind: WindowKind, size: number, out: number, alignCorners = false): WindowAxis {
  const rest = { size, out, c: 0, d: 0, e: 1 };
  if (kind !== 'linear') {
    const [a, b] = reduced(size, out);
    return checkAxis(op, { ...rest, a, b });
  }
  if (alignCorners) {
    const [a, c] = out > 1 ? reduced(size - 1, out - 1) : [0, 1];
    return checkAxis(op, { ...rest, a, b: 0, c });
  }
  const [a, b] = reduced(size, out);
  return checkAxis(op, { ...rest, a: 2 * a, b: a - b, c: 2 * b });
}

interface Pair {
  readonly forward: Row<WindowParams>;
  readonly adjoint: Row<WindowParams>;
}

const showWindows = ({ h, w }: WindowParams): string => `${show([h.size, w.size])} to ${show([h.out, w.out])}`;

/** A row and its adjoint: both are linear, so each is the other's derivative. */
function pair(name: string): Pair {
  const make = (own: string, transposed: boolean, other: () => Row<WindowParams>): Row<WindowParams> => ({
    name: own,
    shape: ([x], { h, w }) => {
      needImages(own, x!);
      const [from, to] = transposed ? (['out', 'size'] as const) : (['size', 'out'] as const);
      if (x![1] !== h[from] || x![2] !== w[from]) {
        throw new ShapeError(`${own}: x is ${show(x!)}, not of the size ${show([h[from], w[from]])} of its windows`);
      }
      return [[x![0]!, h[to], w[to], x![3]!]];
    },
    kernel: ({ inputs: [x], params }) => resample(params.kind, params, x![0]!, x![3]!, transposed),
    vjp: [(g, { params }) => apply(other(), [g], params)[0]!],
    show: showWindows,
  });
  const forward: Row<WindowParams> = make(name, false, () => adjoint);
  const adjoint: Row<WindowParams> = make(`${name}Adjoint`, true, () => forward);
  return { forward, adjoint };
}

const avg = pair('avgPool2d');
const adaptive = pair('adaptiveAvgPool2d');
const nearest = pair('resizeNearest');
const bilinear = pair('resizeBilinear');

/** Runs one of the rows below. */
export const runWindows = (row: Row<WindowParams>, x: Tensor, params: WindowParams): Tensor =>
  apply(row, [x], params)[0]!;

/** The rows of this file, by name. */
export const resampleRows = {
  avgPool2d: avg.forward,
  avgPool2dAdjoint: avg.adjoint,
  adaptiveAvgPool2d: adaptive.forward,
  adaptiveAvgPool2dAdjoint: adaptive.adjoint,
  resizeNearest: nearest.forward,
  resizeNearestAdjoint: nearest.adjoint,
  resizeBilinear: bilinear.forward,
  resizeBilinearAdjoint: bilinear.adjoint,
};
