/** The arithmetic of recurrent layers, which cells and whole sequences share. */
import {
  chunk,
  matmul,
  type Rng,
  type Shape,
  ShapeError,
  slice,
  stack,
  type Tensor,
  withDevice,
  zeros,
} from '../../engine/index.ts';
import { fanInUniform } from '../init.ts';
import { filled, type Initializer, type Parameter } from '../module/parameter.ts';

/** A kind of recurrent network. */
export interface Recurrence {
  /** Matrices side by side in each weight, in PyTorch's order. */
  readonly gates: number;
  /** Whether both biases only occur in their sum, which then needs to be added once. */
  readonly joinsBiases: boolean;
  /**
   * One step.
   * @param x the input's share, [N,gates·H], with its bias
   * @param h the hidden state's share, [N,gates·H]
   * @param state [N,H] each, the hidden state first
   */
  readonly step: (x: Tensor, h: Tensor, state: readonly Tensor[]) => readonly Tensor[];
}

/** h' = f(x·W + b + h·U + c) (Elman 1990). */
const elman = (f: (t: Tensor) => Tensor): Recurrence => ({
  gates: 1,
  joinsBiases: true,
  step: (x, h) => [f(x.add(h))],
});

export const RNN_KINDS = { tanh: elman((t) => t.tanh()), relu: elman((t) => t.relu()) } as const;

/** Gates r, z, n (Cho et al. 2014), with r behind the product with U, as in PyTorch and cuDNN. */
export const GRU_KIND: Recurrence = {
  gates: 3,
  joinsBiases: false,
  step: (x, h, [before]) => {
    const [xr, xz, xn] = chunk(x, 3, 1) as [Tensor, Tensor, Tensor];
    const [hr, hz, hn] = chunk(h, 3, 1) as [Tensor, Tensor, Tensor];
    const r = xr.add(hr).sigmoid();
    const z = xz.add(hz).sigmoid();
    const n = xn.add(r.mul(hn)).tanh();
    return [n.add(z.mul(before!.sub(n)))];
  },
};

/** Gates i, f, g, o (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000). */
export const LSTM_KIND: Recurrence = {
  gates: 4,
  joinsBiases: true,
  step: (x, h, [, before]) => {
    const [i, f, g, o] = chunk(x.add(h), 4, 1) as [Tensor, Tensor, Tensor, Tensor];
    const c = f.sigmoid().mul(before!).add(i.sigmoid().mul(g.tanh()));
    return [o.sigmoid().mul(c.tanh()), c];
  },
};

/** The weights of one cell; the biases are both there, or both not. */
export interface RecurrentWeights {
  /** [in,gates·H]. */
  readonly weightIh: Parameter;
  /** [H,gates·H]. */
  readonly weightHh: Parameter;
  /** [gates·H], of the input's share. */
  readonly biasIh: Parameter | undefined;
  /** [gates·H], of the hidden state's share. */
  readonly biasHh: Parameter | undefined;
}

/** Makes and fills the weights of a cell; the numbers are uniform in [-1/√H, 1/√H) unless `init` says otherwise. */
export function makeWeights(
  name: string,
  { gates }: Recurrence,
  inputSize: number,
  hiddenSize: number,
  options: { bias: boolean; init?: Initializer; initBias?: Initializer; rng: Rng },
): RecurrentWeights {
  const { bias, init = fanInUniform, initBias = fanInUniform, rng } = options;
  // PyTorch takes the hidden size for the fan-in of all four.
  const fans = { fanIn: hiddenSize, fanOut: gates * hiddenSize };
  const made = (fill: Initializer, shape: Shape, label: string) => filled(name, label, fill, [shape, fans, rng]);
  return {
    weightIh: made(init, [inputSize, gates * hiddenSize], 'weightIh'),
    weightHh: made(init, [hiddenSize, gates * hiddenSize], 'weightHh'),
    biasIh: bias ? made(initBias, [gates * hiddenSize], 'biasIh') : undefined,
    biasHh: bias ? made(initBias, [gates * hiddenSize], 'biasHh') : undefined,
  };
}

/** x, [N,in] or [N,L,in], as its share of the gates. */
function projected({ joinsBiases }: Recurrence, w: RecurrentWeights, x: Tensor): Tensor {
  const y = matmul(x, w.weightIh);
  if (!w.biasIh) return y;
  return y.add(joinsBiases ? w.biasIh.add(w.biasHh!) : w.biasIh);
}

/** The next state after `x`, which is projected already. */
function next(kind: Recurrence, w: RecurrentWeights, x: Tensor, state: readonly Tensor[]): readonly Tensor[] {
  const h = matmul(state[0]!, w.weightHh);
  return kind.step(x, w.biasHh && !kind.joinsBiases ? h.add(w.biasHh) : h, state);
}

/** One step of a cell: x [N,in] and states [N,H] give states [N,H]. */
export const stepOnce = (
  kind: Recurrence,
  w: RecurrentWeights,
  x: Tensor,
  state: readonly Tensor[],
): readonly Tensor[] => next(kind, w, projected(kind, w, x), state);

/** A whole sequence x [N,L,in], forwards or backwards: [N,L,H] in the order of x, and the last states [N,H]. */
export function walk(
  kind: Recurrence,
  w: RecurrentWeights,
  x: Tensor,
  initial: readonly Tensor[],
  backwards: boolean,
): { readonly output: Tensor; readonly state: readonly Tensor[] } {
  // All steps' shares of the input are one matrix product.
  const xs = steps(projected(kind, w, x));
  let state = initial;
  const outputs = (backwards ? xs.reverse() : xs).map((t) => {
    state = next(kind, w, t, state);
    return state[0]!;
  });
  return { output: stack(backwards ? outputs.reverse() : outputs, 1), state };
}

/**
 * The places of a sequence [N,L,C], [N,C] each, by halves: the derivative of a slice is as large as what it was cut from, so
 * that cutting each of L places from the whole would take L² work on the way back.
 */
function steps(x: Tensor): Tensor[] {
  const [n, l, c] = x.shape as [number, number, number];
  if (l === 1) return [x.reshape([n, c])];
  const half = Math.ceil(l / 2);
  return [...steps(slice(x, [[], [0, half]])), ...steps(slice(x, [[], [half, l]]))];
}

/** Zeros where x lives. */
export const zerosBeside = (x: Tensor, shape: Shape): Tensor => withDevice(x.device, () => zeros(shape));

/** @throws ShapeError naming the layer, unless a state that was given has the shape wanted */
export function needState(layer: string, name: string, t: Tensor, wanted: Shape, meaning: string): void {
  if (t.shape.join() !== wanted.join()) {
    throw new ShapeError(`${layer}: ${name} [${t.shape}] must be [${wanted}], ${meaning}`);
  }
}
