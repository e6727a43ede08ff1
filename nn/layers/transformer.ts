import { type Rng, scope, type Tensor } from '../../engine/index.ts';
import { calls, checked, ranges } from '../../engine/internal.ts';
import { layerGenerator } from '../init.ts';
import { Module } from '../module/module.ts';
import { described } from './describe.ts';
import { Dropout } from './dropout.ts';
import { Linear } from './linear.ts';
import { MultiheadAttention, type MultiheadAttentionCall } from './multiheadAttention.ts';
import { LayerNorm } from './norm.ts';

/** Options of {@link TransformerEncoderLayer}. */
export interface TransformerEncoderLayerOptions {
  /** The width of the hidden layer behind the attention. Default 2048. */
  readonly dimFeedforward?: number;
  /** The probability of dropout, at all four places. Default 0.1. */
  readonly dropout?: number;
  /** The activation of the hidden layer. Default 'relu'. */
  readonly activation?: 'relu' | 'gelu' | ((x: Tensor) => Tensor);
  /** Added to the variance in both norms. Default 1e-5. */
  readonly layerNormEps?: number;
  /** Normalise before attention and hidden layer, not after (Xiong et al. 2020). Default false. */
  readonly normFirst?: boolean;
  /** Where the numbers come from, those of dropout too; a generator shared by all layers unless given. */
  readonly rng?: Rng;
}

/** Masks of {@link TransformerEncoderLayer}, as those of {@link MultiheadAttention}. */
export interface EncoderMasks {
  /** Which places may not look at which: 1 forbids; [L,L]. */
  readonly srcMask?: Tensor;
  /** 1 for places that nobody looks at: [N,L]. */
  readonly srcKeyPaddingMask?: Tensor;
}

/**
 * A layer of the encoder of Vaswani et al. (2017, section 3.1), batch first: self-attention and a hidden layer, each with
 * dropout, a shortcut and layer normalisation. x [N,L,dModel] gives the same shape. Options and defaults are PyTorch's.
 */
export class TransformerEncoderLayer extends Module<[src: Tensor, masks?: EncoderMasks]> {
  /** Every place looks at every other. */
  readonly selfAttn: MultiheadAttention;
  /** The weights that lead to the hidden layer. */
  readonly linear1: Linear;
  /** The dropout of the hidden layer. */
  readonly dropout: Dropout;
  /** The weights that lead back from the hidden layer. */
  readonly linear2: Linear;
  /** The norm around the attention. */
  readonly norm1: LayerNorm;
  /** The norm around the hidden layer. */
  readonly norm2: LayerNorm;
  /** The dropout behind the attention. */
  readonly dropout1: Dropout;
  /** The dropout behind the hidden layer. */
  readonly dropout2: Dropout;
  /** The activation of the hidden layer. */
  readonly activation: 'relu' | 'gelu' | ((x: Tensor) => Tensor);
  /** Whether the norms come first. */
  readonly normFirst: boolean;

  /** Makes and fills the weights, on the current device. @throws RangeError unless nhead divides dModel */
  constructor(dModel: number, nhead: number, options: TransformerEncoderLayerOptions = {}) {
    calls.checkArguments(
      'TransformerEncoderLayer',
      [
        calls.within('dModel', ranges.number),
        calls.within('nhead', ranges.number),
        calls.maybe(calls.something('options')),
      ],
      arguments,
    );
    super();
    checked('TransformerEncoderLayer', options, [
      'dimFeedforward',
      'dropout',
      'activation',
      'layerNormEps',
      'normFirst',
      'rng',
    ]);
    const { dimFeedforward = 2048, dropout = 0.1, activation = 'relu', layerNormEps: eps = 1e-5 } = options;
    const rng = options.rng ?? layerGenerator();
    const draws = options.rng ? { rng } : {};
    this.selfAttn = new MultiheadAttention(dModel, nhead, { dropout, ...draws });
    this.linear1 = new Linear(dModel, dimFeedforward, { rng });
    this.dropout = new Dropout(dropout, draws);
    this.linear2 = new Linear(dimFeedforward, dModel, { rng });
    this.norm1 = new LayerNorm(dModel, { eps });
    this.norm2 = new LayerNorm(dModel, { eps });
    this.dropout1 = new Dropout(dropout, draws);
    this.dropout2 = new Dropout(dropout, draws);
    this.activation = activation;
    this.normFirst = options.normFirst ?? false;
  }

  /** @throws ShapeError unless src is [N,L,dModel] */
  override forward(src: Tensor, masks: EncoderMasks = {}): Tensor {
    checked('TransformerEncoderLayer', masks, ['srcMask', 'srcKeyPaddingMask']);
    const { norm1, norm2 } = this;
    return scope(() => {
      if (this.normFirst) {
        const x = src.add(this.attend(norm1.forward(src), masks));
        return x.add(this.feed(norm2.forward(x)));
      }
      const x = norm1.forward(src.add(this.attend(src, masks)));
      return norm2.forward(x.add(this.feed(x)));
    });
  }

  private attend(x: Tensor, { srcMask, srcKeyPaddingMask }: EncoderMasks): Tensor {
    const call: MultiheadAttentionCall = {
      needWeights: false,
      ...(srcMask ? { attnMask: srcMask } : {}),
      ...(srcKeyPaddingMask ? { keyPaddingMask: srcKeyPaddingMask } : {}),
    };
    return this.dropout1.forward(this.selfAttn.forward(x, x, x, call)[0]);
  }

  private feed(x: Tensor): Tensor {
    const { activation: f } = this;
    const hidden = this.linear1.forward(x);
    const bent = f === 'relu' ? hidden.relu() : f === 'gelu' ? hidden.gelu() : f(hidden);
    return this.dropout2.forward(this.linear2.forward(this.dropout.forward(bent)));
  }

  override describe(): string {
    const { selfAttn, linear1, activation, normFirst } = this;
    return described(
      selfAttn.embedDim,
      `heads ${selfAttn.numHeads}`,
      `feedforward ${linear1.weight.shape[1]}`,
      typeof activation === 'string' && activation,
      normFirst && 'norm first',
    );
  }
}
