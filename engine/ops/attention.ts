/** Scaled dot-product attention. */

import { causal as causalPlan } from '../../kernels/heads.ts';
import { apply } from '../apply.ts';
import { ShapeError } from '../errors.ts';
import { noGrad } from '../node.ts';
import { checked } from '../options.ts';
import type { Row } from '../row.ts';
import { scope } from '../scope.ts';
import { show, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { add, affine } from './elementwise.ts';
import { matmul } from './matmul.ts';
import { softmax } from './softmax.ts';

/** Finite, so that no kernel meets an infinity, and far below any score: its exponential is 0. */
const NEVER = -1e30;

const causalRow: Row<{ readonly value: number }> = {
  name: 'causal',
  shape: ([x]) => {
    if (x!.length < 2) throw new ShapeError(`causal: ${show(x!)} has no matrix in its last two axes`);
    return [x!];
  },
  kernel: ({ inputs: [x], params: { value } }) => {
    const [q, k] = x!.slice(-2) as [number, number];
    return causalPlan(sizeOf(x!.slice(0, -2)), q, k, value);
  },
  vjp: [(g) => causal(g, 0)],
  show: ({ value }) => `${value}`,
};

/** x [..., Q, K] with `value` above the diagonal of the last two axes, where a query would see a later key. */
export const causal = (x: Tensor, value = NEVER): Tensor => apply(causalRow, [x], { value })[0]!;

/** Options of {@link scaledDotProductAttention}. */
export interface AttentionOptions {
  /** Which keys a query may see: 1 and 0, broadcasting against [..., Q, K]. No gradient flows into it. */
  readonly mask?: Tensor;
  /** Added to the scaled scores; broadcasts against [..., Q, K]. (PyTorch takes it for attn_mask too.) */
  readonly bias?: Tensor;
  /** Query i sees the keys 0 to i. Default false. */
  readonly causal?: boolean;
  /** Default 1/√d. */
  readonly scale?: number;
}

/**
 * softmax(q kᵀ · scale) v (Vaswani et al. 2017): q [..., Q, D], k [..., K, D] and v [..., K, E] give [..., Q, E]; leading
 * axes (batch, heads) broadcast. A query that the mask lets see no key attends to all of them evenly, where PyTorch gives NaN.
 * @throws ShapeError if the sizes D or K differ, or an operand has fewer than two axes
 */
export function scaledDotProductAttention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  checked('scaledDotProductAttention', options, ['mask', 'bias', 'causal', 'scale']);
  const [d, dk] = [q, k].map((t) => t.shape[t.rank - 1]);
  const [n, nv] = [k, v].map((t) => t.shape[t.rank - 2]);
  if (q.rank < 2 || d !== dk || n === undefined || n !== nv) {
    throw new ShapeError(
      `scaledDotProductAttention: q ${show(q.shape)}, k ${show(k.shape)} and v ${show(v.shape)} must be [...,Q,D], [...,K,D] and [...,K,E]`,
    );
  }
  const { mask, bias, scale = 1 / Math.sqrt(d!) } = options;
  return scope(() => {
    let scores = matmul(affine(q, scale, 0), k, { transposeB: true });
    if (bias) scores = add(scores, bias);
    if (mask) {
      // 0 where the mask is 1, exactly; a score is lost in what is added elsewhere.
      const blocked = noGrad(() => affine(mask, -NEVER, NEVER));
      scores = add(scores, blocked);
    }
    return matmul(softmax(options.causal ? causal(scores) : scores), v);
  });
}

/** The rows of this file, by name. */
export const attentionRows = { causal: causalRow };
