/** Recurrent networks over whole sequences. */
import {
  concat,
  dropout,
  type Rng,
  ShapeError,
  scope,
  slice,
  stack,
  type Tensor,
  withDevice,
} from '../../engine/index.ts';
import { calls, checked, checkRange, ranges } from '../../engine/internal.ts';
import { layerGenerator } from '../init.ts';
import { Module } from '../module/module.ts';
import type { Parameter } from '../module/parameter.ts';
import { channelsFirst, type PyTorchRule } from '../module/pyTorchRule.ts';
import { described } from './describe.ts';
import { GRU_KIND, LSTM_KIND, makeWeights, needState, type Recurrence, walk, zerosBeside } from './recurrence.ts';
import { CELL_OPTIONS, kindOf, type LSTMState, type RecurrentCellOptions } from './recurrentCells.ts';

/** The lists of weights, by what PyTorch's names begin with. */
const KINDS = { weightIh: 'weight_ih', weightHh: 'weight_hh', biasIh: 'bias_ih', biasHh: 'bias_hh' } as const;

/** Options of {@link GRU} and {@link LSTM}. */
export interface RecurrentOptions extends RecurrentCellOptions {
  /** Layers on top of each other: each gets the outputs of the one below. Default 1. */
  readonly numLayers?: number;
  /** Read the sequence backwards as well, with weights of its own; the outputs lie side by side. Default false. */
  readonly bidirectional?: boolean;
  /** The probability of dropout between layers, in training. Default 0. */
  readonly dropout?: number;
}

/** Options of {@link RNN}. */
export interface RNNOptions extends RecurrentOptions {
  /** Default 'tanh'. */
  readonly nonlinearity?: 'tanh' | 'relu';
}

/**
 * What {@link RNN}, {@link GRU} and {@link LSTM} share. Sequences are batch first: x [N,L,in] gives [output, state] with output
 * [N,L,D·H], D being the number of directions, and states [layers·D,N,H] after the last place: layer 0 forwards, layer 0
 * backwards, layer 1 forwards, ... Weights are [in,gates·H], PyTorch's transposed, in lists with one entry a layer: `weightIh.0` is
 * its weight_ih_l0, `weightIhReverse.0` its weight_ih_l0_reverse.
 */
export abstract class Recurrent<State> extends Module<
  [x: Tensor, state?: State],
  readonly [output: Tensor, state: State]
> {
  /** The weight of each layer's input, [in,gates·H], and [D·H,gates·H] above the first layer. */
  readonly weightIh: readonly Parameter[];
  /** The weight of each layer's hidden state, [H,gates·H]. */
  readonly weightHh: readonly Parameter[];
  /** [gates·H] each; empty without biases. */
  readonly biasIh: readonly Parameter[];
  /** [gates·H] each; empty without biases. */
  readonly biasHh: readonly Parameter[];
  /** The weights of the inputs for the way back, as `weightIh`; empty with one direction. */
  readonly weightIhReverse: readonly Parameter[];
  /** The weights of the states for the way back, as `weightHh`. */
  readonly weightHhReverse: readonly Parameter[];
  /** The biases of the inputs for the way back, as `biasIh`. */
  readonly biasIhReverse: readonly Parameter[];
  /** The biases of the states for the way back, as `biasHh`. */
  readonly biasHhReverse: readonly Parameter[];
  /** H, the size of a state. */
  readonly hiddenSize: number;
  /** The probability of dropout between layers, in training. */
  readonly dropout: number;
  /** Where dropout's numbers come from; checkpoints save its place in the stream. */
  readonly rng: Rng;
  private readonly kind: Recurrence;

  /** Made by the networks. @internal */
  constructor(name: string, kind: Recurrence, inputSize: number, hiddenSize: number, options: RecurrentOptions) {
    super();
    const {
      numLayers = 1,
      bidirectional = false,
      dropout: p = 0,
      bias = true,
      ...rest
    } = checked(name, options, ['numLayers', 'bidirectional', 'dropout', ...CELL_OPTIONS]);
    checkRange(name, 'numLayers', ranges.count, numLayers);
    checkRange(name, 'dropout', ranges.share, p);
    const rng = rest.rng ?? layerGenerator();
    const sizeOf = (layer: number) => (layer === 0 ? inputSize : hiddenSize * (bidirectional ? 2 : 1));
    const [there, back] = [true, bidirectional].map((wanted) =>
      Array.from({ length: wanted ? numLayers : 0 }, (_, layer) =>
        makeWeights(name, kind, sizeOf(layer), hiddenSize, { ...rest, bias, rng }),
      ),
    );
    const present = (list: readonly (Parameter | undefined)[]) => list.filter((p) => p !== undefined);
    this.weightIh = there!.map((w) => w.weightIh);
    this.weightHh = there!.map((w) => w.weightHh);
    this.biasIh = present(there!.map((w) => w.biasIh));
    this.biasHh = present(there!.map((w) => w.biasHh));
    this.weightIhReverse = back!.map((w) => w.weightIh);
    this.weightHhReverse = back!.map((w) => w.weightHh);
    this.biasIhReverse = present(back!.map((w) => w.biasIh));
    this.biasHhReverse = present(back!.map((w) => w.biasHh));
    this.hiddenSize = hiddenSize;
    this.dropout = p;
    this.rng = rng;
    this.kind = kind;
  }

  /** `weightIhReverse.1` is weight_ih_l1_reverse. */
  override pyTorchRule(): PyTorchRule {
    const names: Record<string, string> = {};
    for (const [kind, theirs] of Object.entries(KINDS)) {
      for (let layer = 0; layer < this.weightIh.length; layer++) {
        names[`${kind}.${layer}`] = `${theirs}_l${layer}`;
        names[`${kind}Reverse.${layer}`] = `${theirs}_l${layer}_reverse`;
      }
    }
    const matrices = ['weightIh', 'weightHh', 'weightIhReverse', 'weightHhReverse'];
    return { names, axes: Object.fromEntries(matrices.map((field) => [field, channelsFirst(2)])) };
  }

  /** The outputs and the last states, from states by name. @internal */
  protected run(x: Tensor, given: Readonly<Record<string, Tensor | undefined>>): [Tensor, Tensor[]] {
    const { hiddenSize, kind } = this;
    const { name } = this.constructor;
    const [n, l] = x.shape as [number, number];
    const inputSize = this.weightIh[0]!.shape[0]!;
    if (x.rank !== 3 || l < 1 || x.shape[2] !== inputSize) {
      throw new ShapeError(`${name}: x [${x.shape}] must be sequences [N,L,${inputSize}], batch first, of 1 or more`);
    }
    const directions = this.weightIhReverse.length > 0 ? 2 : 1;
    const layers = this.weightIh.length;
    const shape = [layers * directions, n, hiddenSize];
    for (const [key, t] of Object.entries(given)) {
      if (t) needState(name, key, t, shape, '[layers·directions,N,hiddenSize]');
    }
    return scope(() => {
      const zero = zerosBeside(x, [n, hiddenSize]);
      const stateAt = (i: number) =>
        Object.values(given).map((t) => (t ? slice(t, [[i, i + 1]]).reshape([n, hiddenSize]) : zero));
      const finals: (readonly Tensor[])[] = [];
      let sequence = x;
      for (let layer = 0; layer < layers; layer++) {
        if (layer > 0) sequence = this.dropped(sequence);
        const ways = this.weightsOf(layer).map((w, d) => {
          const { output, state } = walk(kind, w, sequence, stateAt(layer * directions + d), d === 1);
          finals.push(state);
          return output;
        });
        sequence = ways.length > 1 ? concat(ways, 2) : ways[0]!;
      }
      return [sequence, Object.keys(given).map((_, k) => stack(finals.map((state) => state[k]!)))];
    });
  }

  private weightsOf(layer: number) {
    const there = {
      weightIh: this.weightIh[layer]!,
      weightHh: this.weightHh[layer]!,
      biasIh: this.biasIh[layer],
      biasHh: this.biasHh[layer],
    };
    if (this.weightIhReverse.length === 0) return [there];
    const back = {
      weightIh: this.weightIhReverse[layer]!,
      weightHh: this.weightHhReverse[layer]!,
      biasIh: this.biasIhReverse[layer],
      biasHh: this.biasHhReverse[layer],
    };
    return [there, back];
  }

  private dropped(x: Tensor): Tensor {
    if (!this.training || this.dropout === 0) return x;
    return withDevice(x.device, () => dropout(x, this.dropout, this.rng));
  }

  override describe(): string {
    const layers = this.weightIh.length;
    return described(
      this.weightIh[0]!.shape[0],
      this.hiddenSize,
      layers > 1 && `layers ${layers}`,
      this.weightIhReverse.length > 0 && 'bidirectional',
      this.dropout > 0 && `dropout ${this.dropout}`,
      this.biasIh.length === 0 && 'no bias',
    );
  }
}

/** {@link RNNCell} along sequences: x [N,L,in] and h [layers·D,N,H], zeros unless given, to [output, h]; see {@link Recurrent}. */
export class RNN extends Recurrent<Tensor> {
  /** Makes and fills the weights, on the current device. @throws RangeError for options out of range */
  constructor(inputSize: number, hiddenSize: number, options: RNNOptions = {}) {
    calls.checkArguments(
      'RNN',
      [
        calls.within('inputSize', ranges.number),
        calls.within('hiddenSize', ranges.number),
        calls.maybe(calls.something('options')),
      ],
      arguments,
    );
    const [kind, rest] = kindOf('RNN', options);
    super('RNN', kind, inputSize, hiddenSize, rest);
  }

  /** @throws ShapeError unless x is [N,L,in] and h [layers·D,N,H] */
  override forward(x: Tensor, h?: Tensor): readonly [output: Tensor, h: Tensor] {
    const [output, [last]] = this.run(x, { h });
    return [output, last!];
  }
}

/** {@link GRUCell} along sequences: x [N,L,in] and h [layers·D,N,H], zeros unless given, to [output, h]; see {@link Recurrent}. */
export class GRU extends Recurrent<Tensor> {
  /** Makes and fills the weights, on the current device. @throws RangeError for options out of range */
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    calls.checkArguments(
      'GRU',
      [
        calls.within('inputSize', ranges.number),
        calls.within('hiddenSize', ranges.number),
        calls.maybe(calls.something('options')),
      ],
      arguments,
    );
    super('GRU', GRU_KIND, inputSize, hiddenSize, options);
  }

  /** @throws ShapeError unless x is [N,L,in] and h [layers·D,N,H] */
  override forward(x: Tensor, h?: Tensor): readonly [output: Tensor, h: Tensor] {
    const [output, [last]] = this.run(x, { h });
    return [output, last!];
  }
}

/**
 * {@link LSTMCell} along sequences: x [N,L,in] and [h, c], each [layers·D,N,H] and zeros unless given, to [output, [h, c]]; see
 * {@link Recurrent}.
 * @example
 * const [output, [h]] = new LSTM(28, 64).forward(rows); // [N,28,28] gives [N,28,64] and [1,N,64]
 */
export class LSTM extends Recurrent<LSTMState> {
  /** Makes and fills the weights, on the current device. @throws RangeError for options out of range */
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    calls.checkArguments(
      'LSTM',
      [
        calls.within('inputSize', ranges.number),
        calls.within('hiddenSize', ranges.number),
        calls.maybe(calls.something('options')),
      ],
      arguments,
    );
    super('LSTM', LSTM_KIND, inputSize, hiddenSize, options);
  }

  /** @throws ShapeError unless x is [N,L,in], and h and c [layers·D,N,H] */
  override forward(x: Tensor, state?: LSTMState): readonly [output: Tensor, state: LSTMState] {
    const [output, last] = this.run(x, { h: state?.[0], c: state?.[1] });
    return [output, [last[0]!, last[1]!]];
  }
}
