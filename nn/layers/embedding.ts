import { embedding, equal, oneHot, type Rng, scope, type Tensor, tensor, where } from '../../engine/index.ts';
import { calls, checked, ranges } from '../../engine/internal.ts';
import { layerGenerator, normal } from '../init.ts';
import { Module } from '../module/module.ts';
import { type Initializer, initialValues, Parameter } from '../module/parameter.ts';
import type { PyTorchRule } from '../module/pyTorchRule.ts';
import { described } from './describe.ts';

/** Options of {@link Embedding}. */
export interface EmbeddingOptions {
  /** An entry that starts as zeros and gets no gradient; counted from the end if negative. Default: none. */
  readonly paddingIdx?: number;
  /** Fills the weight; standard normal numbers unless given, as in PyTorch. */
  readonly init?: Initializer;
  /** Where the numbers come from; a generator shared by all layers unless given. */
  readonly rng?: Rng;
}

/**
 * A table of vectors that are learned: indices [...] of 0 to numEmbeddings - 1 give [..., embeddingDim]; an index that is
 * no entry gives NaN on WebGPU, and is a RangeError on the reference device. Labels of a conditional GAN go through it.
 */
export class Embedding extends Module<[indices: Tensor]> {
  /** [numEmbeddings, embeddingDim]. */
  readonly weight: Parameter;
  /** The entry without a gradient, not negative, or undefined. */
  readonly paddingIdx: number | undefined;

  /** The axis of the weight along which its entries lie: parametrisations take it for that of the outputs, as in PyTorch. */
  readonly unitAxis: number = 0;

  /**
   * Makes and fills the weight, on the current device.
   * @param numEmbeddings how many entries there are
   * @param embeddingDim the size of each
   * @throws RangeError for a paddingIdx that is no entry
   */
  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingOptions = {}) {
    calls.checkArguments(
      'Embedding',
      [
        calls.within('numEmbeddings', ranges.number),
        calls.within('embeddingDim', ranges.number),
        calls.maybe(calls.something('options')),
      ],
      arguments,
    );
    super();
    const {
      init = normal(1),
      rng = layerGenerator(),
      paddingIdx,
    } = checked('Embedding', options, ['paddingIdx', 'init', 'rng']);
    const pad = paddingIdx !== undefined && paddingIdx < 0 ? paddingIdx + numEmbeddings : paddingIdx;
    if (pad !== undefined && !(Number.isInteger(pad) && pad >= 0 && pad < numEmbeddings)) {
      throw new RangeError(
        `Embedding: paddingIdx ${paddingIdx} is none of the ${numEmbeddings} entries; give ${-numEmbeddings} to ${numEmbeddings - 1}`,
      );
    }
    this.paddingIdx = pad;
    const made = initialValues('Embedding', 'weight', init, [
      [numEmbeddings, embeddingDim],
      { fanIn: embeddingDim, fanOut: numEmbeddings },
      rng,
    ]);
    this.weight = new Parameter(pad === undefined ? made : withoutRow(made, pad), 'weight');
  }

  override pyTorchRule(): PyTorchRule {
    return { features: { weight: { output: 1 } } };
  }

  override forward(indices: Tensor): Tensor {
    const { weight, paddingIdx: pad } = this;
    if (pad === undefined) return embedding(weight, indices);
    return scope(() => {
      const isPad = equal(indices, pad).reshape([...indices.shape, 1]);
      return where(isPad, embedding(weight.detach(), indices), embedding(weight, indices));
    });
  }

  override describe(): string {
    const { weight, paddingIdx } = this;
    return described(...weight.shape, paddingIdx !== undefined && `paddingIdx ${paddingIdx}`);
  }
}

/** Frees `table`, and gives it back with zeros in one row. */
function withoutRow(table: Tensor, row: number): Tensor {
  const kept = scope(() => where(oneHot(tensor(row), table.shape[0]!).reshape([-1, 1]), 0, table));
  table.dispose();
  return kept;
}
