import { shown } from '../arguments/options.ts';
import { withDevice } from '../device.ts';
import { reference } from '../reference/device.ts';
import { Rng } from '../rng.ts';
import { scope } from '../tensor/scope.ts';
import { Tensor } from '../tensor/tensor.ts';
import { Check } from './derivativeCheck.ts';
import { grad } from './grad.ts';
import type { Fn, GradcheckOptions } from './gradcheckOptions.ts';
import type { Local } from './gradcheckReport.ts';

/**
 * Compares the Jacobian of every output of `fn` with central differences, element by element, in float64 on the reference
 * device whatever the current device is; tolerances and defaults are those of torch.autograd.gradcheck. `fn` must give the
 * same result each time, and must make any constants inside itself (they are then float64 too). An output that does not
 * depend on the inputs must be constant: leave one out that is cut off on purpose.
 * @param inputs any shapes, on any device; only their values are used
 * @returns the largest |analytic - numeric|, relative to |numeric| where that is above 1
 * @throws GradcheckError naming output, input, index, analytic and numeric value, both Jacobians where they are small, and the op
 * whose rule is wrong where one alone shows it; or that `fn` is not deterministic, or uses a tensor of another device
 * @throws GradError if no output depends on an input; TypeError for what is no list of tensors, or no function that gives tensors
 * @example
 * await gradcheck((x, w) => conv2d(x, w, { padding: 1 }), [randn([1, 4, 4, 2]), randn([3, 3, 2, 1])]);
 */
export async function gradcheck(fn: Fn, inputs: readonly Tensor[], options: GradcheckOptions = {}): Promise<number> {
  const values = await valuesOf('gradcheck', fn, inputs);
  return withDevice(reference, () => new Check('gradcheck', fn, inputs, values, options).run(firstOrder));
}

/**
 * Does what `gradcheck` does, for the function that takes the inputs and the cotangents of the outputs to the gradient: its derivative
 * with respect to both. The cotangents are drawn from a normal distribution.
 */
export async function gradgradcheck(
  fn: Fn,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): Promise<number> {
  const values = await valuesOf('gradgradcheck', fn, inputs);
  return withDevice(reference, () => scope(() => secondCheck(fn, inputs, values, options).run(secondOrder)));
}

/** The check of the gradient of `fn`, as a function of its inputs and of the cotangents of its outputs. */
function secondCheck(
  fn: Fn,
  inputs: readonly Tensor[],
  values: readonly Float64Array[],
  options: GradcheckOptions,
): Check {
  const n = inputs.length;
  const first = new Check('gradgradcheck', fn, inputs, values, options);
  const rng = new Rng(options.seed ?? 0, 1);
  const cotangents = first.outputs().map((y, k) => Object.assign(rng.normal(y.shape), { label: `cotangent ${k}` }));
  const second: Fn = (...all) =>
    grad(first.called(all.slice(0, n)), all.slice(0, n), {
      gradOutputs: all.slice(n),
      createGraph: true,
      allowUnused: true,
    });
  const all = [...values, ...cotangents.map((t) => reference.values(t.storage).slice())];
  return new Check('gradgradcheck', second, [...inputs, ...cotangents], all, options, first);
}

const firstOrder: Local = (fn, inputs, values) => new Check('gradcheck', fn, inputs, values, {}).run();
const secondOrder: Local = (fn, inputs, values) => secondCheck(fn, inputs, values, {}).run();

/** The inputs' values, once it is seen that the call is one. */
async function valuesOf(name: string, fn: unknown, inputs: unknown): Promise<Float64Array[]> {
  if (typeof fn !== 'function')
    throw new TypeError(`${name}: the first argument is a function of tensors, not ${shown(fn)}`);
  if (!Array.isArray(inputs) || !inputs.every((t): t is Tensor => t instanceof Tensor)) {
    throw new TypeError(`${name}: the inputs are a list of tensors, as in ${name}(f, [x]), not ${shown(inputs)}`);
  }
  return Promise.all(inputs.map(async (t) => Float64Array.from(await t.data())));
}
