/** Transformations of functions, all of them gradients of gradients, so that they nest to any order. */

import { aFunction, guarded } from '../arguments/arguments.ts';
import { aTensor, returned, tensorOrList, tensors } from '../arguments/kinds.ts';
import { withDevice } from '../device.ts';
import { GradError, ShapeError } from '../errors.ts';
import { full } from '../ops/create.ts';
import { concat, reshape, slice } from '../ops/movement.ts';
import { scope } from '../tensor/scope.ts';
import { show } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { pushForward } from './forward.ts';
import { grad } from './grad.ts';
import { enableGrad, isRecording, noGrad } from './node.ts';

/** A function of one tensor or several. */
export type TensorFunction = (...inputs: Tensor[]) => Tensor;

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
 * @function
 */
export const vjp = guarded(
  'vjp',
  [aFunction('fn'), tensorOrList('inputs')],
  (fn: TensorFunction, inputs: Tensor | readonly Tensor[]): [y: Tensor, pullback: (g?: Tensor) => Tensor[]] => {
    const outer = listOf(inputs);
    const xs = outer.map(lift);
    const y = enableGrad(() => returned('vjp', fn(...xs)));
    const pullback = (g?: Tensor): Tensor[] =>
      grad(y, xs, { gradOutputs: [g], createGraph: nested(g, ...outer), retainGraph: true, allowUnused: true });
    return [y, pullback];
  },
);

/**
 * The value of `fn` and its directional derivative along `tangents`, one for each input.
 * @throws ShapeError if a tangent is missing or has another shape than its input; TypeError for what are no lists of tensors, or
 * a function that gives no tensor
 * @example
 * const [y, slope] = jvp((x) => x.sin(), [x], [ones(x.shape)]); // slope is cos(x)
 * @function
 */
export const jvp = guarded(
  'jvp',
  [aFunction('fn'), tensors('inputs'), tensors('tangents')],
  (fn: TensorFunction, inputs: readonly Tensor[], tangents: readonly Tensor[]): [y: Tensor, tangent: Tensor] => {
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
    const y = enableGrad(() => returned('jvp', fn(...xs)));
    const createGraph = nested(...inputs, ...tangents);
    const push = () =>
      withDevice(y.device, () => {
        const tangent = pushForward(y, xs, tangents, createGraph) ?? full(y.shape, 0);
        // A tensor of its own, which the caller may free.
        return tangents.includes(tangent) ? reshape(tangent, tangent.shape) : tangent;
      });
    // Not recorded, the steps on the way leave nothing behind.
    return [y, createGraph ? enableGrad(push) : scope(() => noGrad(push))];
  },
);

/** The Hessian of a scalar function of one tensor times v: the gradient's derivative along v. @function */
export const hvp = guarded(
  'hvp',
  [aFunction('fn'), aTensor('x'), aTensor('v')],
  (fn: (x: Tensor) => Tensor, x: Tensor, v: Tensor): Tensor => jvp((t) => gradientOf('hvp', fn, t), [x], [v])[1],
);

/** v times the Hessian, in reverse twice; equal to `hvp`, since Hessians are symmetric. @function */
export const vhp = guarded(
  'vhp',
  [aFunction('fn'), aTensor('x'), aTensor('v')],
  (fn: (x: Tensor) => Tensor, x: Tensor, v: Tensor): Tensor => vjp((t) => gradientOf('vhp', fn, t), x)[1](v)[0]!,
);

function gradientOf(called: string, fn: (x: Tensor) => Tensor, x: Tensor): Tensor {
  const y = returned(called, fn(x));
  if (y.size !== 1) throw new GradError(`${called}: the function must return a scalar, not ${show(y.shape)}; sum() it`);
  return grad(y, [x], { createGraph: true })[0]!;
}

/** All derivatives of fn(x) with respect to x: [...y.shape, ...x.shape]. One backward pass for each element of y. @function */
export const jacobian = guarded(
  'jacobian',
  [aFunction('fn'), aTensor('x')],
  (fn: (x: Tensor) => Tensor, x: Tensor): Tensor => {
    const lifted = lift(x);
    const y = enableGrad(() => returned('jacobian', fn(lifted)));
    const flat = enableGrad(() => reshape(y, [y.size]));
    const createGraph = nested(x);
    const rows = Array.from({ length: y.size }, (_, i) => {
      const element = enableGrad(() => slice(flat, [[i, i + 1]]));
      const [row] = grad(element, [lifted], { createGraph, retainGraph: true, allowUnused: true });
      return reshape(row!, [1, x.size]);
    });
    return reshape(rows.length > 0 ? concat(rows) : full([0], 0), [...y.shape, ...x.shape]);
  },
);

/** Second derivatives of a scalar function: [...x.shape, ...x.shape]. @function */
export const hessian = guarded(
  'hessian',
  [aFunction('fn'), aTensor('x')],
  (fn: (x: Tensor) => Tensor, x: Tensor): Tensor => jacobian((t) => gradientOf('hessian', fn, t), x),
);
