import { aFunction, guarded, options } from '../arguments/arguments.ts';
import { returned, tensorOrList, tensorRange, tensorsAsIn } from '../arguments/kinds.ts';
import { flag } from '../arguments/ranges.ts';
import { withDevice } from '../device.ts';
import { GradError } from '../errors.ts';
import { full } from '../ops/create.ts';
import { add } from '../ops/elementwise.ts';
import { reshape } from '../ops/movement.ts';
import { sumTo } from '../ops/reduce.ts';
import { currentOwner } from '../tensor/lifetime.ts';
import { scope } from '../tensor/scope.ts';
import { sameShape, show } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { guardSaved } from './apply.ts';
import { enableGrad, isRecording, type Node, noGrad } from './node.ts';
import type { JointRule, RuleContext } from './row.ts';

const gradInputs = tensorsAsIn('inputs', 'y, [x]');

/** Options of {@link grad}. */
export interface GradOptions {
  /** Record the backward pass itself, so that its results can be differentiated. Default false. */
  readonly createGraph?: boolean;
  /** Leave the graph usable for another backward pass. Default: the value of `createGraph`, as in PyTorch. */
  readonly retainGraph?: boolean;
  /** The cotangent of each output; needed for outputs that are not scalars. Default 1. */
  readonly gradOutputs?: readonly (Tensor | undefined)[];
  /** Give zeros for inputs that no output depends on, instead of an error. Default false. */
  readonly allowUnused?: boolean;
}

const gradOptions = options<GradOptions>({
  createGraph: flag,
  retainGraph: flag,
  gradOutputs: {
    holds: (v) => Array.isArray(v) && v.every((g) => g === undefined || tensorRange.holds(g)),
    says: 'a list of tensors, one for each output',
  },
  allowUnused: flag,
});

/**
 * The gradient of the sum of `outputs` (weighted by `gradOutputs`) with respect to each of `inputs`, as torch.autograd.grad.
 * With `createGraph` the result is recorded too and can be differentiated again, to any order.
 * @returns one tensor for each input, in its shape, which the caller may free
 * @throws GradError if an output is not a scalar and has no gradOutput, if an input does not require a gradient or is not
 * reached, if a saved value was overwritten in place, or if the graph was already used by a backward pass without `retainGraph`
 * @example
 * const x = tensor([1, 2, 3], { requiresGrad: true });
 * const [dx] = grad(x.pow(3).sum(), [x], { createGraph: true }); // 3x²: 3, 12, 27
 * const [ddx] = grad(dx.sum(), [x]); // 6x: 6, 12, 18
 * @function
 */
export const grad = guarded(
  'grad',
  [tensorOrList('outputs'), gradInputs, gradOptions],
  (outputs: Tensor | readonly Tensor[], inputs: readonly Tensor[], options: GradOptions = {}): Tensor[] => {
    const ys = 'shape' in outputs ? [outputs] : outputs;
    if (ys.length === 0) throw new GradError('grad: no outputs given');
    const plain = inputs.find((x) => !x.requiresGrad);
    if (plain) {
      throw new GradError(
        `grad: ${plain.describe()} does not require a gradient; call requireGrad() on it before it is used`,
      );
    }
    const found = pull(ys, inputs, options);
    return inputs.map((x, i) => found[i] ?? unused(ys, x, options));
  },
);

/**
 * As `grad`, with null for inputs that no cotangent reaches.
 * @param since ops with smaller ids are not entered: what they made counts as a leaf
 */
export function pull(
  ys: readonly Tensor[],
  inputs: readonly Tensor[],
  options: GradOptions,
  since = 0,
): (Tensor | null)[] {
  const { createGraph = false, retainGraph = createGraph } = options;
  const nodes = relevant(ys, inputs, since);
  if (ys.length === 0) return inputs.map(() => null);
  const run = () =>
    withDevice(ys[0]!.device, () => {
      const steps = backwardSteps(ys, inputs, nodes, options, createGraph);
      let step = steps.next();
      while (!step.done) step = steps.next();
      return step.value;
    });
  const gradients = createGraph ? enableGrad(run) : noGrad(() => scope(run));
  if (!retainGraph) for (const node of nodes) node.freed = true;
  return gradients;
}

/** Zeros where the derivative is zero, or is to be taken for zero; an error where x and the outputs are unconnected. */
function unused(ys: readonly Tensor[], x: Tensor, options: GradOptions): Tensor {
  const connected = relevant(ys, [x]).size > 0;
  if (connected || options.allowUnused) return withDevice(x.device, () => noGrad(() => full(x.shape, 0)));
  if (!ys.some((y) => y.requiresGrad)) {
    throw new GradError(
      `grad: ${ys[0]!.describe()} does not require a gradient: no op behind it was recorded. If it comes from grad(), pass { createGraph: true } there; if it does not depend on the inputs at all, { allowUnused: true } gives zeros`,
    );
  }
  throw new GradError(`grad: no output depends on ${x.describe()}; pass { allowUnused: true } for zeros`);
}

/**
 * The result of `fn`, a scalar unless `gradOutputs` are given, and its gradient with respect to each of `inputs`.
 * @throws GradError as `grad`
 * @function
 */
export const valueAndGrad = guarded(
  'valueAndGrad',
  [aFunction('fn'), gradInputs, gradOptions],
  (fn: () => Tensor, inputs: readonly Tensor[], options: GradOptions = {}): [Tensor, Tensor[]] => {
    const y = returned('valueAndGrad', fn());
    return [y, grad(y, inputs, options)];
  },
);

/** One op of a backward pass: the cotangents of its outputs that came in, and those of its inputs that went out. */
export interface BackwardStep {
  readonly node: Node;
  readonly incoming: readonly (Tensor | undefined)[];
  readonly outgoing: readonly (Tensor | null)[];
}

/** The backward pass, one op at a time. @returns the cotangents of `inputs` */
export function* backwardSteps(
  ys: readonly Tensor[],
  inputs: readonly Tensor[],
  nodes: ReadonlySet<Node>,
  options: GradOptions,
  createGraph: boolean,
): Generator<BackwardStep, (Tensor | null)[], undefined> {
  const cotangents = new Cotangents(inputs, createGraph);
  ys.forEach((y, i) => {
    cotangents.give(y, seed(y, options.gradOutputs?.[i]));
  });
  const targets = new Set(inputs);
  for (const node of nodes) {
    const gs = node.outputs.map((t) => cotangents.complete(t));
    if (gs.every((g) => g === undefined)) continue;
    if (node.freed) {
      throw new GradError(
        `grad: the graph behind ${ys[0]!.describe()} was freed at ${node.row.name} by an earlier backward pass; pass { retainGraph: true } to that one`,
      );
    }
    const needs = node.inputs.map((t) => targets.has(t) || (t.node !== undefined && nodes.has(t.node)));
    const found = createGraph ? differentiate(node, gs, needs) : scope(() => differentiate(node, gs, needs));
    cotangents.giveAll(node.inputs, found);
    yield { node, incoming: gs, outgoing: found };
    for (const t of node.outputs) cotangents.drop(t);
  }
  const given = new Set(options.gradOutputs);
  return inputs.map((x, i) => {
    const g = cotangents.complete(x);
    // Each result is a tensor of its own, which the caller may free.
    const shared = g && (given.has(g) || inputs.findIndex((t) => cotangents.of(t) === g) < i);
    return shared ? reshape(g, g.shape) : (g ?? null);
  });
}

function seed(y: Tensor, given: Tensor | undefined): Tensor {
  if (given) {
    if (!sameShape(given.shape, y.shape)) {
      throw new GradError(
        `grad: the gradOutput ${show(given.shape)} must have the shape of its output ${y.describe()}`,
      );
    }
    return given;
  }
  if (y.size !== 1) {
    throw new GradError(
      `grad: ${y.describe()} is not a scalar; reduce it (sum, mean), or pass its cotangent as gradOutputs`,
    );
  }
  return full(y.shape, 1).named('1');
}

/** The nodes on a path from `inputs` to `ys`, latest first. */
export function relevant(ys: readonly Tensor[], inputs: readonly Tensor[], since = 0): ReadonlySet<Node> {
  const seen = new Set<Node>();
  const stack = ys.flatMap((y) => (y.node ? [y.node] : []));
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (seen.has(node) || node.id < since) continue;
    seen.add(node);
    for (const t of node.inputs) if (t.node) stack.push(t.node);
  }
  const targets = new Set(inputs);
  const ordered = [...seen].sort((a, b) => a.id - b.id);
  const needed = new Set<Node>();
  for (const node of ordered) {
    if (node.inputs.some((t) => targets.has(t) || (t.node && needed.has(t.node)))) needed.add(node);
  }
  return new Set([...needed].reverse());
}

/** The cotangents of a node's inputs, in their shapes. */
export function differentiate(
  node: Node,
  gs: readonly (Tensor | undefined)[],
  needs: readonly boolean[],
): (Tensor | null)[] {
  const { row, inputs, outputs, params } = node;
  const context: RuleContext<unknown> = { inputs, outputs, output: outputs[0]!, gs, params, needs };
  const { vjp } = row;
  const raw = guardSaved(node, () => {
    if (typeof vjp === 'function')
      return (vjp as JointRule<unknown>)(gs[0], context) ?? throughComposite(node, gs, needs);
    if (vjp) return inputs.map((_, i) => (needs[i] && vjp[i] ? vjp[i](gs[0]!, context) : null));
    return throughComposite(node, gs, needs);
  });
  return raw.map((g, i) => (g && needs[i] ? sumTo(g, inputs[i]!.shape) : null));
}

/** Differentiates a fused row by differentiating the composition that it equals. */
export function throughComposite(
  { row, inputs, params }: Pick<Node, 'row' | 'inputs' | 'params'>,
  gs: readonly (Tensor | undefined)[],
  needs: readonly boolean[],
): (Tensor | null)[] {
  if (!row.composite) throw new GradError(`grad: ${row.name} has no derivative`);
  const createGraph = isRecording();
  return enableGrad(() => {
    // Aliases cut the composition off from what lies before it, and still lead there when this pass is recorded.
    const aliases = inputs.map((t) => reshape(t, t.shape));
    const outputs = row.composite!(aliases, params);
    const used = outputs.flatMap((y, i) => (gs[i] && y.requiresGrad ? [i] : []));
    const wanted = aliases.filter((_, i) => needs[i]);
    const ys = used.map((i) => outputs[i]!);
    const found = pull(ys, wanted, { gradOutputs: used.map((i) => gs[i]), createGraph });
    return aliases.map((t) => found[wanted.indexOf(t)] ?? null);
  });
}

/** Cotangents by tensor. Outside createGraph, those that nobody will read again are freed at once. */
class Cotangents {
  readonly #of = new Map<Tensor, Tensor>();
  readonly #holders = new Map<Tensor, number>();
  readonly #hooked = new Set<Tensor>();
  readonly #results: ReadonlySet<Tensor>;
  readonly #recorded: boolean;

  constructor(inputs: readonly Tensor[], recorded: boolean) {
    this.#results = new Set(inputs);
    this.#recorded = recorded;
  }

  of(t: Tensor): Tensor | undefined {
    return this.#of.get(t);
  }

  /** The cotangent of `t` when nothing more will be added to it, after its hooks. */
  complete(t: Tensor): Tensor | undefined {
    const g = this.#of.get(t);
    if (!g || !t.hooks || this.#hooked.has(t)) return g;
    this.#hooked.add(t);
    for (const hook of t.hooks) {
      const before = this.#of.get(t)!;
      const after = hook(before);
      if (!after || after === before) continue;
      if (!sameShape(after.shape, t.shape)) {
        throw new GradError(
          `registerHook: the hook of ${t.describe()} returned a cotangent of shape ${show(after.shape)}`,
        );
      }
      this.#hold(after, 1);
      this.#of.set(t, after);
      this.#hold(before, -1);
    }
    return this.#of.get(t);
  }

  /** Adds to the cotangents of a node's inputs. */
  giveAll(ts: readonly Tensor[], gs: readonly (Tensor | null)[]): void {
    // Inputs may be given one and the same tensor, so it is held until all have had it.
    for (const g of gs) if (g) this.#hold(g, 1);
    ts.forEach((t, i) => {
      const g = gs[i];
      if (g) this.give(t, g);
    });
    for (const g of gs) if (g) this.#hold(g, -1);
  }

  /** Adds to the cotangent of `t`. */
  give(t: Tensor, g: Tensor): void {
    const before = this.#of.get(t);
    const total = before ? add(before, g) : g;
    this.#hold(total, 1);
    this.#of.set(t, total);
    if (before) this.#hold(before, -1);
  }

  /** Forgets the cotangent of `t`, unless it is a result. */
  drop(t: Tensor): void {
    const g = this.#of.get(t);
    if (!g || this.#results.has(t)) return;
    this.#of.delete(t);
    this.#hold(g, -1);
  }

  #hold(g: Tensor, change: number): void {
    const count = (this.#holders.get(g) ?? 0) + change;
    this.#holders.set(g, count);
    // Only tensors of this pass: a cotangent given by the caller has an owner outside.
    if (count <= 0 && !this.#recorded && g.owner && g.owner === currentOwner()) g.dispose();
  }
}
