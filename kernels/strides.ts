import type { Shape } from './kernel.ts';

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i]!;
  }
  return strides;
}

/** Strides with which a tensor of `shape` is read as if it had the shape `to`: 0 along broadcast axes. */
export function broadcastStrides(shape: Shape, to: Shape): number[] {
  const own = stridesOf(shape);
  const pad = to.length - shape.length;
  return to.map((_, i) => (i < pad || shape[i - pad] === 1 ? 0 : own[i - pad]!));
}

/** A loop nest: sizes of the loops, outermost first, and for each operand its stride along each loop. */
export interface Loops {
  readonly sizes: readonly number[];
  readonly strides: readonly (readonly number[])[];
}

/** Merges neighbouring loops that every operand walks as one, and drops loops of size 1. Keeps at least one loop. */
export function collapse({ sizes, strides }: Loops): Loops {
  const outSizes: number[] = [];
  const outStrides: number[][] = strides.map(() => []);
  for (let i = 0; i < sizes.length; i++) {
    const size = sizes[i]!;
    if (size === 1) continue;
    const last = outSizes.length - 1;
    const joins = last >= 0 && strides.every((s, o) => outStrides[o]![last] === s[i]! * size);
    if (joins) {
      outSizes[last]! *= size;
      strides.forEach((s, o) => {
        outStrides[o]![last] = s[i]!;
      });
    } else {
      outSizes.push(size);
      strides.forEach((s, o) => {
        outStrides[o]!.push(s[i]!);
      });
    }
  }
  if (outSizes.length === 0) return { sizes: [1], strides: strides.map(() => [1]) };
  return { sizes: outSizes, strides: outStrides };
}

/** WGSL that takes the flat index `i` apart over loops `d0, d1, ...` of the uniform block into `i0, i1, ...`. */
export function unravel(rank: number): string {
  const lines = ['var rest = i;'];
  for (let d = rank - 1; d > 0; d--) lines.push(`let i${d} = rest % p.d${d}; rest = rest / p.d${d};`);
  lines.push('let i0 = rest;');
  return lines.join('\n  ');
}

/** WGSL of the dot product of `i0, i1, ...` with strides `name0, name1, ...` of the uniform block. */
export const offsetOf = (name: string, rank: number): string =>
  Array.from({ length: rank }, (_, d) => `i${d} * p.${name}${d}`).join(' + ');

/** Uniform block members `name0: u32, name1: u32, ...`. */
export const members = (name: string, rank: number): string =>
  Array.from({ length: rank }, (_, d) => `${name}${d}: u32, `).join('');
