/** What a float64 loop is, and the walks that loops share. */
import type { Listed, Row } from '../autograd/row.ts';
import { type Shape, sizeOf } from '../tensor/shape.ts';

export type Numbers = Float64Array<ArrayBuffer>;

/** What a loop works on; outputs come zeroed. */
export interface LoopContext<P, N extends number = number, M extends number = number> {
  readonly inputs: Listed<Numbers, N>;
  readonly inputShapes: Listed<Shape, N>;
  readonly outputs: Listed<Numbers, M>;
  readonly outputShapes: Listed<Shape, M>;
  readonly params: P;
}

export type Loop<P, N extends number = number, M extends number = number> = (context: LoopContext<P, N, M>) => void;

type LoopOf<R> = R extends Row<infer P, infer N, infer M> ? Loop<P, N, M> : never;

/** A loop for each row of a family: a row without one does not compile. */
export type LoopsOf<Rows> = { readonly [K in keyof Rows]: LoopOf<Rows[K]> };

/** Calls `visit` with the flat offsets of each operand for every index of a loop nest, the last loop fastest. */
export function walk(sizes: Shape, strides: readonly (readonly number[])[], visit: (at: number[]) => void): void {
  const at = strides.map(() => 0);
  const index = sizes.map(() => 0);
  for (let n = sizeOf(sizes); n > 0; n--) {
    visit(at);
    for (let d = sizes.length - 1; d >= 0; d--) {
      strides.forEach((s, o) => {
        at[o]! += s[d]!;
      });
      if (++index[d]! < sizes[d]!) break;
      strides.forEach((s, o) => {
        at[o]! -= s[d]! * sizes[d]!;
      });
      index[d] = 0;
    }
  }
}

/** Copies along a walk; see kernels/copy.ts. */
export function copyWalk(
  x: Numbers,
  y: Numbers,
  sizes: Shape,
  from: readonly number[],
  to: readonly number[],
  fromOffset = 0,
  toOffset = 0,
): void {
  walk(sizes, [from, to], ([p, q]) => {
    y[toOffset + q!] = x[fromOffset + p!]!;
  });
}

export const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((n, v, i) => n + v * b[i]!, 0);
