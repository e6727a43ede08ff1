import { checked, shown } from '../arguments/options.ts';
import { apply } from '../autograd/apply.ts';
import { pushForward } from '../autograd/forward.ts';
import { grad, throughComposite } from '../autograd/grad.ts';
import { enableGrad, isRecording } from '../autograd/node.ts';
import type { JointRule, Row } from '../autograd/row.ts';
import { lift } from '../autograd/transforms.ts';
import { refusePromise, ShapeError } from '../errors.ts';
import { full } from '../ops/create.ts';
import { add } from '../ops/elementwise.ts';
import { reshape } from '../ops/movement.ts';
import { type Shape, sameShape, show } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { CustomOp, CustomOpContext } from './customOpTypes.ts';
import { arityOf, checkCount, checkedPlan, checkedShape } from './customPlan.ts';

/** Definitions of the ops made here, for `kernelcheck`. */
const definitions = new WeakMap<object, CustomOp>();

/** What an op was made of; undefined for another function. */
export const definitionOf = (op: object): CustomOp | undefined => definitions.get(op);

/**
 * Makes an op with derivative rules, and if wanted a kernel, of one's own. Check it with `gradcheck`, `gradgradcheck` and
 * `kernelcheck`. A call with another number of inputs, a plan that reaches for buffers which are not the op's to write, and a
 * function that gives something else than asked for are refused by name before anything is launched.
 * @throws TypeError if the definition contradicts itself
 * @example
 * const cube = customOp({ name: 'cube', forward: (x) => x.mul(x).mul(x), vjp: [(g, { inputs: [x] }) => g.mul(x.square()).mul(3)] });
 */
export function customOp(op: CustomOp): (...inputs: Tensor[]) => Tensor {
  const own = { ...checked('customOp', op, ['name', 'inputs', 'forward', 'vjp', 'jvp', 'kernel']) };
  const { name, kernel } = own;
  const arity = arityOf(own);
  const says = `customOp ${name}`;
  const savedBy = (shapes: readonly Shape[]): readonly Shape[] => {
    const saved: unknown = kernel?.saved?.(...shapes) ?? [];
    if (!Array.isArray(saved))
      throw new TypeError(`${says}: kernel.saved must give a list of shapes, not ${shown(saved)}`);
    return saved.map((s) => checkedShape(says, 'kernel.saved', s));
  };
  const shapesOf = (shapes: readonly Shape[]): Shape[] =>
    kernel ? [checkedShape(says, 'kernel.shape', kernel.shape(...shapes)), ...savedBy(shapes)] : [];
  const row: Row<undefined> = {
    name,
    // Without a kernel the composition runs, and its results have the shapes.
    shape: shapesOf,
    composite: (inputs) => {
      const all = resultsOf(own, inputs);
      if (kernel) {
        const shapes = shapesOf(inputs.map((t) => t.shape));
        if (all.length !== shapes.length) {
          throw new TypeError(
            `${says}: forward saves ${all.length - 1} tensors, and kernel.saved gives the shapes of ${shapes.length - 1}`,
          );
        }
        all.forEach((t, i) => {
          if (sameShape(t.shape, shapes[i]!)) return;
          const [made, said] = i === 0 ? ['forward gives', 'kernel.shape'] : [`saved ${i - 1} is`, 'kernel.saved'];
          throw new ShapeError(`${says}: ${made} ${show(t.shape)}, and ${said} says ${show(shapes[i]!)}`);
        });
      }
      // Names of their own: a result may be an input, or a tensor from outside.
      return all.map((t) => reshape(t, t.shape));
    },
    ...(kernel
      ? {
          kernel: ({ inputs, outputs, target }) =>
            checkedPlan(name, kernel.plan({ inputs, output: outputs[0]!, target }), { inputs, outputs }),
        }
      : {}),
  };
  const [vjp, jvp] = [vjpOf(own, row), jvpOf(own, row)];
  Object.assign(row, vjp && { vjp }, jvp && { jvp });
  const call = (...inputs: Tensor[]): Tensor => {
    checkCount(name, arity, inputs.length);
    return apply(row, inputs, undefined)[0]!;
  };
  definitions.set(call, own);
  return call;
}

/** What `forward` gives: the result, then what it saved. */
export function resultsOf({ name, forward }: CustomOp, inputs: readonly Tensor[]): Tensor[] {
  const made: unknown = refusePromise(`customOp ${name}, forward`, forward(...inputs) as unknown);
  if (made instanceof Tensor) return [made];
  const isRecord = typeof made === 'object' && made !== null && !Array.isArray(made);
  const { y, saved, ...rest } = (isRecord ? made : {}) as { readonly [name: string]: unknown };
  const isSaved = Array.isArray(saved) && saved.every((t) => t instanceof Tensor);
  if (y instanceof Tensor && isSaved && Object.keys(rest).length === 0) return [y, ...saved];
  throw new TypeError(
    `customOp ${name}: forward must return a tensor, or { y, saved: [...] } with tensors, not ${shown(made)}`,
  );
}

const contextOf = (inputs: readonly Tensor[], [output, ...saved]: readonly Tensor[]): CustomOpContext => ({
  inputs,
  output: output!,
  saved,
});

function jvpOf({ name, jvp }: CustomOp, row: Row<undefined>): Row<undefined>['jvp'] {
  return (
    jvp &&
    ((tangents, { inputs, outputs }) => {
      const all = tangents.map((v, i) => v ?? full(inputs[i]!.shape, 0));
      const tangent = tangentOf(name, jvp, all, contextOf(inputs, outputs));
      return [tangent, ...savedTangents(row, inputs, outputs.length - 1, tangents)];
    })
  );
}

/** What `jvp` gives, checked: a rule is the user's. */
function tangentOf(
  name: string,
  jvp: NonNullable<CustomOp['jvp']>,
  tangents: readonly Tensor[],
  context: CustomOpContext,
): Tensor {
  const tangent: unknown = refusePromise(`jvp of ${name}`, jvp(tangents, context) as unknown);
  if (!(tangent instanceof Tensor)) {
    throw new TypeError(`jvp of ${name}: the tangent must be a tensor, not ${shown(tangent)}`);
  }
  if (!sameShape(tangent.shape, context.output.shape)) {
    throw new ShapeError(
      `jvp of ${name}: the tangent ${show(tangent.shape)} must have the shape of the output ${show(context.output.shape)}`,
    );
  }
  return tangent;
}

/** The tangents of saved tensors, which a rule may have used and which `jvp` says nothing of: those of `forward`. */
function savedTangents(
  row: Row<undefined>,
  inputs: readonly Tensor[],
  count: number,
  tangents: readonly (Tensor | undefined)[],
): (Tensor | undefined)[] {
  if (count === 0) return [];
  const createGraph = isRecording();
  const xs = inputs.map(lift);
  const [, ...saved] = enableGrad(() => row.composite!(xs, undefined));
  return saved.map((s) => pushForward(s, xs, tangents, createGraph));
}

function vjpOf(op: CustomOp, row: Row<undefined>): JointRule<undefined> | undefined {
  const { vjp, jvp } = op;
  if (!vjp && !jvp) return undefined;
  return (g, { inputs, outputs, gs, needs }) => {
    const context = contextOf(inputs, outputs);
    const rule = (): (Tensor | null)[] => {
      if (!g) return inputs.map(() => null);
      if (vjp) return inputs.map((_, i) => (needs[i] ? cotangentOf(op, i, g, context) : null));
      return transposeOf(op.name, jvp!, g, context);
    };
    const direct = rule();
    // A rule that used saved tensors and is differentiated sends cotangents to them; `forward` says how they were made.
    if (!gs.some((c, k) => k > 0 && c)) return direct;
    const through = throughComposite({ row, inputs, params: undefined }, [undefined, ...gs.slice(1)], needs);
    return direct.map((d, i) => (d && through[i] ? add(d, through[i]) : (d ?? through[i] ?? null)));
  };
}

/** What the rule for input i gives, checked: a rule is the user's. */
function cotangentOf({ name, vjp }: CustomOp, i: number, g: Tensor, context: CustomOpContext): Tensor | null {
  const { inputs, output } = context;
  const rule = vjp?.[i];
  if (rule === undefined) {
    throw new TypeError(`customOp ${name}: vjp has ${vjp?.length} rules, and was called with ${inputs.length} inputs`);
  }
  if (rule === null) return null;
  const found: unknown = refusePromise(`customOp ${name}, the rule for input ${i}`, rule(g, context) as unknown);
  if (!(found instanceof Tensor)) {
    throw new TypeError(
      `customOp ${name}: the rule for input ${i} gave ${shown(found)}, not a tensor; null in place of the rule stands for zero`,
    );
  }
  const { shape } = inputs[i]!;
  // One in the output's shape is summed over the axes that broadcasting gave it.
  if (sameShape(found.shape, shape) || (sameShape(found.shape, output.shape) && broadcastsTo(shape, output.shape))) {
    return found;
  }
  throw new ShapeError(
    `customOp ${name}: the rule for input ${i} gave ${show(found.shape)}; the input is ${show(shape)} and the output ${show(output.shape)}`,
  );
}

function broadcastsTo(shape: Shape, to: Shape): boolean {
  const pad = to.length - shape.length;
  return pad >= 0 && shape.every((d, i) => d === 1 || d === to[pad + i]);
}

function transposeOf(
  name: string,
  jvp: NonNullable<CustomOp['jvp']>,
  g: Tensor,
  context: CustomOpContext,
): (Tensor | null)[] {
  const createGraph = isRecording();
  const vs = context.inputs.map((x) => full(x.shape, 0).requireGrad());
  const tangent = enableGrad(() => tangentOf(name, jvp, vs, context));
  if (!tangent.requiresGrad) return vs.map(() => null);
  return grad(tangent, vs, { gradOutputs: [g], createGraph, allowUnused: true });
}
