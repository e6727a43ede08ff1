import { checkArguments, kind } from '../arguments/arguments.ts';
import { shown } from '../arguments/options.ts';
import { isObserved, observe } from '../autograd/apply.ts';
import { noGrad } from '../autograd/node.ts';
import { Storage, withDevice } from '../device.ts';
import { DeviceError, refusePromise } from '../errors.ts';
import { clone } from '../ops/elementwise.ts';
import { scope } from '../tensor/scope.ts';
import type { Shape } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { WebGpuDevice } from '../webgpu/device.ts';
import { type GpuBuffer, padded } from '../webgpu/pool.ts';
import { fuse } from './fuse.ts';
import { placesOf, takeNotes } from './live.ts';
import { type Copy, Replay } from './replay.ts';
import { type Left, StepGradients } from './stepGradients.ts';
import { needed, type PaperBuffer, type Trace } from './trace.ts';
import { type Call, mapTensors, readInputs, type Signature } from './trees.ts';

/** A compiled step: call it as the function it was made from. */
export interface CompiledStep<A extends readonly unknown[], R> {
  (...inputs: A): R;
  /** The kernels of the recordings, in order; empty before the first call. For the curious, and for tests. */
  kernels(): readonly string[];
  /** Frees the memory of its recordings. It can be called again, and records anew. */
  dispose(): void;
  /** As `dispose`, at the end of a block that says `using step = compile(...)`. */
  [Symbol.dispose](): void;
}

/** Recordings of one step on one device that are kept; beyond that the one that has not run for longest goes. */
const MOST = 16;
/** Of them those for the same inputs: one more than needed, for steps that run with averaged parameters now and then. */
const MOST_ALIKE = 2;

/** A value of the host, such as a module's mode, on which the ops of a recording depend. */
interface Decision {
  readonly read: () => unknown;
  /** What it was before the recording began. */
  readonly was: unknown;
}

interface Recording {
  /** What inputs it is for. */
  readonly signature: Signature;
  readonly trace: Trace;
  readonly inputs: readonly Storage<GpuBuffer>[];
  /** What the step returned, with its tensors in `outputs`. */
  readonly result: unknown;
  readonly outputs: ReadonlyMap<Tensor, { readonly storage: Storage; readonly shape: Shape }>;
  /** Tensors from outside that the step uses, and where their values lay. */
  readonly captured: ReadonlyMap<Tensor, Storage>;
  /** The gradients in `.grad` that the step takes, and those that it leaves. */
  readonly gradients: StepGradients;
  readonly left: readonly Left[];
  /** What the host decided in it. */
  readonly decisions: readonly Decision[];
  readonly replay: Replay;
  /** Whether it has run: the first run has the params that were recorded. */
  started: boolean;
}

const aStep = kind<never>('the step', 'a function, such as (x) => model.forward(x)', (v) => typeof v === 'function');

/**
 * Records a step once, as ops, and replays it: elementwise ops are fused, what nobody needs is left out, memory is planned,
 * and a run is one submit with a few microseconds of JavaScript a launch. Meant for training steps: everything that the step
 * changes (parameters, moments, averages) is updated in place as ever; learning rates, step numbers and random numbers move on
 * from run to run.
 *
 * The first call records the step, and with it what JavaScript does inside: numbers from outside (a learning rate in a variable),
 * branches, loops, `Math.random()`, `Date.now()`, host data that it turns into tensors, hooks of modules and which tensors a variable
 * holds stay what they were. Pass in what changes, as tensors; state that the step updates must exist, and be updated in place.
 *
 * Inputs are what `scope` may return: tensors in lists, Maps, Sets and plain objects, nested to any depth. Numbers, texts, booleans,
 * null and undefined among them are part of what a recording is for, as shapes are: the step sees them as they are and may branch on
 * them, and other ones are recorded again. That is right for what takes a few values, such as a phase or a number of layers. What
 * moves from step to step is passed as a tensor: a number would be recorded in each call, and a warning on the console names it once
 * 16 recordings were for values alone. Objects of classes and functions are refused, since nothing tells whether they changed.
 *
 * Recorded again are: inputs of other shapes, with other names or lengths, with other values of the host, or where other tensors are
 * one and the same; the order of an object's names counts only if the step asks for it (`Object.values(batch)`), that of a Map or Set
 * always; `train()` and `eval()` of modules whose layers behave otherwise then; `requireGrad` of a
 * tensor that the step uses; a parameter or layer that took another's place in a module, if the module's parameters were listed
 * before (as for an optimizer); parameters that were moved. Recordings are kept, the last 16, so that going back costs nothing.
 * Results are new tensors and constants to `grad`: take gradients inside the step. `backward()` and `zeroGrad()` in it add to and clear
 * the `.grad` of tensors outside in each run; with and without a gradient there are two recordings. On the reference device, inside another
 * compiled step and under {@link detectAnomaly} the step runs as it is. An error while recording leaves what the step did on
 * the host (a step count, say) done.
 * @param step takes and returns tensors, alone or in lists, Maps, Sets and plain objects; must not be async. Inputs without a type
 * are tensors
 * @throws TypeError for an input that holds anything else, under the path to it: `input 0.batch.label`
 * @throws DeviceError if the step reads values, keeps a tensor that it made, overwrites one that it was given, or is given one
 * that it uses from outside as well
 * @throws UseAfterFreeError if an input, or a tensor that the step uses, was freed
 * @example
 * const step = compile((real) => {
 *   const loss = criticLoss(critic, real);
 *   adam.step(grad(loss, critic.parameters()));
 *   return loss;
 * });
 * for (const batch of batches) await scope(() => step(tensor(batch, { shape })).item());
 * @example
 * const step = compile(({ sample, label }: { sample: Tensor; label: Tensor }, phase: 'warm' | 'full') => {
 *   const loss = crossEntropy(model.forward(sample), label);
 *   return { loss, ...(phase === 'full' && { penalty: penalty(model) }) };
 * });
 * for (const batch of loader) await scope(() => step(batch, 'full').loss.item());
 */
export function compile<A extends readonly unknown[] = Tensor[], R = unknown>(
  step: (...inputs: A) => R,
): CompiledStep<A, R> {
  checkArguments('compile', [aStep], arguments);
  /** Those that ran last come last. */
  const recordings = new Map<WebGpuDevice, Recording[]>();
  const notice = constantsNoticed();
  const call = (...inputs: A): R => {
    const known = fitting(recordings.values(), inputs);
    const { device } = (known?.recording ?? readInputs(inputs)).signature;
    return withDevice(device, () => {
      if (!(device instanceof WebGpuDevice) || device.tracing || isObserved()) {
        return scope(() => copied(refusePromise('compile', step(...inputs))));
      }
      for (const other of recordings.keys()) if (!other.alive) recordings.delete(other);
      const own = recordings.get(device) ?? [];
      recordings.set(device, own);
      forget(own, own.filter(isStale));
      const isReady = (r: Recording) => own.includes(r) && holds(r) && !moved(r);
      const ready = known && isReady(known.recording) ? known : fitting([own], inputs, isReady);
      const { recording, tensors } = ready ?? recorded(device, step, inputs, own, notice);
      own.splice(0, own.length, ...own.filter((r) => r !== recording), recording);
      refuseShared(recording, tensors);
      return run(device, recording, tensors) as R;
    });
  };
  const all = () => [...recordings.values()].flat();
  const dispose = (): void => {
    for (const r of all()) free(r);
    recordings.clear();
  };
  const kernels = () => all().flatMap((r) => r.replay.names);
  return Object.assign(call, { kernels, dispose, [Symbol.dispose]: dispose });
}

/** Results in memory of their own: one may be a parameter, which the next run changes. */
const copied = <R>(result: R): R => noGrad(() => mapTensors(result, (t) => clone(t))) as R;

/** Frees recordings, and takes them out of their list. */
function forget(list: Recording[], gone: readonly Recording[]): void {
  for (const r of gone) {
    list.splice(list.indexOf(r), 1);
    free(r);
  }
}

/** Whether a tensor that the step uses was freed. */
const isStale = ({ captured }: Recording): boolean => [...captured.keys()].some((t) => t.isDisposed);

/** A recording, and the tensors for it. */
interface Fitting {
  readonly recording: Recording;
  readonly tensors: readonly Tensor[];
}

/** Of the recordings of each list for such inputs, and for which `also` holds, the one that ran last. */
function fitting(
  lists: Iterable<readonly Recording[]>,
  inputs: readonly unknown[],
  also: (r: Recording) => boolean = () => true,
): Fitting | undefined {
  for (const list of lists) {
    for (let i = list.length - 1; i >= 0; i--) {
      const recording = list[i]!;
      const tensors = recording.signature.match(inputs);
      if (tensors && also(recording)) return { recording, tensors };
    }
  }
  return undefined;
}

/** A new recording, for which others in the list make room. */
function recorded(
  device: WebGpuDevice,
  step: (...inputs: never[]) => unknown,
  inputs: readonly unknown[],
  own: Recording[],
  notice: (others: readonly Recording[], next: Signature) => void,
): Fitting {
  const call = readInputs(inputs);
  notice(own, call.signature);
  const recording = record(device, step, call);
  forget(own, surplus(own, inputs));
  return { recording, tensors: call.tensors };
}

/** The recordings of a list, the oldest first, that one more for these inputs leaves no room for. */
function surplus(list: readonly Recording[], inputs: readonly unknown[]): Recording[] {
  const alike = list.filter((r) => r.signature.match(inputs) && holds(r));
  const gone = alike.slice(0, Math.max(0, alike.length + 1 - MOST_ALIKE));
  const rest = list.filter((r) => !gone.includes(r));
  return [...gone, ...rest.slice(0, Math.max(0, rest.length + 1 - MOST))];
}

/** Warns, once, of a step whose recordings are for other values of the host alone: of a number that moves. */
function constantsNoticed(): (others: readonly Recording[], next: Signature) => void {
  let count = 0;
  return (others, next) => {
    const before = others.filter((r) => r.signature.outline === next.outline).at(-1)?.signature.constants;
    const i = before?.findIndex(({ value }, k) => !Object.is(value, next.constants[k]!.value)) ?? -1;
    if (i < 0 || ++count !== MOST) return;
    const { path, value } = next.constants[i]!;
    console.warn(
      `wgrad: a compiled step was recorded ${MOST} times more because values of the host in its inputs changed, now ${path} from ${shown(before![i]!.value)} to ${shown(value)}. Recording takes far longer than a run: pass what moves as a tensor, tensor(${shown(value)})`,
    );
  };
}

/** To a recording, inputs are copies: what the step does to the tensor itself, or its gradient, would not be the input's. */
function refuseShared({ captured, replay, signature }: Recording, inputs: readonly Tensor[]): void {
  const i = inputs.findIndex((t) => captured.has(t) || replay.mutates.has(t.storage.buffer));
  if (i < 0) return;
  throw new DeviceError(
    `compile: ${signature.paths[i]}, ${inputs[i]!.describe()}, is also used by the step from outside; pass it, or let the step use it, not both`,
  );
}

/** Whether a tensor that the step uses has its values elsewhere now. */
const moved = ({ captured }: Recording): boolean =>
  [...captured].some(([t, was]) => t.storage.buffer !== was.buffer || t.storage.offset !== was.offset);

/** Whether the host would decide now as it did for the recording. */
const holds = ({ decisions }: Recording): boolean => decisions.every(({ read, was }) => Object.is(read(), was));

function record(device: WebGpuDevice, step: (...inputs: never[]) => unknown, call: Call): Recording {
  const { signature, tensors: like } = call;
  const { pool } = device.replayHost();
  const inputs = like.map((t) => new Storage(pool.take(padded(t.size), `compile: ${t.describe()}`), 0, t.size));
  const outputs = new Map<Tensor, { storage: Storage; shape: Shape }>();
  const captured = new Map<Tensor, Storage>();
  /** By whose they are; null for what the step set before it asked. */
  const decisions = new Map<object, Decision | null>();
  const gradients = new StepGradients(device);
  let left: readonly Left[] = [];
  const undo: (() => void)[] = [() => inputs.forEach((s) => void s.release()), () => gradients.release()];
  try {
    const [result, trace] = device.trace((t) => {
      gradients.begin(t);
      for (const { buffer } of inputs) t.constant.add(buffer);
      return scope(() => {
        const given: Tensor[] = [];
        like.forEach((x, i) => {
          // Equal inputs are one tensor to the step, and to its gradients.
          const first = signature.first[i]!;
          const leaf = () => new Tensor(inputs[i]!.share(), x.shape, x.requiresGrad, x.label);
          given.push(first < i ? given[first]! : leaf());
        });
        const decision = (owner: object, read: () => unknown) => {
          if (!decisions.has(owner)) decisions.set(owner, { read, was: read() });
        };
        const decides = (owner: object) => {
          if (!decisions.has(owner)) decisions.set(owner, null);
          return !(owner instanceof Tensor) || t.isOutside(owner.storage);
        };
        const capture = (x: Tensor) => {
          if (!t.isOutside(x.storage)) return;
          captured.set(x, x.storage);
          decision(x, () => x.requiresGrad);
        };
        const made = observe(
          (_, used) => used.forEach(capture),
          () =>
            takeNotes(
              { effect: (effect) => void t.effects.push(effect), alias: capture, decision, decides, gradients },
              () => refuseReading(step(...(signature.build(given) as never[]))),
            ),
        );
        mapTensors(made, (x) => {
          capture(x);
          if (!outputs.has(x)) outputs.set(x, { storage: x.storage.share(), shape: x.shape });
          return x;
        });
        left = gradients.leave(given);
        // Not returned as it is: the scope is to free all of it.
        return { made: () => made };
      });
    });
    undo.push(
      () => trace.release(),
      () => [...outputs.values(), ...left].forEach((o) => void o.storage?.release()),
    );
    // Aliases of parameters that the step made for itself are gone with its scope.
    for (const t of captured.keys()) if (t.isDisposed) captured.delete(t);
    const lasting = [...decisions].flatMap(([owner, d]) =>
      d && !(owner instanceof Tensor && owner.isDisposed) ? [d] : [],
    );
    // Of modules: another tensor, or another layer, may come in the place of one.
    const places = placesOf(captured.keys()).map((read) => ({ read, was: read() }));
    if (trace.refused) throw trace.refused;
    const results = [...outputs.values(), ...left].flatMap(({ storage }) => storage ?? []);
    refuseKept(trace, [...inputs, ...gradients.found.map((g) => g.storage)], results);
    const kept = new Set(results.map((s) => s.buffer));
    const replay = new Replay(device.replayHost(), fuse(needed(trace.ops, kept), kept, device.target), kept);
    return {
      signature,
      trace,
      inputs,
      outputs,
      captured,
      gradients,
      left,
      decisions: [...lasting, ...places, ...gradients.decisions],
      replay,
      result: result.made(),
      started: false,
    };
  } catch (error) {
    for (const back of undo) back();
    throw error;
  }
}

function refuseReading<T>(result: T): T {
  if (!(result instanceof Promise)) return refusePromise('compile', result);
  result.catch(() => {}); // this error is the one to report
  throw new TypeError(
    'compile: the step returned a promise; it must not be async, nor read values: return the tensor, and read it after the step',
  );
}

/** What the step made, and its inputs, may be held by its results and the gradients that it leaves only. */
function refuseKept(trace: Trace, inputs: readonly Storage[], results: readonly Storage[]): void {
  const refs = (s: Storage) => s.buffer.refs - results.filter((r) => r.buffer === s.buffer).length;
  const made = trace.ops.flatMap((op) => op.outputs).find((s) => refs(s) > 0);
  // Of an input's buffer there is the input itself, and what the recording holds.
  if (!made && inputs.every((s) => refs(s) === (trace.held.has(s.buffer) ? 2 : 1))) return;
  const what = made ? `a tensor that ${(made.buffer as PaperBuffer).op} made in it` : 'one of its inputs';
  throw new DeviceError(
    `compile: the step keeps ${what}, and each run would overwrite that; return it, or make state outside, and update it in place`,
  );
}

function run(device: WebGpuDevice, recording: Recording, inputs: readonly Tensor[]): unknown {
  const { trace, replay, outputs, result, gradients, left } = recording;
  device.replayHost();
  const taken = [...inputs, ...gradients.found.map(({ of }) => of.grad!)].map((t) => t.storage as Storage<GpuBuffer>);
  const into = [...recording.inputs, ...gradients.found.map((g) => g.storage as Storage<GpuBuffer>)];
  replay.check(taken);
  if (recording.started) {
    for (const effect of trace.effects) effect();
    replay.refresh();
  }
  recording.started = true;
  const made = new Map<Tensor, Tensor>();
  for (const [t, { storage, shape }] of outputs) made.set(t, new Tensor(device.allocate(storage.size), shape));
  const grads = left.map(({ shape, storage }) => storage && new Tensor(device.allocate(storage.size), shape));
  replay.run(
    taken.map((s, i): Copy => [s, into[i]!]),
    (place) => {
      const copy = (from: Storage, to: Tensor): Copy => [place(from), to.storage as Storage<GpuBuffer>];
      const results = [...outputs].map(([t, { storage }]) => copy(storage, made.get(t)!));
      return [...results, ...left.flatMap(({ storage }, i) => (storage ? [copy(storage, grads[i]!)] : []))];
    },
  );
  left.forEach(({ of }, i) => {
    of.grad = grads[i];
  });
  return mapTensors(result, (t) => made.get(t)!);
}

function free({ replay, trace, inputs, outputs, gradients, left }: Recording): void {
  replay.destroy();
  trace.release();
  for (const s of inputs) s.release();
  gradients.release();
  for (const { storage } of [...outputs.values(), ...left]) storage?.release();
}
