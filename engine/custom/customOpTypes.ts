import type { Plan, Target } from '../../kernels/kernel.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** What the rules of a custom op see of the call. */
export interface CustomOpContext {
  /** The inputs of the call. */
  readonly inputs: readonly Tensor[];
  /** The result of the call. */
  readonly output: Tensor;
  /** What `forward` saved beside its result. */
  readonly saved: readonly Tensor[];
}

/** A result, and tensors worked out on the way that the rules want to use again. */
export interface SavedResult {
  /** The result. */
  readonly y: Tensor;
  /** The tensors that rules find in their context. */
  readonly saved: readonly Tensor[];
}

/** WGSL of one's own for a custom op's forward pass. */
export interface CustomKernel {
  /** The shape of the output; throw a ShapeError for inputs that do not fit. */
  readonly shape: (...inputs: Shape[]) => Shape;
  /** The shapes of the saved tensors, if `forward` saves any. */
  readonly saved?: (...inputs: Shape[]) => readonly Shape[];
  /**
   * The launches. Buffers are numbered: the inputs, then the output, then the saved tensors, then the plan's `temps`.
   * Binding 0 of each shader is its uniform block of `params`, one for each word; its storage buffers follow in the order of
   * `args`. A plan is checked before anything is launched: inputs may only be read, and each output must be written.
   */
  readonly plan: (context: { inputs: readonly Shape[]; output: Shape; target: Target }) => Plan;
}

/** An op of the user's own. Without `vjp` and `jvp` the derivative of `forward` is taken. */
export interface CustomOp {
  /** Shown on the tape and in errors. */
  readonly name: string;
  /**
   * How many inputs it takes, or 'any'. Default: as many as `vjp` has rules, or else `forward` has parameters; any number where
   * these are taken as a list (`(...xs) => `).
   */
  readonly inputs?: number | 'any';
  /**
   * The function, written in ops: what the reference device runs, and what WebGPU runs unless there is a kernel. Gradients
   * flow to its inputs only, not to tensors it captures.
   */
  readonly forward: (...inputs: Tensor[]) => Tensor | SavedResult;
  /**
   * The vector-Jacobian product for each input, written in ops: the cotangent g of the output in, that of the input out (in
   * the shape of the input, or of the output where the input was broadcast to it). null where the derivative is zero. Rules may be differentiated in turn: `output` and `saved` are functions of the inputs.
   */
  readonly vjp?: readonly (((g: Tensor, context: CustomOpContext) => Tensor) | null)[];
  /**
   * The Jacobian-vector product, written in ops and linear in the tangents, one for each input. `jvp` uses it; without a
   * `vjp`, its transpose is the vjp.
   */
  readonly jvp?: (tangents: readonly Tensor[], context: CustomOpContext) => Tensor;
  /** A kernel for WebGPU. `gradcheck` tests the rules, and `kernelcheck` that the kernel gives what `forward` does. */
  readonly kernel?: CustomKernel;
}
