import { noGrad, type Shape, scope, Tensor, trace, type Values, withDevice, zeros } from '../../engine/index.ts';
import { calls, checked, checkedList, shown } from '../../engine/internal.ts';
import { aModule } from '../module/aModule.ts';
import type { AnyModule } from '../module/anyModule.ts';
import { hookForward, hookInputs } from '../module/callStep.ts';
import type { Module } from '../module/module.ts';
import { emit } from './emit.ts';
import { MAPPINGS, MAX_POOL_INDEX } from './ops/table.ts';
import { constantsOf, type Program, programOf, type Run } from './program.ts';
import { encodeModel } from './proto.ts';
import { FixedBatch, more } from './size.ts';

/** Options of {@link exportOnnx}. */
export interface OnnxOptions {
  /** Names of the inputs. Default `input`, or `input0`, `input1`, ... */
  readonly inputNames?: readonly string[];
  /** Names of the outputs, in the order in which `forward` returns them. Default `output`, or `output0`, `output1`, ... */
  readonly outputNames?: readonly string[];
  /**
   * Whether the first axis of all inputs is a batch of any size, named `batch` in the file. Default: yes if the module does
   * the same with a batch of one and of two more, which is tried, and a fixed size if not. `true` makes it an error where
   * the size must be fixed.
   */
  readonly dynamicBatch?: boolean;
}

/**
 * The bytes of an ONNX file (opset 17, float32) that computes what `module.forward` computes in evaluation mode: for
 * onnxruntime, TensorRT, Core ML tools and others. The module runs once on zeros, or three times to see what follows the
 * batch; what it does is traced, so that branches on shapes are taken as they were, and there is nothing to write in a
 * layer for it.
 *
 * Parameters and buffers become initializers under their dotted names, and nodes are named by layer. Inputs and outputs are
 * as in `forward`: floats, images with their channels last ([N,H,W,C]), indices as whole numbers in floats. Inside, ONNX
 * has channels first: a Transpose stands where a chain of convolutions, norms and activations begins and where it ends.
 * Weights of convolutions are [out, in, KH, KW] in the file. An index out of range is an error there, not NaN.
 * @param inputs for each argument of `forward` its shape, or a tensor that has it
 * @throws Error naming the op, the layer and the remedy, for an op that has no mapping or draws random numbers; naming the
 * reason, for `dynamicBatch: true` where it cannot be; TypeError if `forward` returns something else than a tensor or a list
 * of them
 * @throws GradError if `forward` writes to a tensor in place, even in evaluation mode
 * @example
 * const bytes = await exportOnnx(generator, [[1, 128]], { inputNames: ['z'], outputNames: ['images'] });
 * writeFileSync('generator.onnx', bytes); // in a browser: new Blob([bytes])
 */
export async function exportOnnx<In extends readonly unknown[], Out>(
  module: Module<In, Out>,
  inputs: readonly (Shape | Tensor)[],
  options: OnnxOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  calls.checkArguments(
    'exportOnnx',
    [aModule, calls.aList('inputs', '[a, b]'), calls.maybe(calls.something('options'))],
    arguments,
  );
  if (typeof options === 'string') {
    throw new TypeError(`exportOnnx: it writes no file; write writeFileSync(${shown(options)}, await exportOnnx(...))`);
  }
  checked('exportOnnx', options, ['inputNames', 'outputNames', 'dynamicBatch']);
  checkedList('exportOnnx', 'the inputs', inputs, '[[1, 128]]');
  for (const x of inputs) {
    if (!(x instanceof Tensor))
      checkedList('exportOnnx', 'each input', x, '[1, 128], as in exportOnnx(module, [[1, 128]])');
  }
  const shapes = inputs.map((x) => (x instanceof Tensor ? x.shape : x));
  const names = {
    inputs: namesFor('input', shapes.length, options.inputNames),
    outputs: (count: number) => namesFor('output', count, options.outputNames),
  };
  const shared = names.inputs.find((name) => options.outputNames?.includes(name));
  if (shared) throw new Error(`exportOnnx: inputNames and outputNames share "${shared}"; names must differ`);
  const device = module.parameters()[0]?.device ?? inputs.find((x) => x instanceof Tensor)?.device;
  const modes = module.namedModules().map(([, m]) => [m, m.training] as const);
  const run = () => scope(() => begin(module as unknown as AnyModule, shapes, options.dynamicBatch));
  let begun: Begun;
  try {
    module.eval();
    begun = device ? withDevice(device, run) : run();
  } finally {
    for (const [m, training] of modes) m.training = training;
  }
  const { fixed, dynamic } = await settle(begun, options.dynamicBatch === true);
  const title = module.constructor.name;
  if (dynamic) {
    try {
      return encodeModel(emit(dynamic, names, title));
    } catch (error) {
      if (!(error instanceof FixedBatch)) throw error;
      if (options.dynamicBatch) throw cannot(error);
    }
  }
  return encodeModel(emit(fixed, names, title));
}

function namesFor(kind: 'input' | 'output', count: number, given: readonly string[] | undefined): readonly string[] {
  if (!given) return count === 1 ? [kind] : Array.from({ length: count }, (_, i) => `${kind}${i}`);
  if (given.length !== count || new Set(given).size !== count) {
    throw new Error(`exportOnnx: ${kind}Names must hold ${count} different names, not ${JSON.stringify(given)}`);
  }
  return given;
}

const cannot = (why: FixedBatch): Error =>
  new Error(`exportOnnx: dynamicBatch cannot be had: ${why.message}; leave it out for a batch of the size given`, {
    cause: why,
  });

/** What was traced, with reads of the constants under way. */
interface Begun {
  readonly fixed: Program;
  readonly values: Promise<Map<number, Values>>;
  /** The program of all batches, and the values that must be those of the first run; or why there is none. */
  readonly dynamic: { readonly program: Program; readonly leaves: Promise<Map<number, Values>>[] } | FixedBatch;
}

function begin(module: AnyModule, shapes: readonly Shape[], wanted: boolean | undefined): Begun {
  const first = runOf(module, shapes);
  const fixed = programOf([first], 0);
  const read = ({ tape }: Run, ids: readonly number[]) =>
    Promise.all(ids.map(async (id) => [id, await tape.tensor(id).data()] as const)).then((list) => new Map(list));
  const values = read(first, constantsOf(fixed));
  try {
    if (wanted === false) throw new FixedBatch('it is not wanted');
    const others = more(shapes[0]?.[0] ?? 1).map((k) => runWithMore(module, shapes, k));
    const program = programOf([first, ...others], shapes[0]![0]!);
    // Tensors that forward makes from numbers of its own may differ; parameters do not.
    const own = program.entries.filter((e) => e.constant && e.op === undefined && !program.names.has(e.id));
    const leaves = others.map((r) =>
      read(
        r,
        own.map((e) => e.id),
      ),
    );
    return { fixed, values, dynamic: { program, leaves } };
  } catch (error) {
    if (!(error instanceof FixedBatch)) throw error;
    return { fixed, values, dynamic: error };
  }
}

/** @throws FixedBatch if the module refuses a batch of another size */
function runWithMore(module: AnyModule, shapes: readonly Shape[], more: number): Run {
  const n = shapes[0]?.[0];
  if (n === undefined || shapes.some((s) => s[0] !== n)) {
    throw new FixedBatch('the inputs have no first axis of one size');
  }
  try {
    return runOf(
      module,
      shapes.map((s) => [n + more, ...s.slice(1)]),
    );
  } catch (error) {
    throw new FixedBatch(`a batch of ${n + more} is refused (${(error as Error).message})`, { cause: error });
  }
}

/** Runs the module on zeros, and notes which layer each op belongs to. */
function runOf(module: AnyModule, shapes: readonly Shape[]): Run {
  const given = shapes.map((s) => zeros(s));
  const layers: string[] = [];
  const remove = module
    .namedModules()
    .flatMap(([name, m]) => [hookInputs(m, () => void layers.push(name)), hookForward(m, () => void layers.pop())]);
  try {
    const options = {
      inputs: [...given, ...module.stateDict().values()],
      opaque: isKnown,
      module: () => layers[layers.length - 1] ?? '',
    };
    const tape = trace(() => tensorsOf(noGrad(() => module.forward(...(given as never)))), options);
    const names = [...module.stateDict()].flatMap(([name, t]): [number, string][] => {
      const id = tape.idOf(t);
      return id === undefined ? [] : [[id, name]];
    });
    return { tape, names: new Map(names), inputs: given.map((t) => ({ id: tape.idOf(t), shape: t.shape })) };
  } finally {
    for (const back of remove) back();
  }
}

const isKnown = (op: string): boolean => op in MAPPINGS || op === MAX_POOL_INDEX;

function tensorsOf(result: unknown): Tensor[] {
  const list: unknown[] = Array.isArray(result) ? result : [result];
  if (list.length > 0 && list.every((t) => t instanceof Tensor)) return list;
  throw new TypeError('exportOnnx: forward must return a tensor or a list of tensors; wrap it in a module that does');
}

/** The programs with the values of their constants. */
async function settle(
  { fixed, values, dynamic }: Begun,
  must: boolean,
): Promise<{ fixed: Program; dynamic?: Program }> {
  for (const [id, v] of await values) fixed.values.set(id, v);
  if (dynamic instanceof FixedBatch) {
    if (must) throw cannot(dynamic);
    return { fixed };
  }
  for (const found of await Promise.all(dynamic.leaves)) {
    for (const [id, v] of found) {
      if (v.every((x, i) => Object.is(x, fixed.values.get(id)![i]))) continue;
      if (must) throw cannot(new FixedBatch('a tensor that forward makes has other values with another batch'));
      return { fixed };
    }
  }
  for (const [id, v] of fixed.values) dynamic.program.values.set(id, v);
  return { fixed, dynamic: dynamic.program };
}
