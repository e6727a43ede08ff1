import { guarded, options } from '../arguments/arguments.ts';
import { aTensor, tensorRange } from '../arguments/kinds.ts';
import { flag } from '../arguments/ranges.ts';
import { GradError } from '../errors.ts';
import { add } from '../ops/elementwise.ts';
import { methods } from '../tensor/methods.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { grad } from './grad.ts';
import { type Node, noGrad } from './node.ts';

/** Options of {@link backward}. */
export interface BackwardOptions {
  /** The cotangent of y; needed if y is not a scalar. */
  readonly gradOutput?: Tensor | undefined;
  /** Leave the graph usable for another backward pass. Default false. */
  readonly retainGraph?: boolean | undefined;
}

const backwardOptions = options<BackwardOptions>({ gradOutput: tensorRange, retainGraph: flag });

/**
 * Adds the gradient of y to `.grad` of every leaf behind it that requires one, as PyTorch's `backward`. The gradients live
 * until `zeroGrad()` of the leaf, of its module or of its optimizer, whose `step()` takes them. Also inside a compiled step. For a
 * gradient that is to be differentiated again, use {@link grad}.
 * @example
 * loss.backward();
 * optimizer.step();
 * optimizer.zeroGrad();
 * @throws GradError if y is not a scalar and there is no gradOutput, or if the graph was already used
 * @function
 */
export const backward = guarded(
  'backward',
  [aTensor('y'), backwardOptions],
  (y: Tensor, options: BackwardOptions = {}): void => {
    const { gradOutput, retainGraph = false } = options;
    if (!gradOutput && y.size !== 1) {
      throw new GradError(
        `backward: ${y.describe()} is not a scalar; reduce it (sum, mean), or pass its cotangent: backward({ gradOutput })`,
      );
    }
    const leaves = leavesOf(y);
    if (leaves.length === 0) {
      throw new GradError(
        `backward: ${y.describe()} depends on no tensor that requires a gradient; call requireGrad() on one`,
      );
    }
    const gradients = grad(y, leaves, { gradOutputs: [gradOutput], retainGraph });
    leaves.forEach((x, i) => {
      const g = gradients[i]!;
      const before = x.grad;
      x.grad = before ? noGrad(() => add(before, g)) : g;
      if (before) g.dispose();
    });
  },
);

/** The leaves that require a gradient, in the order in which the tape meets them. */
function leavesOf(y: Tensor): Tensor[] {
  const leaves = new Set<Tensor>();
  const seen = new Set<Node>();
  const stack: Tensor[] = [y];
  while (stack.length > 0) {
    const t = stack.pop()!;
    if (!t.node) {
      if (t.requiresGrad) leaves.add(t);
    } else if (!seen.has(t.node)) {
      seen.add(t.node);
      for (const input of t.node.inputs) stack.push(input);
    }
  }
  return [...leaves];
}

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** Adds the gradient of this tensor to `.grad` of every leaf behind it. */
    backward(options?: BackwardOptions): void;
  }
}

methods({ backward });
