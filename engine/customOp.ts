import type { Plan, Target } from '../kernels/kernel.ts';
import { apply } from './apply.ts';
import { ShapeError } from './errors.ts';
import { pushForward } from './forward.ts';
import { grad, throughComposite } from './grad.ts';
import { enableGrad, isRecording } from './node.ts';
import { full } from './ops/create.ts';
import { add } from './ops/elementwise.ts';
import { reshape } from './ops/movement.ts';
import { checked } from './options.ts';
import type { JointRule, Row } from './row.ts';
import { type Shape, sameShape, show } from './shape.ts';
import { Tensor } from './tensor.ts';
import { lift } from './transforms.ts';

/** What the rules of a custom op see of the call. */
export interface CustomOpContext {
  /** The inputs of the call. */
  readonly inputs: readonly Tensor[];
  /** Its result. */
  readonly output: Tensor;
  /** What `forward` saved beside its result. */
  readonly saved: readonly Tensor[];
}

/** A result, and tensors worked out on the way that the rules want to use again. */
export interface SavedResult {
  /** The result. */
  readonly y: Tensor;
  /** The tensors that rules find in their context. */
  readonly saved: readonly Tensor[];
}

/** WGSL of one's own for a custom op's forward pass. */
export interface CustomKernel {
  /** The shape of the output; throw a ShapeError for inputs that do not fit. */
  readonly shape: (...inputs: Shape[]) => Shape;
  /** The shapes of the saved tensors, if `forward` saves any. */
  readonly saved?: (...inputs: Shape[]) => readonly Shape[];
  /**
   * The launches. Buffers are numbered: the inputs, then the output, then the saved tensors, then the plan's `temps`.
   * Binding 0 of each shader is its uniform block of `params`; its storage buffers follow in the order of `args`.
   */
  readonly plan: (context: { inputs: readonly Shape[]; output: Shape; target: Target }) => Plan;
}

/** An op of the user's own. Without `vjp` and `jvp` the derivative of `forward` is taken. */
export interface CustomOp {
  /** Shown on the tape and in errors. */
  readonly name: string;
  /**
   * The function, written in ops: what the reference device runs, and what WebGPU runs unless there is a kernel. Gradients
   * flow to its inputs only, not to tensors it captures.
   */
  readonly forward: (...inputs: Tensor[]) => Tensor | SavedResult;
  /**
   * For each input the vector-Jacobian product, written in ops: the cotangent g of the output in, that of the input out.
   * null where the derivative is zero. Rules may be differentiated in turn: `output` and `saved` are functions of the inputs.
   */
  readonly vjp?: readonly (((g: Tensor, context: CustomOpContext) => Tensor) | null)[];
  /**
   * The Jacobian-vector product, written in ops and linear in the tangents, one for each input. `jvp` uses it; without a
   * `vjp`, its transpose is the vjp.
   */
  readonly jvp?: (tangents: readonly Tensor[], context: CustomOpContext) => Tensor;
  /** A kernel for WebGPU. A test with `gradcheck` covers the rules; compare the kernel with `forward` too. */
  readonly kernel?: CustomKernel;
}

/**
 * Makes an op with derivative rules, and if wanted a kernel, of one's own. Check it with `gradcheck` and `gradgradcheck`.
 * @example
 * const cube = customOp({ name: 'cube', forward: (x) => x.mul(x).mul(x), vjp: [(g, { inputs: [x] }) => g.mul(x.square()).mul(3)] });
 */
export function customOp(op: CustomOp): (...inputs: Tensor[]) => Tensor {
  const { name, forward, kernel } = checked('customOp', op, ['name', 'forward', 'vjp', 'jvp', 'kernel']);
  const row: Row<undefined> = {
    name,
    // Without a kernel the composition runs, and its results have the shapes.
    shape: (inputs) => (kernel ? [kernel.shape(...inputs), ...(kernel.saved?.(...inputs) ?? [])] : []),
    composite: (inputs) => {
      const made = forward(...inputs);
      const all = made instanceof Tensor ? [made] : [made.y, ...made.saved];
      if (kernel && all.length !== 1 + (kernel.saved?.(...inputs.map((t) => t.shape)).length ?? 0)) {
        throw new TypeError(
          `customOp ${name}: forward saves ${all.length - 1} tensors, and kernel.saved gives the shapes of others`,
        );
      }
      // Names of their own: a result may be an input, or a tensor from outside.
      return all.map((t) => reshape(t, t.shape));
    },
    ...(kernel
      ? { kernel: ({ inputs, outputs, target }) => kernel.plan({ inputs, output: outputs[0]!, target }) }
      : {}),
  };
  const [vjp, jvp] = [vjpOf(op, row), jvpOf(op, row)];
  Object.assign(row, vjp && { vjp }, jvp && { jvp });
  return (...inputs) => apply(row, inputs, undefined)[0]!;
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
      const tangent = jvp(all, contextOf(inputs, outputs));
      if (!sameShape(tangent.shape, outputs[0]!.shape)) {
        throw new ShapeError(
          `jvp of ${name}: the tangent ${show(tangent.shape)} must have the shape of the output ${show(outputs[0]!.shape)}`,
        );
      }
      return [tangent, ...savedTangents(row, inputs, outputs.length - 1, tangents)];
    })
  );
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
      return transposeOf(jvp!, g, context);
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
  if (!Array.isArray(vjp) || vjp.length !== inputs.length) {
    throw new TypeError(
      `customOp ${name}: vjp must be a list with a rule, or null, for each of its ${inputs.length} inputs, not ${Array.isArray(vjp) ? `of ${vjp.length}` : typeof vjp}`,
    );
  }
  const rule = vjp[i] as NonNullable<CustomOp['vjp']>[number];
  if (rule === null) return null;
  const found: unknown = rule(g, context);
  if (!(found instanceof Tensor)) {
    throw new TypeError(
      `customOp ${name}: the rule for input ${i} gave ${typeof found}, not a tensor; null stands for zero`,
    );
  }
  const { shape } = inputs[i]!;
  // One in the output's shape is summed over the axes that broadcasting gave it.
  if (!sameShape(found.shape, shape) && !sameShape(found.shape, output.shape)) {
    throw new ShapeError(
      `customOp ${name}: the rule for input ${i} gave ${show(found.shape)}; the input is ${show(shape)} and the output ${show(output.shape)}`,
    );
  }
  return found;
}

function transposeOf(jvp: NonNullable<CustomOp['jvp']>, g: Tensor, context: CustomOpContext): (Tensor | null)[] {
  const createGraph = isRecording();
  const vs = context.inputs.map((x) => full(x.shape, 0).requireGrad());
  const tangent = enableGrad(() => jvp(vs, context));
  if (!tangent.requiresGrad) return vs.map(() => null);
  return grad(tangent, vs, { gradOutputs: [g], createGraph, allowUnused: true });
}
