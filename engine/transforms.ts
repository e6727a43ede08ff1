/** Transformations of functions, all of them gradients of gradients, so that they nest to any order. */

import { aFunction, checkArguments } from './arguments.ts';
import { withDevice } from './device.ts';
import { refusePromise, ShapeError } from './errors.ts';
import { pushForward } from './forward.ts';
import { grad } from './grad.ts';
import { aTensor, tensorOrList, tensors } from './kinds.ts';
import { enableGrad, isRecording, noGrad } from './node.ts';
import { full } from './ops/create.ts';
import { concat, reshape, slice } from './ops/movement.ts';
import { shown } from './options.ts';
import { scope } from './scope.ts';
import { show } from './shape.ts';
import { Tensor } from './tensor.ts';

/** A function of one tensor or several. */
export type TensorFunction = (...inputs: Tensor[]) => Tensor;

/** What a function of the user's gives, recorded. @throws TypeError unless it is a tensor */
function resultOf(name: string, fn: TensorFunction, xs: readonly Tensor[]): Tensor {
  const y: unknown = enableGrad(() => refusePromise(name, fn(...xs)));
  if (y instanceof Tensor) return y;
  throw new TypeError(`${name}: the function must return a tensor, not ${shown(y)}`);
}

/** Inputs that can be differentiated with respect to; an outer gradient still reaches what lies behind them. */
export const lift = (x: Tensor): Tensor =>
  x.requiresGrad && isRecording() ? enableGrad(() => reshape(x, x.shape)) : x.detach().requireGrad();

const listOf = (x: Tensor | readonly Tensor[]): readonly Tensor[] => ('shape' in x ? [x] : x);

/** Whether results must be recorded because something outside may differentiate them. */
const nested = (...tensors: (Tensor | undefined)[]): boolean => isRecording() && tensors.some((t) => t?.requiresGrad);

/**
 * The value of `fn` and its vector-Jacobian product.
 * @returns y = fn(x...), and the pullback from a cotangent of y (1 for a scalar) to the cotangents of the inputs
 * @throws GradError from the pullback, if y is not a scalar and no cotangent is given, or one of another shape; TypeError for a
 * function that gives no tensor
 * @example
 * const [y, pullback] = vjp((x, w) => x.matmul(w), [x, w]);
 * const [gx, gw] = pullback(ones(y.shape));
 */
export function vjp(
  fn: TensorFunction,
  inputs: Tensor | readonly Tensor[],
): [y: Tensor, pullback: (g?: Tensor) => Tensor[]] {
  checkArguments('vjp', [aFunction('fn'), tensorOrList('inputs')], [fn, inputs]);
  const outer = listOf(inputs);
  const xs = outer.map(lift);
  const y = resultOf('vjp', fn, xs);
  const pullback = (g?: Tensor): Tensor[] =>
    grad(y, xs, { gradOutputs: [g], createGraph: nested(g, ...outer), retainGraph: true, allowUnused: true });
  return [y, pullback];
}

/**
 * The value of `fn` and its directional derivative along `tangents`, one for each input.
 * @throws ShapeError if a tangent is missing or has another shape than its input; TypeError for what are no lists of tensors, or
 * a function that gives no tensor
 * @example
 * const [y, slope] = jvp((x) => x.sin(), [x], [ones(x.shape)]); // slope is cos(x)
 */
export function jvp(
  fn: TensorFunction,
  inputs: readonly Tensor[],
  tangents: readonly Tensor[],
): [y: Tensor, tangent: Tensor] {
  checkArguments('jvp', [aFunction('fn'), tensors('inputs'), tensors('tangents')], [fn, inputs, tangents]);
  if (tangents.length > inputs.length) {
    throw new ShapeError(`jvp: ${tangents.length} tangents for ${inputs.length} inputs; give one for each`);
  }
  inputs.forEach((x, i) => {
    const v = tangents[i];
    if (!v || show(v.shape) !== show(x.shape)) {
      throw new ShapeError(
        `jvp: input ${i} is ${x.describe()} and its tangent ${v ? show(v.shape) : 'is missing'}; give one of the same shape`,
      );
    }
  });
  const xs = inputs.map(lift);
  const y = resultOf('jvp', fn, xs);
  const createGraph = nested(...inputs, ...tangents);
  const push = () =>
    withDevice(y.device, () => {
      const tangent = pushForward(y, xs, tangents, createGraph) ?? full(y.shape, 0);
      // A tensor of its own, which the caller may free.
      return tangents.includes(tangent) ? reshape(tangent, tangent.shape) : tangent;
    });
  // Not recorded, the steps on the way leave nothing behind.
  return [y, createGraph ? enableGrad(push) : scope(() => noGrad(push))];
}

/** The Hessian of a scalar function of one tensor times v: the gradient's derivative along v. */
export function hvp(fn: (x: Tensor) => Tensor, x: Tensor, v: Tensor): Tensor {
  checkArguments('hvp', [aFunction('fn'), aTensor('x'), aTensor('v')], [fn, x, v]);
  return jvp((t) => gradientOf('hvp', fn, t), [x], [v])[1];
}

/** v times the Hessian, in reverse twice; equal to `hvp`, since Hessians are symmetric. */
export function vhp(fn: (x: Tensor) => Tensor, x: Tensor, v: Tensor): Tensor {
  checkArguments('vhp', [aFunction('fn'), aTensor('x'), aTensor('v')], [fn, x, v]);
  return vjp((t) => gradientOf('vhp', fn, t), x)[1](v)[0]!;
}

const gradientOf = (name: string, fn: (x: Tensor) => Tensor, x: Tensor): Tensor =>
  grad(resultOf(name, fn, [x]), [x], { createGraph: true })[0]!;

/** All derivatives of fn(x) with respect to x: [...y.shape, ...x.shape]. One backward pass for each element of y. */
export function jacobian(fn: (x: Tensor) => Tensor, x: Tensor): Tensor {
  checkArguments('jacobian', [aFunction('fn'), aTensor('x')], [fn, x]);
  const lifted = lift(x);
  const y = resultOf('jacobian', fn, [lifted]);
  const flat = enableGrad(() => reshape(y, [y.size]));
  const createGraph = nested(x);
  const rows = Array.from({ length: y.size }, (_, i) => {
    const element = enableGrad(() => slice(flat, [[i, i + 1]]));
    const [row] = grad(element, [lifted], { createGraph, retainGraph: true, allowUnused: true });
    return reshape(row!, [1, x.size]);
  });
  return reshape(rows.length > 0 ? concat(rows) : full([0], 0), [...y.shape, ...x.shape]);
}

/** Second derivatives of a scalar function: [...x.shape, ...x.shape]. */
export function hessian(fn: (x: Tensor) => Tensor, x: Tensor): Tensor {
  checkArguments('hessian', [aFunction('fn'), aTensor('x')], [fn, x]);
  return jacobian((t) => gradientOf('hessian', fn, t), x);
}
