import { attentionWeights, matmul, permute, type Rng, ShapeError, scope, Tensor } from '../../engine/index.ts';
import { calls, checked, ranges, shown } from '../../engine/internal.ts';
import { constant, fanInUniform, layerGenerator, xavierUniform } from '../init.ts';
import { Module } from '../module/module.ts';
import type { Initializer } from '../module/parameter.ts';
import type { PyTorchRule } from '../module/pyTorchRule.ts';
import { described } from './describe.ts';
import { Dropout } from './dropout.ts';
import { Linear } from './linear.ts';

/** Options of {@link MultiheadAttention}. */
export interface MultiheadAttentionOptions {
  /** The probability of an attention weight to become 0 in training. Default 0. */
  readonly dropout?: number;
  /** Add biases in the projections. Default true. */
  readonly bias?: boolean;
  /** The size of the keys' last axis. Default embedDim. */
  readonly kdim?: number;
  /** The size of the values' last axis. Default embedDim. */
  readonly vdim?: number;
  /** Fills the weights of all projections; PyTorch's defaults unless given. */
  readonly init?: Initializer;
  /** Where the numbers come from, those of dropout too; a generator shared by all layers unless given. */
  readonly rng?: Rng;
}

/** What `forward` of {@link MultiheadAttention} takes beside queries, keys and values. */
export interface MultiheadAttentionCall {
  /** 1 for a key that is not looked at, 0 for others, [N,S]; any other number makes NaN. No gradient flows into it. */
  readonly keyPaddingMask?: Tensor;
  /**
   * 1 where a query must not look at a key, 0 elsewhere, as True and False in PyTorch (the mask of `scaledDotProductAttention`
   * is the other way round): [L,S], or what broadcasts against [N,heads,L,S]. Any other number makes NaN. No gradient flows
   * into it.
   */
  readonly attnMask?: Tensor;
  /** Added to the scores, as an attn_mask of floats in PyTorch; -Infinity forbids a key. Shapes as those of `attnMask`. */
  readonly attnBias?: Tensor;
  /** Give the attention weights too. Default true. */
  readonly needWeights?: boolean;
  /** The weights as their mean over the heads, [N,L,S]; otherwise [N,heads,L,S]. Default true. */
  readonly averageAttnWeights?: boolean;
}

const CALL = ['attnMask', 'keyPaddingMask', 'attnBias', 'needWeights', 'averageAttnWeights'] as const;

/**
 * Attention with several heads (Vaswani et al. 2017, section 3.2.2), batch first: queries [N,L,embedDim], keys [N,S,kdim] and
 * values [N,S,vdim] give [N,L,embedDim] and the attention weights. Keys are the queries, and values the keys, unless given.
 * Options are PyTorch's; its in_proj_weight is the weights of `qProj`, `kProj` and `vProj`, each transposed. A query that may
 * look at nothing has weights of 0, where PyTorch's layer gives NaN; see `attentionWeights`.
 */
export class MultiheadAttention extends Module<
  [query: Tensor, key?: Tensor, value?: Tensor, call?: MultiheadAttentionCall],
  readonly [output: Tensor, weights: Tensor | undefined]
> {
  /** The projection of the queries, with a weight [embedDim,embedDim]. */
  readonly qProj: Linear;
  /** The projection of the keys, with a weight [kdim,embedDim]. */
  readonly kProj: Linear;
  /** The projection of the values, with a weight [vdim,embedDim]. */
  readonly vProj: Linear;
  /** The projection of what the heads found, with a weight [embedDim,embedDim]. */
  readonly outProj: Linear;
  /** The dropout of the attention weights. */
  readonly dropout: Dropout;
  /** The size of queries and result. */
  readonly embedDim: number;
  /** Each looks at embedDim / numHeads features. */
  readonly numHeads: number;

  /**
   * Makes and fills the weights, on the current device.
   * @throws RangeError unless numHeads divides embedDim
   */
  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    calls.checkArguments(
      'MultiheadAttention',
      [
        calls.within('embedDim', ranges.number),
        calls.within('numHeads', ranges.number),
        calls.maybe(calls.something('options')),
      ],
      arguments,
    );
    super();
    if (!(Number.isInteger(numHeads) && numHeads >= 1 && embedDim % numHeads === 0)) {
      throw new RangeError(`MultiheadAttention: ${numHeads} heads do not divide embedDim ${embedDim} evenly`);
    }
    const {
      dropout = 0,
      bias = true,
      kdim = embedDim,
      vdim = embedDim,
      init,
      rng = layerGenerator(),
    } = checked('MultiheadAttention', options, ['dropout', 'bias', 'kdim', 'vdim', 'init', 'rng']);
    // PyTorch fills the three as one matrix where they are of one size, which makes them narrower.
    const joint = kdim === embedDim && vdim === embedDim;
    const xavier: Initializer = (shape, { fanIn, fanOut }, g) =>
      xavierUniform()(shape, { fanIn, fanOut: joint ? 3 * fanOut : fanOut }, g);
    const inward = { bias, init: init ?? xavier, initBias: constant(0), rng };
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.qProj = new Linear(embedDim, embedDim, inward);
    this.kProj = new Linear(kdim, embedDim, inward);
    this.vProj = new Linear(vdim, embedDim, inward);
    this.outProj = new Linear(embedDim, embedDim, { ...inward, init: init ?? fanInUniform });
    this.dropout = new Dropout(dropout, options.rng ? { rng: options.rng } : {});
  }

  /** in_proj_weight is three weights of one size; of different sizes they are q_proj_weight, k_proj_weight and v_proj_weight. */
  override pyTorchRule(): PyTorchRule {
    const { embedDim, kProj, vProj } = this;
    const joint = kProj.inFeatures === embedDim && vProj.inFeatures === embedDim;
    const parts = ['q', 'k', 'v'];
    const all = (field: string) => parts.map((p) => `${p}Proj.${field}`);
    return {
      joined: {
        ...(joint
          ? { in_proj_weight: all('weight') }
          : Object.fromEntries(parts.map((p) => [`${p}_proj_weight`, [`${p}Proj.weight`]]))),
        ...(kProj.bias ? { in_proj_bias: all('bias') } : {}),
      },
    };
  }

  /** @throws ShapeError unless the inputs are [N,L,embedDim], [N,S,kdim] and [N,S,vdim] */
  override forward(
    query: Tensor,
    key: Tensor = query,
    value: Tensor = key,
    call: MultiheadAttentionCall = {},
  ): readonly [output: Tensor, weights: Tensor | undefined] {
    const { qProj, kProj, vProj, embedDim, numHeads } = this;
    checked('MultiheadAttention', call, CALL);
    const odd = [query, key, value].find((t) => !(t instanceof Tensor));
    if (odd !== undefined) {
      throw new TypeError(
        `MultiheadAttention: query, key and value are tensors, and options come fourth, not ${shown(odd)}`,
      );
    }
    const [n, l] = query.shape as readonly [number, number];
    const s = key.shape[1]!;
    const wanted = [
      [n, l, embedDim],
      [n, s, kProj.weight.shape[0]],
      [n, s, vProj.weight.shape[0]],
    ];
    if ([query, key, value].some((t, i) => t.shape.join() !== wanted[i]!.join())) {
      throw new ShapeError(
        `MultiheadAttention: query [${query.shape}], key [${key.shape}] and value [${value.shape}] must be [N,L,${embedDim}], [N,S,${wanted[1]![2]}] and [N,S,${wanted[2]![2]}]`,
      );
    }
    const { needWeights = true, averageAttnWeights = true } = call;
    return scope(() => {
      const size = embedDim / numHeads;
      const heads = (t: Tensor) => permute(t.reshape([n, t.shape[1]!, numHeads, size]), [0, 2, 1, 3]);
      const q = heads(qProj.forward(query).mul(1 / Math.sqrt(size)));
      const scores = matmul(q, heads(kProj.forward(key)), { transposeB: true });
      const weights = this.dropout.forward(weigh(scores, call));
      const found = permute(matmul(weights, heads(vProj.forward(value))), [0, 2, 1, 3]);
      const output = this.outProj.forward(found.reshape([n, l, embedDim]));
      return [output, needWeights ? (averageAttnWeights ? weights.mean(1) : weights) : undefined] as const;
    });
  }

  override describe(): string {
    const { kProj, vProj, embedDim, numHeads, dropout } = this;
    const [kdim, vdim] = [kProj, vProj].map((m) => m.weight.shape[0]!);
    return described(
      embedDim,
      `heads ${numHeads}`,
      kdim !== embedDim && `kdim ${kdim}`,
      vdim !== embedDim && `vdim ${vdim}`,
      dropout.p > 0 && `dropout ${dropout.p}`,
    );
  }
}

/** The weights of scores [N,heads,L,S] under the masks of a call. */
function weigh(scores: Tensor, { keyPaddingMask, attnMask, attnBias }: MultiheadAttentionCall): Tensor {
  const [n, , l, s] = scores.shape as readonly [number, number, number, number];
  for (const [name, t] of Object.entries({ keyPaddingMask, attnMask, attnBias })) {
    if (t !== undefined && !(t instanceof Tensor)) {
      throw new TypeError(`MultiheadAttention: ${name} is a tensor, not ${shown(t)}; make one with tensor(...)`);
    }
  }
  if (keyPaddingMask && keyPaddingMask.shape.join() !== [n, s].join()) {
    throw new ShapeError(
      `MultiheadAttention: keyPaddingMask [${keyPaddingMask.shape}] must be [N,S] = [${[n, s]}], 1 for a key that is not looked at`,
    );
  }
  for (const [name, t] of Object.entries({ attnMask, attnBias })) {
    if (t && (t.rank > 4 || t.shape.some((d, i) => d !== 1 && d !== scores.shape[i + 4 - t.rank]))) {
      throw new ShapeError(
        `MultiheadAttention: ${name} [${t.shape}] must broadcast against the scores [N,heads,L,S] = [${scores.shape}]; [${[l, s]}] is usual`,
      );
    }
  }
  // 1 - m keeps what is neither 0 nor 1, which attentionWeights makes NaN of.
  const [seen, unpadded] = [attnMask, keyPaddingMask?.reshape([n, 1, 1, s])].map((m) => m?.detach().mul(-1).add(1));
  const mask = seen && unpadded ? seen.mul(unpadded) : (seen ?? unpadded);
  return attentionWeights(scores, { ...(mask ? { mask } : {}), ...(attnBias ? { bias: attnBias } : {}) });
}
