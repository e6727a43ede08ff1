/** How a fixture's inputs and arguments go into wgrad's functions, where that is not f(...inputs, ...args). */

import type { Tensor } from '../../engine/index.ts';
import * as engine from '../../engine/index.ts';
import type { RuleName, StepParams, StepRules } from '../../engine/internal.ts';
import * as internal from '../../engine/internal.ts';

/** Tensors, and numbers where the op takes them, and then the arguments behind them. */
export type Op = (inputs: readonly (Tensor | number)[], args: readonly unknown[]) => Tensor | readonly Tensor[];

// biome-ignore lint/suspicious/noExplicitAny: arguments come from JSON, each fixture's as its op takes them
type Arguments = any[];

/** For ops whose inputs are all tensors. */
const of =
  (fn: (xs: Tensor[], ...args: Arguments) => Tensor | readonly Tensor[]): Op =>
  (inputs, args) =>
    fn(inputs as Tensor[], ...args);

const vector = (x: Tensor): Tensor => {
  const a = engine.tensor([
    [0.5, -1, 0.25],
    [1.5, 0.75, -0.5],
  ]);
  return engine
    .matmul(a, x.mul(x))
    .tanh()
    .add(engine.slice(x, [[0, 2]]).exp());
};
const number = (x: Tensor): Tensor => vector(x).pow(3).sum();

/** Weight and bias behind x and what comes with it, as options. */
const affine = (rest: readonly Tensor[], options = {}) => {
  const [weight, bias] = rest;
  return weight && bias ? { weight, bias, ...options } : options;
};

const SLOT = 64;

/**
 * Steps of an optimizer over arenas: the inputs are `count` parameters, and then their gradients in each step. Gives the
 * parameters, and then each state of all of them.
 */
function steps<R extends RuleName>(inputs: readonly Tensor[], rule: R, count: number, given: StepRules[R]): Tensor[] {
  const parameters = inputs.slice(0, count);
  const lengths = parameters.map((p) => p.size);
  const offsets: number[] = [];
  let size = 0;
  for (const n of lengths) {
    offsets.push(size);
    size += Math.ceil(n / SLOT) * SLOT;
  }
  const fill = lengths.map((n) => Math.ceil(n / SLOT) * SLOT - n);
  const flat = engine.concat(parameters.flatMap((p, i) => [p.reshape([p.size]), engine.zeros([fill[i]!])]));
  const states = internal.stepStates[rule].map(() => engine.zeros([size]));
  for (let step = 1; step * count < inputs.length; step++) {
    const gradients = inputs.slice(step * count, (step + 1) * count);
    const params: StepParams<R> = Object.assign({ lengths, offsets }, given, { step });
    internal.optimizerStep(rule, flat, states, gradients, params);
  }
  return [flat, ...states].flatMap((arena) =>
    parameters.map((p, i) => arena.slice([[offsets[i]!, offsets[i]! + p.size]]).reshape(p.shape)),
  );
}

const adapted: Readonly<Record<string, Op>> = {
  concat: of((xs, axis) => engine.concat(xs, axis)),
  stack: of((xs, axis) => engine.stack(xs, axis)),
  einsum: of((xs, equation) => engine.einsum(equation, ...xs)),
  norm: of(([x], p = 2, ...rest) => engine.norm(x!, Number(p), ...rest)),
  gather: of(([x, index], axis) => engine.gather(x!, axis, index!)),
  scatterAdd: of(([x, index, source], axis) => engine.scatterAdd(x!, axis, index!, source!)),
  sort: of(([x], ...args) => {
    const { values, indices } = engine.sort(x!, ...args);
    return [values, indices];
  }),
  topk: of(([x], k, ...args) => {
    const { values, indices } = engine.topk(x!, k, ...args);
    return [values, indices];
  }),
  batchNorm: of(([x, gamma, beta], { stats: wanted = false, ...options } = {}) => {
    const { y, stats } = engine.batchNorm(x!, gamma!, beta!, options);
    return wanted ? [y, stats] : [y];
  }),
  batchNormInference: of(([x, mean, variance, ...rest], options) =>
    engine.batchNormInference(x!, mean!, variance!, affine(rest, options)),
  ),
  instanceNorm: of(([x, ...rest], options) => engine.instanceNorm(x!, affine(rest, options))),
  groupNorm: of(([x, ...rest], groups, options) => engine.groupNorm(x!, groups, affine(rest, options))),
  // In JSON `mask` and `bias` say that there is one.
  scaledDotProductAttention: of(([q, k, v, ...more], { mask, bias, ...options } = {}) => {
    const blocked = mask ? { mask: more.shift()! } : {};
    const added = bias ? { bias: more.shift()! } : {};
    return engine.scaledDotProductAttention(q!, k!, v!, { ...options, ...blocked, ...added });
  }),
  // A third tensor is the weight of the positives, or, where `weight` says so, that of the elements.
  binaryCrossEntropyWithLogits: of(([x, t, third], { weight, ...options } = {}) =>
    engine.binaryCrossEntropyWithLogits(
      x!,
      t!,
      third ? { [weight ? 'weight' : 'posWeight']: third, ...options } : options,
    ),
  ),
  binaryCrossEntropy: of(([x, t, weight], { weight: _, ...options } = {}) =>
    engine.binaryCrossEntropy(x!, t!, weight ? { weight, ...options } : options),
  ),
  crossEntropy: of(([x, t, weight], options) => engine.crossEntropy(x!, t!, weight ? { weight, ...options } : options)),
  nllLoss: of(([x, t, weight], options) => engine.nllLoss(x!, t!, weight ? { weight, ...options } : options)),
  qr: of(([a]) => {
    const { q, r } = engine.qr(a!);
    return [q, r];
  }),
  // The gradient of a symmetric function is symmetric; the fixture's is that of the triangle which is read.
  eigh: of(([a]) => {
    const { values, vectors } = engine.eigh(engine.tril(a!).add(engine.tril(a!, -1).transpose()));
    return [values, vectors];
  }),
  spectralNorm: of(([w, start], options) => {
    const { sigma, u, v } = engine.spectralNorm(w!, start!, options);
    return [w!.div(sigma), u, v];
  }),
  powerIteration: of(([w, start], options) => {
    const { u, v } = engine.powerIteration(w!, start!, options);
    return [u, v];
  }),
  optimizerStep: of(steps),
  clampInPlace: of(([x], min, max) => internal.clampInPlace(x!.clone(), min, max)),
  emaStep: of(([average, ...values], decay) => {
    for (const v of values) internal.emaStep(average!, v, decay);
    return average!;
  }),
  copyFrom: of(([x, source]) => engine.copyFrom(x!, source!)),
  updateRunningStats: of(([mean, variance, ...batches], { momentum, eps = 1e-5 }) => {
    const one = engine.ones(mean!.shape);
    for (const batch of batches) {
      const { stats } = engine.batchNorm(batch, one, one, { eps });
      internal.updateRunningStats(mean!, variance!, stats, { momentum, eps, n: batch.size / mean!.size });
    }
    return [mean!, variance!];
  }),
  jacobian: of(([x]) => engine.jacobian(vector, x!)),
  hessian: of(([x]) => engine.hessian(number, x!)),
  vjp: of(([x, v]) => {
    const [y, pullback] = engine.vjp(vector, [x!]);
    return [y, ...pullback(v!)];
  }),
  jvp: of(([x, v]) => engine.jvp(vector, [x!], [v!])),
  hvp: of(([x, v]) => engine.hvp(number, x!, v!)),
  vhp: of(([x, v]) => engine.vhp(number, x!, v!)),
};

/** The function behind a fixture's op. */
export function opOf(name: string): Op {
  if (adapted[name]) return adapted[name];
  const fn = (engine as Readonly<Record<string, unknown>>)[name];
  if (typeof fn !== 'function') throw new Error(`the fixtures have ${name}, and wgrad exports no such function`);
  return (inputs, args) => fn(...inputs, ...args);
}
