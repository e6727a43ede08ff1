/** Elementwise functions as data: alone, in chains, and at the end of other kernels. */

/** An elementwise function: what it computes, in WGSL that is valid for T = f32 and T = vec4f alike. */
export interface Elementwise {
  readonly name: string;
  /**
   * An expression in `a`, `b`, `c` (the inputs, of type T) and `p.s0`, `p.s1` (float parameters). It may call `isnan_(x)`,
   * and `bits_(word)` for a value given by its bits.
   */
  readonly expr: string;
  readonly arity: number;
  /** WGSL functions that the expression calls. */
  readonly prelude?: string;
}

/** One function of a chain or an epilogue. */
export interface Link {
  readonly e: Elementwise;
  /** What each operand of `e` is: an input of the chain (or epilogue), or past those the result of an earlier link. */
  readonly operands: readonly number[];
  /** Values of `p.s0`, `p.s1`. */
  readonly scalars: readonly number[];
}

/** How an operand lies beside the output: element by element, as one row (the last axis) for all rows, or as one number. */
export type OperandKind = 'whole' | 'row' | 'scalar';

/** What is applied to the values of a kernel's output. */
export interface Epilogue {
  /** The functions in order. Their operands count the kernel's own value as 0, then `operands`, then the results of earlier links. */
  readonly links: readonly Link[];
  readonly operands: readonly OperandKind[];
  /** Which values are stored, counted likewise: 0 or results of links. At least one. */
  readonly outputs: readonly number[];
  /** Elements of the output's last axis. */
  readonly row: number;
  /** Tells epilogues apart, up to their scalars. */
  readonly key: string;
}
