/** One step of a recurrent network. */
import { type Rng, ShapeError, scope, type Tensor } from '../../engine/index.ts';
import { calls, checked, checkRange, ranges } from '../../engine/internal.ts';
import { layerGenerator } from '../init.ts';
import { Module } from '../module/module.ts';
import type { Initializer, Parameter } from '../module/parameter.ts';
import { channelsFirst, type PyTorchRule } from '../module/pyTorchRule.ts';
import { described } from './describe.ts';
import {
  GRU_KIND,
  LSTM_KIND,
  makeWeights,
  needState,
  type Recurrence,
  RNN_KINDS,
  stepOnce,
  zerosBeside,
} from './recurrence.ts';

/** Options of {@link GRUCell} and {@link LSTMCell}. */
export interface RecurrentCellOptions {
  /** Add biases. Default true. */
  readonly bias?: boolean;
  /** Fills the weights; uniform in [-1/√H, 1/√H) unless given, as in PyTorch. */
  readonly init?: Initializer;
  /** Fills the biases; as the weights unless given. */
  readonly initBias?: Initializer;
  /** Where the numbers come from; a generator shared by all layers unless given. */
  readonly rng?: Rng;
}

/** Options of {@link RNNCell}. */
export interface RNNCellOptions extends RecurrentCellOptions {
  /** Default 'tanh'. */
  readonly nonlinearity?: 'tanh' | 'relu';
}

/** The names of {@link RecurrentCellOptions}. @internal */
export const CELL_OPTIONS = ['bias', 'init', 'initBias', 'rng'] as const;

/** Which RNN the options ask for, and the others. @throws TypeError for a nonlinearity that there is not @internal */
export function kindOf<O extends RNNCellOptions>(name: string, options: O): [Recurrence, Omit<O, 'nonlinearity'>] {
  if (typeof options !== 'object' || options === null) return [RNN_KINDS.tanh, options];
  const { nonlinearity = 'tanh', ...rest } = options;
  checkRange(name, 'nonlinearity', ranges.oneOf(Object.keys(RNN_KINDS)), nonlinearity);
  return [RNN_KINDS[nonlinearity], rest];
}

/** What {@link RNNCell}, {@link GRUCell} and {@link LSTMCell} share: weights [in,gates·H], PyTorch's transposed. */
export abstract class RecurrentCell<State> extends Module<[x: Tensor, state?: State], State> {
  /** The weight of the input, [in,gates·H]. */
  readonly weightIh: Parameter;
  /** The weight of the hidden state, [H,gates·H]. */
  readonly weightHh: Parameter;
  /** [gates·H], or undefined without one. */
  readonly biasIh: Parameter | undefined;
  /** [gates·H], or undefined without one. */
  readonly biasHh: Parameter | undefined;
  private readonly kind: Recurrence;

  /** Made by the cells. @internal */
  constructor(name: string, kind: Recurrence, inputSize: number, hiddenSize: number, options: RecurrentCellOptions) {
    super();
    const { bias = true, rng = layerGenerator(), ...rest } = checked(name, options, CELL_OPTIONS);
    const made = makeWeights(name, kind, inputSize, hiddenSize, { bias, rng, ...rest });
    this.weightIh = made.weightIh;
    this.weightHh = made.weightHh;
    this.biasIh = made.biasIh;
    this.biasHh = made.biasHh;
    this.kind = kind;
  }

  override pyTorchRule(): PyTorchRule {
    return { axes: { weightIh: channelsFirst(2), weightHh: channelsFirst(2) } };
  }

  /** @internal */
  protected step(x: Tensor, given: Readonly<Record<string, Tensor | undefined>>): readonly Tensor[] {
    const [inputSize, hiddenSize] = [this.weightIh.shape[0]!, this.weightHh.shape[0]!];
    const name = this.constructor.name;
    if (x.rank !== 2 || x.shape[1] !== inputSize) {
      throw new ShapeError(`${name}: x [${x.shape}] must be [N,${inputSize}], one step of a batch`);
    }
    const shape = [x.shape[0]!, hiddenSize];
    for (const [key, t] of Object.entries(given)) if (t) needState(name, key, t, shape, '[N,hiddenSize]');
    return scope(() =>
      stepOnce(
        this.kind,
        this,
        x,
        Object.values(given).map((t) => t ?? zerosBeside(x, shape)),
      ),
    );
  }

  override describe(): string {
    return described(this.weightIh.shape[0], this.weightHh.shape[0], !this.biasIh && 'no bias');
  }
}

/** h' = tanh(x·W + b + h·U + c): x [N,in] and h [N,H], zeros unless given, to h' [N,H]. */
export class RNNCell extends RecurrentCell<Tensor> {
  /** Makes and fills the weights, on the current device. */
  constructor(inputSize: number, hiddenSize: number, options: RNNCellOptions = {}) {
    calls.checkArguments(
      'RNNCell',
      [
        calls.within('inputSize', ranges.number),
        calls.within('hiddenSize', ranges.number),
        calls.maybe(calls.something('options')),
      ],
      arguments,
    );
    const [kind, rest] = kindOf('RNNCell', options);
    super('RNNCell', kind, inputSize, hiddenSize, rest);
  }

  /** @throws ShapeError unless x is [N,in] and h [N,H] */
  override forward(x: Tensor, h?: Tensor): Tensor {
    return this.step(x, { h })[0]!;
  }
}

/**
 * A gated recurrent unit (Cho et al. 2014): x [N,in] and h [N,H], zeros unless given, to h' [N,H]. The gates lie side by side in
 * the order r, z, n.
 */
export class GRUCell extends RecurrentCell<Tensor> {
  /** Makes and fills the weights, on the current device. */
  constructor(inputSize: number, hiddenSize: number, options: RecurrentCellOptions = {}) {
    calls.checkArguments(
      'GRUCell',
      [
        calls.within('inputSize', ranges.number),
        calls.within('hiddenSize', ranges.number),
        calls.maybe(calls.something('options')),
      ],
      arguments,
    );
    super('GRUCell', GRU_KIND, inputSize, hiddenSize, options);
  }

  /** @throws ShapeError unless x is [N,in] and h [N,H] */
  override forward(x: Tensor, h?: Tensor): Tensor {
    return this.step(x, { h })[0]!;
  }
}

/** Hidden state and cell state of an LSTM. */
export type LSTMState = readonly [h: Tensor, c: Tensor];

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997): x [N,in] and [h, c], each [N,H] and zeros unless given, to [h', c'].
 * The gates lie side by side in the order i, f, g, o.
 */
export class LSTMCell extends RecurrentCell<LSTMState> {
  /** Makes and fills the weights, on the current device. */
  constructor(inputSize: number, hiddenSize: number, options: RecurrentCellOptions = {}) {
    calls.checkArguments(
      'LSTMCell',
      [
        calls.within('inputSize', ranges.number),
        calls.within('hiddenSize', ranges.number),
        calls.maybe(calls.something('options')),
      ],
      arguments,
    );
    super('LSTMCell', LSTM_KIND, inputSize, hiddenSize, options);
  }

  /** @throws ShapeError unless x is [N,in], and h and c [N,H] */
  override forward(x: Tensor, state?: LSTMState): LSTMState {
    const [h, c] = this.step(x, { h: state?.[0], c: state?.[1] }) as [Tensor, Tensor];
    return [h, c];
  }
}
