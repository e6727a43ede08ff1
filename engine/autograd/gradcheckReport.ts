/** What gradcheck says of a function: of what it gives, of two Jacobians that differ, and of the op at fault. */

import { shown } from '../arguments/options.ts';
import { DeviceError, GradcheckError, refusePromise } from '../errors.ts';
import { reference } from '../reference/device.ts';
import { scope } from '../tensor/scope.ts';
import { show, sizeOf } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { relevant } from './grad.ts';
import { nameOf } from './row.ts';

/** Checks a function at a point, on the reference device. @throws GradcheckError */
export type Local = (fn: (...xs: Tensor[]) => Tensor[], inputs: readonly Tensor[], values: Float64Array[]) => number;

/** Elements of a Jacobian that are worth the search. */
const MOST = 4096;

/**
 * The first op between `xs` and `ys` whose own derivative is wrong, in words; undefined if each alone seems right, or those that
 * are not are too large to be checked.
 */
export function culprit(ys: readonly Tensor[], xs: readonly Tensor[], local: Local): string | undefined {
  for (const { row, inputs, outputs, params } of [...relevant(ys, xs)].reverse()) {
    const size = (list: readonly Tensor[]) => list.reduce((n, t) => n + sizeOf(t.shape), 0);
    if (row.view || size(inputs) * size(outputs) > MOST) continue;
    try {
      const values = inputs.map((t) => reference.values(t.storage).slice());
      scope(() => local((...given) => [apply(row, given, params)[0]!], inputs, values));
    } catch (error) {
      // At this op's values other errors are possible: they do not say that its rule is wrong.
      if (!(error instanceof GradcheckError)) continue;
      return `the op whose derivative is wrong: ${nameOf(row)} of ${inputs.map((t) => show(t.shape)).join(' and ')}`;
    }
  }
  return undefined;
}

/** What a function of the user's gives, as a list. @throws TypeError for what are no tensors, GradcheckError for another device's */
export function outputsOf(name: string, fn: (...xs: Tensor[]) => unknown, xs: readonly Tensor[]): Tensor[] {
  let found: unknown;
  try {
    found = refusePromise(name, fn(...xs));
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    throw new GradcheckError(
      `${name}: the function uses a tensor of another device: ${error.message}. It runs in float64 on the reference device, and only its inputs are brought there. Make constants inside the function; give the weights of a module as inputs: ${name}((x, w) => functionalCall(module, { weight: w }, x), [x, module.weight]), with functionalCall of wgrad/nn`,
      { cause: error },
    );
  }
  const list = Array.isArray(found) ? found : [found];
  if (list.length > 0 && list.every((t): t is Tensor => t instanceof Tensor)) return list;
  throw new TypeError(`${name}: the function must return a tensor, or a list of them, not ${shown(found)}`);
}

/** Elements of a Jacobian that a message shows. */
const READABLE = 64;

/** Whether a Jacobian is small enough to be read. */
export const isReadable = (rows: number, columns: number): boolean => rows * columns <= READABLE;

/** Two Jacobians as text, a row for each element of the output. */
export function sideBySide(rows: readonly Float64Array[], columns: readonly Float64Array[]): string {
  const text = (value: (r: number, at: number) => number) =>
    rows.map((_, r) => `  ${columns.map((__, at) => Number(value(r, at).toPrecision(6))).join(' ')}`).join('\n');
  const [analytic, numeric] = [text((r, at) => rows[r]![at]!), text((r, at) => columns[at]![r]!)];
  return `\nanalytic, a row for each element of the output:\n${analytic}\nnumeric:\n${numeric}`;
}
