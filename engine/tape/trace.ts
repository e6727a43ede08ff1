import { aFunction, guarded, options } from '../arguments/arguments.ts';
import { returnedTensors, tensorListRange } from '../arguments/kinds.ts';
import { callback } from '../arguments/ranges.ts';
import { observe } from '../autograd/apply.ts';
import type { Node } from '../autograd/node.ts';
import { nameOf } from '../autograd/row.ts';
import type { Buffer } from '../device.ts';
import { GradError } from '../errors.ts';
import { adopt, currentOwner } from '../tensor/lifetime.ts';
import { sameShape } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { attributesOf, describe, LEAF, opOf, Tape, type TapeEntry } from './tape.ts';

/** Options of {@link trace}. */
export interface TraceOptions {
  /** Tensors from outside, to be found as leaves also where `fn` uses nothing but what it `detach`es from them. */
  readonly inputs?: readonly Tensor[];
  /**
   * Whether an op that ran as a composition of others (a custom op without a kernel, a fused op on the reference device) is
   * shown as one; where not, the composition is. Default: as one.
   */
  readonly opaque?: (op: string) => boolean;
  /** Asked at each op; what it says becomes the entry's `module`: the module that is running, say. */
  readonly module?: () => string;
}

const traceOptions = options<TraceOptions>({ inputs: tensorListRange, opaque: callback, module: callback });

/** An op that was seen, one for each of its results. */
interface Made {
  readonly order: number;
  readonly op: string;
  readonly inputs: readonly Tensor[];
  readonly output: number;
  readonly call: Pick<Node, 'row' | 'params'>;
  /** The op whose derivative rule made it. */
  readonly during: Node | undefined;
  readonly module: string | undefined;
}

/**
 * The tape of all that `fn` does, whether a gradient is wanted or not: ops without a derivative (comparisons, argmax), ops in
 * `noGrad`, and constants that `fn` makes are on it too, where {@link tape} shows what a backward pass would see. For tools
 * that turn a function into something else, as the ONNX export does. Every value is kept until the scope around the call
 * ends. A tensor that is `detach`ed is taken for the one it came from, if an op has seen that or it is among the `inputs`.
 * @param fn must not be async, nor write to tensors in place
 * @returns a tape whose `outputs` are what `fn` returned
 * @throws GradError if an op writes in place; TypeError if `fn` is async
 * @example
 * const x = tensor([1, -2]);
 * console.log(String(trace(() => where(x.greater(0), x, 0)))); // with the comparison as an entry
 * @function
 */
export const trace = guarded(
  'trace',
  [aFunction('fn'), traceOptions],
  (fn: () => Tensor | readonly Tensor[], options: TraceOptions = {}): Tape => {
    const { inputs: outside = [], opaque, module } = options;
    const owner = currentOwner();
    const made = new Map<Tensor, Made>();
    /** Tensors of our own with the same values, which outlive the scopes inside `fn`. */
    const kept = new Map<Tensor, Tensor>();
    const inBuffer = new Map<Buffer, Tensor[]>();
    const keepValues = (t: Tensor): void => {
      const own = new Tensor(t.storage.share(), t.shape, false, t.label);
      adopt(own, owner);
      kept.set(t, own);
      inBuffer.set(t.storage.buffer, [...(inBuffer.get(t.storage.buffer) ?? []), t]);
    };
    /** The known tensor that holds the same memory, which stays taken while its values are kept: what `detach` was called on. */
    const origin = (t: Tensor): Tensor => {
      if (kept.has(t)) return t;
      const same = inBuffer.get(t.storage.buffer)?.find((k) => {
        const { storage, shape } = kept.get(k)!;
        return storage.offset === t.storage.offset && sameShape(shape, t.shape);
      });
      if (!same) keepValues(t);
      return same ?? t;
    };
    for (const t of outside) keepValues(t);
    let order = 0;
    const note = (
      op: string,
      given: readonly Tensor[],
      outputs: readonly Tensor[],
      call: Made['call'],
      during: Made['during'],
    ): void => {
      if (outputs.length === 0) {
        throw new GradError(`trace: ${op} writes to a tensor in place; trace what only reads (a module in eval mode)`);
      }
      if (outputs.every((t) => made.has(t)) && opaque?.(op) === false) return;
      const inputs = given.map(origin);
      const running = module?.();
      outputs.forEach((t, output) => {
        made.set(t, { order: order++, op, inputs, output, call, during, module: running });
        if (!kept.has(t)) keepValues(t);
      });
    };
    try {
      const result = observe(
        (op, inputs, outputs, during, call) => note(op, inputs, outputs, call, during),
        () => returnedTensors('trace', fn()),
      );
      const outputs = (result instanceof Tensor ? [result] : result).map(origin);
      return tapeOf(outputs, made, kept);
    } catch (error) {
      for (const t of kept.values()) t.dispose();
      throw error;
    }
  },
);

function tapeOf(outputs: readonly Tensor[], made: ReadonlyMap<Tensor, Made>, kept: ReadonlyMap<Tensor, Tensor>): Tape {
  const needed = new Set<Tensor>();
  const stack = [...outputs];
  for (let t = stack.pop(); t; t = stack.pop()) {
    if (needed.has(t)) continue;
    needed.add(t);
    for (const input of made.get(t)?.inputs ?? []) stack.push(input);
  }
  const ids = new Map<Tensor, number>();
  const entries: TapeEntry[] = [];
  const enter = (t: Tensor): void => {
    if (ids.has(t)) return;
    const found = made.get(t);
    for (const input of found?.inputs ?? []) enter(input);
    ids.set(t, entries.length + 1);
    const head = { id: entries.length + 1, shape: t.shape, label: t.label };
    if (!found) return void entries.push({ ...LEAF, ...head });
    const { inputs, output, call, during, module } = found;
    const from = during && { id: during.id, op: nameOf(during.row) };
    const named = opOf({ ...call, from }, during && ids.get(during.outputs[0]!));
    const said = module === undefined ? {} : { module };
    const [params, attributes] = [describe(call, t.rank), attributesOf(call.params)];
    entries.push({ ...head, ...named, inputs: inputs.map((i) => ids.get(i)!), output, params, attributes, ...said });
  };
  // In the order in which they ran, so that no depth of the graph is a depth of the stack.
  const order = (t: Tensor): number => made.get(t)?.order ?? -1;
  for (const t of [...needed].sort((a, b) => order(a) - order(b))) if (made.has(t)) enter(t);
  for (const t of outputs) enter(t);
  const tensors = [...ids.keys()].map((t) => kept.get(t)!);
  return new Tape(
    entries,
    outputs.map((t) => ids.get(t)!),
    tensors,
    ids,
  );
}
