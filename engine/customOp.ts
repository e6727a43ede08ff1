import type { Plan, Target } from '../kernels/kernel.ts';
import { apply } from './apply.ts';
import type { Row, Rule } from './row.ts';
import type { Shape } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** An op of the user's own. */
export interface CustomOp {
  /** Shown on the tape and in errors. */
  readonly name: string;
  /** The function, written in ops: what the reference device runs, and what WebGPU runs unless there is a kernel. */
  readonly forward: (...inputs: Tensor[]) => Tensor;
  /**
   * For each input the vector-Jacobian product, written in ops, or null where the derivative is zero. Without it the
   * derivative of `forward` is taken.
   */
  readonly vjp?: readonly (Rule<unknown> | null)[];
  /** WGSL of one's own for the forward pass: the shape of the output, and the launches (kernels/kernel.ts). */
  readonly kernel?: {
    readonly shape: (...inputs: Shape[]) => Shape;
    readonly plan: (context: { inputs: readonly Shape[]; output: Shape; target: Target }) => Plan;
  };
}

/**
 * Makes an op with a derivative rule, and if wanted a kernel, of one's own. Check it with `gradcheck` and `gradgradcheck`.
 * @example
 * const cube = customOp({ name: 'cube', forward: (x) => x.mul(x).mul(x), vjp: [(g, { inputs: [x] }) => g.mul(x.square()).mul(3)] });
 */
export function customOp({ name, forward, vjp, kernel }: CustomOp): (...inputs: Tensor[]) => Tensor {
  const row: Row<undefined> = {
    name,
    // Without a kernel the composition runs, and its result has the shape.
    shape: (inputs) => (kernel ? [kernel.shape(...inputs)] : []),
    composite: (inputs) => [forward(...inputs)],
    ...(vjp ? { vjp } : {}),
    ...(kernel
      ? { kernel: ({ inputs, outputs, target }) => kernel.plan({ inputs, output: outputs[0]!, target }) }
      : {}),
  };
  return (...inputs) => apply(row, inputs, undefined)[0]!;
}
