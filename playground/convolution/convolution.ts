/** A convolution as the panel asks for it and as the worker answers: plain data. */

/** A convolution of one channel. */
export interface Convolution {
  /** The side of the image x. */
  readonly size: number;
  /** The side of the kernel u. */
  readonly kernel: number;
  /** How far the kernel moves at a time. */
  readonly stride: number;
  /** Zeros around the image. */
  readonly padding: number;
  /** The image, row by row. */
  readonly x: readonly number[];
  /** The kernel, row by row. */
  readonly u: readonly number[];
  /** What the transposed convolution takes, row by row: as large as the convolution's result. */
  readonly z: readonly number[];
}

/** A convolution with its matrix and results, row by row. */
export interface Convolved {
  readonly asked: Convolution;
  /** The side of the result. */
  readonly out: number;
  /** U, of out² rows and size² columns. */
  readonly matrix: readonly number[];
  /** U v(x), of out² values. */
  readonly forward: readonly number[];
  /** Uᵀ v(z), of size² values. */
  readonly transposed: readonly number[];
  /** The gradient by x of the sum of z times the convolution of x. */
  readonly gradientOfForward: readonly number[];
  /** The gradient by z of the sum of x times the transposed convolution of z. */
  readonly gradientOfTransposed: readonly number[];
}

/** The side of a convolution's result; below 1 if the kernel does not fit. */
export const outSize = ({ size, kernel, stride, padding }: Omit<Convolution, 'x' | 'u' | 'z'>): number =>
  Math.floor((size + 2 * padding - kernel) / stride) + 1;

/** A list of another length: the same values, then small whole numbers. */
const filled = (values: readonly number[], length: number): readonly number[] =>
  Array.from({ length }, (_, i) => values[i] ?? (i * 3) % 5);

/** A convolution with other sizes, whose tables have as many values as they need; as it was if the kernel would not fit. */
export function resized(from: Convolution, to: Partial<Convolution>): Convolution {
  const next = { ...from, ...to };
  const out = outSize(next);
  if (out < 1) return from;
  return {
    ...next,
    x: filled(next.x, next.size ** 2),
    u: filled(next.u, next.kernel ** 2),
    z: filled(next.z, out ** 2),
  };
}
