/** Scaled dot-product attention. */

import { causal as causalPlan } from '../../kernels/heads.ts';
import { op, options } from '../arguments/arguments.ts';
import { aTensor, tensorRange } from '../arguments/kinds.ts';
import { flag, number } from '../arguments/ranges.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { ShapeError } from '../errors.ts';
import { scope } from '../tensor/scope.ts';
import { broadcastShapes, type Shape, show, sizeOf } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { mask as maskOf } from './comparison.ts';
import { row, type Scalars } from './define.ts';
import { add, affine } from './elementwise.ts';
import { matmul } from './matmul.ts';
import { softmax, softmaxOrZero } from './softmax.ts';

/**
 * The score of a key that a query must not see, the only one with that meaning: it adds to any bias without becoming another
 * number, and no finite score, however low, is taken for it.
 */
const NEVER = Number.NEGATIVE_INFINITY;

const causalRow: Row<{ readonly value: number }, 1, 1> = {
  name: 'causal',
  shape: ([x]) => {
    if (x.length < 2) throw new ShapeError(`causal: ${show(x)} has no matrix in its last two axes`);
    return [x];
  },
  kernel: ({ inputs: [x], params: { value } }) => {
    const [q, k] = x.slice(-2) as [number, number];
    return causalPlan(sizeOf(x.slice(0, -2)), q, k, value);
  },
  vjp: [(g) => causal(g, 0)],
  show: ({ value }) => `${value}`,
};

/** x [..., Q, K] with `value` above the diagonal of the last two axes, where a query would see a later key. */
export const causal = (x: Tensor, value = NEVER): Tensor => apply(causalRow, [x], { value })[0];

// By their bits: NaN is neither 0 nor 1, whatever a driver makes of a comparison with it.
const HIDE = /* wgsl */ `fn hide_(x: T, m: T) -> T {
  let one = bitcast<U>(m) == U(0x3f800000u);
  let zero = (bitcast<U>(m) & U(0x7fffffffu)) == U(0u);
  return select(select(bits_(0x7fc00000u), bits_(0xff800000u), zero), x, one);
}`;

const hideRow: Row<Scalars, 2, 1> = row(
  'hide',
  2,
  'hide_(a, b)',
  [(g, { inputs: [, seen] }) => maskOf(g, seen, true), null],
  { prelude: HIDE },
);

/** x where `seen` is 1, -Infinity where it is 0, and NaN where it is neither. */
export const hide = (x: Tensor, seen: Tensor): Tensor => apply(hideRow, [x, seen], {})[0];

/** Options of {@link attentionWeights}. */
export interface AttentionWeightsOptions {
  /**
   * Which keys a query may see: 1 and 0, broadcasting against [..., Q, K]. Any other number in it makes NaN of the weights of
   * its query. No gradient flows into it.
   */
  readonly mask?: Tensor;
  /**
   * Added to the scores; broadcasts against [..., Q, K]. (PyTorch takes it for attn_mask too.) -Infinity forbids a key; finite
   * numbers do not, however low.
   */
  readonly bias?: Tensor;
  /** Query i sees the keys 0 to i. Default false. */
  readonly causal?: boolean;
}

const attentionWeightsOptions = options<AttentionWeightsOptions>({
  mask: tensorRange,
  bias: tensorRange,
  causal: flag,
});

/** Options of {@link scaledDotProductAttention}. */
export interface AttentionOptions extends AttentionWeightsOptions {
  /** Default 1/√d. */
  readonly scale?: number;
}

const attentionOptions = options<AttentionOptions>({
  mask: tensorRange,
  bias: tensorRange,
  causal: flag,
  scale: number,
});

/** Masks and biases may have more leading axes than the scores, but are not allowed to make other queries or keys. */
function checkAgainst(op: string, scores: Shape, named: Readonly<Record<string, Tensor | undefined>>): void {
  for (const [name, t] of Object.entries(named)) {
    if (t === undefined) continue;
    const fits = t.shape.slice(-2).every((d, i, { length }) => d === 1 || d === scores[scores.length - length + i]);
    if (!fits) {
      throw new ShapeError(
        `${op}: the ${name} ${show(t.shape)} must broadcast against the scores [...,Q,K] = ${show(scores)}: its last two axes are Q or 1, and K or 1`,
      );
    }
    broadcastShapes(`${op}: the ${name}`, t.shape, scores);
  }
}

function weights(op: string, scores: Tensor, { mask, bias, causal: ordered }: AttentionWeightsOptions): Tensor {
  checkAgainst(op, scores.shape, { mask, bias });
  const biased = bias ? add(scores, bias) : scores;
  const masked = mask ? hide(biased, mask) : biased;
  const all = ordered ? causal(masked) : masked;
  // The first key is seen by every query where nothing but the order says who sees whom.
  return mask || bias ? softmaxOrZero(all) : softmax(all);
}

/**
 * The softmax of scores [..., Q, K] over the keys that each query may see: what attention weighs the values with. A key is
 * forbidden by `mask`, by a bias of -Infinity, or by `causal`, in any combination; its weight is 0, and no gradient
 * comes back from it. A query that may see no key has weight 0 everywhere, as in PyTorch since 2.5, and gradients of 0. A NaN
 * among the scores of keys that a query sees makes NaN of all its weights.
 * @throws ShapeError if mask or bias do not broadcast against the scores
 * @example
 * const weights = attentionWeights(q.matmul(k, { transposeB: true }).div(Math.sqrt(d)), { causal: true }); // [..., Q, K]
 * @function
 */
export const attentionWeights = op(
  'attentionWeights',
  [aTensor('scores'), attentionWeightsOptions],
  (scores, options = {}): Tensor => {
    if (scores.rank < 2) throw new ShapeError(`attentionWeights: scores ${show(scores.shape)} must be [...,Q,K]`);
    return scope(() => weights('attentionWeights', scores, options));
  },
);

/**
 * softmax(q kᵀ · scale) v (Vaswani et al. 2017): q [..., Q, D], k [..., K, D] and v [..., K, E] give [..., Q, E]; leading
 * axes (batch, heads) broadcast. What a query may see, and that it gives 0 if it may see nothing, is as in
 * {@link attentionWeights}.
 * @throws ShapeError if the sizes D or K differ, an operand has fewer than two axes, or mask or bias do not fit
 * @function
 */
export const scaledDotProductAttention = op(
  'scaledDotProductAttention',
  [aTensor('q'), aTensor('k'), aTensor('v'), attentionOptions],
  (q, k, v, options = {}): Tensor => {
    const op = 'scaledDotProductAttention';
    const [d, dk] = [q, k].map((t) => t.shape[t.rank - 1]);
    const [n, nv] = [k, v].map((t) => t.shape[t.rank - 2]);
    if (q.rank < 2 || d !== dk || n === undefined || n !== nv) {
      throw new ShapeError(
        `${op}: q ${show(q.shape)}, k ${show(k.shape)} and v ${show(v.shape)} must be [...,Q,D], [...,K,D] and [...,K,E]`,
      );
    }
    const { scale = 1 / Math.sqrt(d!) } = options;
    return scope(() => {
      const scores = matmul(affine(q, scale, 0), k, { transposeB: true });
      return matmul(weights(op, scores, options), v);
    });
  },
);

/** The rows of this file, by name. */
export const attentionRows = { causal: causalRow, hide: hideRow };
