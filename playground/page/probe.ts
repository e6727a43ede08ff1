import type { Look } from '../trial/look.ts';

/** What a field says at a place. */
export interface Reading {
  readonly value: number;
  /** σ of the value: of a discriminator, how sure it is of a real sample. */
  readonly sigmoid: number;
  readonly slope: number;
}

/** Reads the critic's field at a place: linear between the points of its grid. */
export function readPlane({ field, frame }: Look, [x, y]: readonly [number, number]): Reading | undefined {
  if (!field) return undefined;
  const { side, values, gradients } = field;
  const { middle, reach } = frame;
  const place = (v: number, axis: 0 | 1): readonly [number, number] => {
    const at = Math.max(0, Math.min(side - 1.000001, ((v - middle[axis] + reach) / (2 * reach)) * (side - 1)));
    return [Math.floor(at), at - Math.floor(at)];
  };
  const [[i, a], [j, b]] = [place(x, 0), place(y, 1)];
  const between = (of: (point: number) => number): number => {
    const row = (r: number): number => of(r * side + i) * (1 - a) + of(r * side + i + 1) * a;
    return row(j) * (1 - b) + row(j + 1) * b;
  };
  const value = between((p) => values[p]!);
  return {
    value,
    sigmoid: 1 / (1 + Math.exp(-value)),
    slope: between((p) => Math.hypot(gradients[2 * p]!, gradients[2 * p + 1]!)),
  };
}
