import type { Elementwise } from '../../kernels/functions.ts';
import type { Plan, Target } from '../../kernels/kernel.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** What a derivative rule sees of the op that ran. */
export interface RuleContext<P> {
  readonly inputs: readonly Tensor[];
  /** The first output; most ops have one. */
  readonly output: Tensor;
  readonly outputs: readonly Tensor[];
  /** Cotangents of the outputs; `undefined` where nothing depends on that output. */
  readonly gs: readonly (Tensor | undefined)[];
  readonly params: P;
  /** Which inputs a gradient is wanted for. */
  readonly needs: readonly boolean[];
}

/**
 * The vector-Jacobian product with respect to one input: the cotangent `g` of the output in, the cotangent of the input
 * out, written in ops. A result in the output's shape is summed over broadcast axes by the engine.
 */
export type Rule<P> = (g: Tensor, context: RuleContext<P>) => Tensor;

/** All inputs at once, for rules that share work. `undefined` instead of the list: differentiate the composition. */
export type JointRule<P> = (g: Tensor | undefined, context: RuleContext<P>) => (Tensor | null)[] | undefined;

/** What a kernel's launch plan is made from. */
export interface PlanContext<P> {
  readonly inputs: readonly Shape[];
  readonly outputs: readonly Shape[];
  readonly params: P;
  readonly target: Target;
}

/** One row of the op table: all that the engine knows of an op. */
export interface Row<P> {
  readonly name: string;
  /** What the tape calls it, if not by its name: `mul` of a number is a row of `affine`. */
  readonly called?: string;
  /** The shapes of the outputs, or a ShapeError that names the op, the shapes, the rule and the remedy. */
  readonly shape: (inputs: readonly Shape[], params: P) => readonly Shape[];
  /** The function of an elementwise row, from which a compiled step makes chains. */
  readonly elementwise?: (params: P) => { readonly e: Elementwise; readonly scalars: readonly number[] };
  /** How WebGPU runs it. */
  readonly kernel?: (context: PlanContext<P>) => Plan;
  /**
   * One rule for each input (`null`: the derivative is zero), or one for all of them.
   * A row without `vjp` but with a `composite` is differentiated through its composition.
   */
  readonly vjp?: readonly (Rule<P> | null)[] | JointRule<P>;
  /**
   * Tangents of the inputs (undefined: zero) to those of the outputs, written in ops. Rows need none: forward mode transposes
   * the vjp.
   */
  readonly jvp?: (
    tangents: readonly (Tensor | undefined)[],
    context: Pick<RuleContext<P>, 'inputs' | 'outputs' | 'params'>,
  ) => readonly (Tensor | undefined)[];
  /** The same function written in other ops: what a fused row equals, and how the reference device runs it. */
  readonly composite?: (inputs: readonly Tensor[], params: P) => Tensor[];
  /** The output is the input's memory under another shape. */
  readonly view?: true;
  /** How many leading inputs are overwritten in place. Such a row has no outputs and no derivative. */
  readonly mutates?: number;
  /** The params as the tape prints them; nothing if absent. */
  readonly show?: (params: P) => string;
}

// biome-ignore lint/suspicious/noExplicitAny: rows differ in their params, and a node stores them side by side
export type AnyRow = Row<any>;

/** What users call a row. */
export const nameOf = ({ called, name }: Pick<AnyRow, 'called' | 'name'>): string => called ?? name;
