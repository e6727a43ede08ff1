import type { Shape } from '../../engine/index.ts';
import { sizeOf } from '../../engine/tensor/shape.ts';

/** A tensor for a test: its shape, and the range from which its values are drawn. */
export interface Input {
  readonly shape: Shape;
  /** Default -2 and 2. */
  readonly from?: number;
  readonly to?: number;
  /** How far every value stays from 0: for functions with a kink there. */
  readonly away?: number;
}

/** Numbers in [0, 1) that are the same in every run (Mulberry32). */
export function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Values for an input, exact in float32, so that both devices start from the same numbers. */
export function valuesFor({ shape, from = -2, to = 2, away = 0 }: Input, seed: number): Float64Array<ArrayBuffer> {
  const next = numbers(seed * 7919 + 1);
  return Float64Array.from({ length: sizeOf(shape) }, () => {
    const v = from + (to - from) * next();
    return Math.fround(v < 0 ? Math.min(v, -away) : Math.max(v, away));
  });
}

/** The largest |a - b| in units of the scale of b: its largest magnitude, but not less than `floor`. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>, floor = 0.1): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let scale = floor;
  let worst = 0;
  for (let i = 0; i < b.length; i++) {
    scale = Math.max(scale, Math.abs(b[i]!));
    const d = Math.abs(a[i]! - b[i]!);
    if (!(d <= worst)) worst = Number.isNaN(d) ? Number.POSITIVE_INFINITY : d;
  }
  return worst / scale;
}
