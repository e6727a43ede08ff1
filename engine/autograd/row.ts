import type { Elementwise } from '../../kernels/functions.ts';
import type { Plan, Target } from '../../kernels/kernel.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A list of N things, or of any number where N is not known. */
export type Listed<T, N extends number> = 0 extends 1 & N // any: rows side by side
  ? // biome-ignore lint/suspicious/noExplicitAny: what is done with any row is done with any list
    any
  : N extends 1
    ? readonly [T]
    : N extends 2
      ? readonly [T, T]
      : N extends 3
        ? readonly [T, T, T]
        : N extends 4
          ? readonly [T, T, T, T]
          : N extends 5
            ? readonly [T, T, T, T, T]
            : readonly T[];

/** What a derivative rule sees of the op that ran. */
export interface RuleContext<P, N extends number = number, M extends number = number> {
  readonly inputs: Listed<Tensor, N>;
  /** The first output; most ops have one. */
  readonly output: Tensor;
  readonly outputs: Listed<Tensor, M>;
  /** Cotangents of the outputs; `undefined` where nothing depends on that output. */
  readonly gs: Listed<Tensor | undefined, M>;
  readonly params: P;
  /** Which inputs a gradient is wanted for. */
  readonly needs: Listed<boolean, N>;
}

/**
 * The vector-Jacobian product with respect to one input: the cotangent `g` of the output in, the cotangent of the input
 * out, written in ops. A result in the output's shape is summed over broadcast axes by the engine.
 */
export type Rule<P, N extends number = number, M extends number = number> = (
  g: Tensor,
  context: RuleContext<P, N, M>,
) => Tensor;

/** All inputs at once, for rules that share work. `undefined` instead of the list: differentiate the composition. */
export type JointRule<P, N extends number = number, M extends number = number> = (
  g: Tensor | undefined,
  context: RuleContext<P, N, M>,
) => readonly (Tensor | null)[] | undefined;

/** What a kernel's launch plan is made from. */
export interface PlanContext<P, N extends number = number, M extends number = number> {
  readonly inputs: Listed<Shape, N>;
  readonly outputs: Listed<Shape, M>;
  readonly params: P;
  readonly target: Target;
}

/** One row of the op table: all that the engine knows of an op with params P, of N inputs and M outputs. */
export interface Row<P, N extends number = number, M extends number = number> {
  readonly name: string;
  /** What the tape calls it, if not by its name: `mul` of a number is a row of `affine`. */
  readonly called?: string;
  /** The shapes of the outputs, or a ShapeError that names the op, the shapes, the rule and the remedy. */
  readonly shape: (inputs: Listed<Shape, N>, params: P) => Listed<Shape, M>;
  /** The function of an elementwise row, from which a compiled step makes chains. */
  readonly elementwise?: (params: P) => { readonly e: Elementwise; readonly scalars: readonly number[] };
  /** How WebGPU runs it. */
  readonly kernel?: (context: PlanContext<P, N, M>) => Plan;
  /**
   * One rule for each input (`null`: the derivative is zero), or one for all of them.
   * A row without `vjp` but with a `composite` is differentiated through its composition.
   */
  readonly vjp?: Listed<Rule<P, N, M> | null, N> | JointRule<P, N, M>;
  /**
   * Tangents of the inputs (undefined: zero) to those of the outputs, written in ops. Rows need none: forward mode transposes
   * the vjp.
   */
  readonly jvp?: (
    tangents: Listed<Tensor | undefined, N>,
    context: Pick<RuleContext<P, N, M>, 'inputs' | 'outputs' | 'params'>,
  ) => readonly (Tensor | undefined)[];
  /** The same function written in other ops: what a fused row equals, and how the reference device runs it. */
  readonly composite?: (inputs: Listed<Tensor, N>, params: P) => Tensor[];
  /** The output is the input's memory under another shape. */
  readonly view?: true;
  /** How many leading inputs are overwritten in place. Such a row has no outputs and no derivative. */
  readonly mutates?: number;
  /** The params as the tape prints them; nothing if absent. */
  readonly show?: (params: P) => string;
}

// biome-ignore lint/suspicious/noExplicitAny: rows differ in their params, and a node stores them side by side
export type AnyRow = Row<any, any, any>;

/** What users call a row. */
export const nameOf = ({ called, name }: Pick<AnyRow, 'called' | 'name'>): string => called ?? name;
