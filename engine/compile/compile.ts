import { checkArguments, kind } from '../arguments/arguments.ts';
import { isObserved, observe } from '../autograd/apply.ts';
import { noGrad } from '../autograd/node.ts';
import { currentDevice, Storage, withDevice } from '../device.ts';
import { DeviceError, refusePromise } from '../errors.ts';
import { clone } from '../ops/elementwise.ts';
import { scope } from '../tensor/scope.ts';
import { type Shape, show } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { WebGpuDevice } from '../webgpu/device.ts';
import { type GpuBuffer, padded } from '../webgpu/pool.ts';
import { fuse } from './fuse.ts';
import { placesOf, takeNotes } from './live.ts';
import { type Copy, Replay } from './replay.ts';
import { needed, type PaperBuffer, type Trace } from './trace.ts';

/** A compiled step: call it as the function it was made from. */
export interface CompiledStep<A extends readonly Tensor[], R> {
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
  readonly key: string;
  readonly trace: Trace;
  readonly inputs: readonly Storage<GpuBuffer>[];
  /** What the step returned, with its tensors in `outputs`. */
  readonly result: unknown;
  readonly outputs: ReadonlyMap<Tensor, { readonly storage: Storage; readonly shape: Shape }>;
  /** Tensors from outside that the step uses, and where their values lay. */
  readonly captured: ReadonlyMap<Tensor, Storage>;
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
 * Recorded again are: inputs of other shapes; `train()` and `eval()` of modules whose layers behave otherwise then; `requireGrad` of a
 * tensor that the step uses; a parameter or layer that took another's place in a module, if the module's parameters were listed
 * before (as for an optimizer); parameters that were moved. Recordings are kept, the last 16, so that going back costs nothing.
 * Results are new tensors and constants to `grad`: take gradients inside the step. On the reference device, inside another
 * compiled step and under {@link detectAnomaly} the step runs as it is. An error while recording leaves what the step did on
 * the host (a step count, say) done.
 * @param step takes tensors and returns tensors, alone or in arrays, maps and plain objects; must not be async
 * @throws DeviceError if the step reads values, keeps a tensor that it made, overwrites one that it was given, or is given one
 * that it uses from outside as well
 * @throws UseAfterFreeError if a tensor that the step uses was freed
 * @example
 * const step = compile((real) => {
 *   const loss = criticLoss(critic, real);
 *   adam.step(grad(loss, critic.parameters()));
 *   return loss;
 * });
 * for (const batch of batches) await scope(() => step(tensor(batch, { shape })).item());
 */
export function compile<A extends readonly Tensor[], R>(step: (...inputs: A) => R): CompiledStep<A, R> {
  checkArguments('compile', [aStep], arguments);
  /** Those that ran last come last. */
  const recordings = new Map<WebGpuDevice, Recording[]>();
  const call = (...inputs: A): R => {
    const device = deviceOf(inputs);
    return withDevice(device, () => {
      if (!(device instanceof WebGpuDevice) || device.tracing || isObserved()) {
        return scope(() => copied(refusePromise('compile', step(...inputs))));
      }
      for (const other of recordings.keys()) if (!other.alive) recordings.delete(other);
      const own = recordings.get(device) ?? [];
      recordings.set(device, own);
      // Equal inputs are one tensor to the step, and to its gradients.
      const key = inputs.map((t) => `${show(t.shape)}${inputs.indexOf(t)}${t.requiresGrad}`).join();
      forget(own, own.filter(isStale));
      const recording = own.find((r) => r.key === key && holds(r) && !moved(r)) ?? record(device, step, inputs, key);
      forget(own, surplus(own, recording));
      own.splice(0, own.length, ...own.filter((r) => r !== recording), recording);
      refuseShared(recording, inputs);
      return run(device, recording, inputs) as R;
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

function deviceOf(inputs: readonly Tensor[]) {
  const odd = inputs.findIndex((t) => !(t instanceof Tensor));
  if (odd >= 0) {
    throw new TypeError(
      `compile: input ${odd} of the step is ${typeof inputs[odd]}, not a tensor; tensor(...) makes one`,
    );
  }
  const device = inputs[0]?.device ?? currentDevice();
  for (const t of inputs) {
    if (t.device !== device) {
      throw new DeviceError(`compile: ${t.describe()} lives on ${t.device.name}, and input 0 on ${device.name}`);
    }
    t.storage; // throws if it was freed, before anything has happened
  }
  return device;
}

/** `value` with each of its tensors replaced; looks where `scope` looks. */
function mapTensors(value: unknown, fn: (t: Tensor) => Tensor): unknown {
  if (value instanceof Tensor) return fn(value);
  if (Array.isArray(value)) return value.map((v) => mapTensors(v, fn));
  if (value instanceof Map) return new Map([...value].map(([k, v]) => [k, mapTensors(v, fn)]));
  if (!value || typeof value !== 'object') return value;
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, mapTensors(v, fn)]));
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

/** The recordings of a list, the oldest first, that one more leaves no room for. */
function surplus(list: readonly Recording[], next: Recording): Recording[] {
  const others = list.filter((r) => r !== next);
  const alike = others.filter((r) => r.key === next.key && holds(r));
  const gone = alike.slice(0, Math.max(0, alike.length + 1 - MOST_ALIKE));
  const rest = others.filter((r) => !gone.includes(r));
  return [...gone, ...rest.slice(0, Math.max(0, rest.length + 1 - MOST))];
}

/** To a recording, inputs are copies: what the step does to the tensor itself, or its gradient, would not be the input's. */
function refuseShared({ captured, replay }: Recording, inputs: readonly Tensor[]): void {
  const i = inputs.findIndex((t) => captured.has(t) || replay.mutates.has(t.storage.buffer));
  if (i < 0) return;
  throw new DeviceError(
    `compile: input ${i}, ${inputs[i]!.describe()}, is also used by the step from outside; pass it, or let the step use it, not both`,
  );
}

/** Whether a tensor that the step uses has its values elsewhere now. */
const moved = ({ captured }: Recording): boolean =>
  [...captured].some(([t, was]) => t.storage.buffer !== was.buffer || t.storage.offset !== was.offset);

/** Whether the host would decide now as it did for the recording. */
const holds = ({ decisions }: Recording): boolean => decisions.every(({ read, was }) => Object.is(read(), was));

function record(
  device: WebGpuDevice,
  step: (...inputs: never[]) => unknown,
  like: readonly Tensor[],
  key: string,
): Recording {
  const { pool } = device.replayHost();
  const inputs = like.map((t) => new Storage(pool.take(padded(t.size), `compile: ${t.describe()}`), 0, t.size));
  const outputs = new Map<Tensor, { storage: Storage; shape: Shape }>();
  const captured = new Map<Tensor, Storage>();
  /** By whose they are; null for what the step set before it asked. */
  const decisions = new Map<object, Decision | null>();
  const undo: (() => void)[] = [() => inputs.forEach((s) => void s.release())];
  try {
    const [result, trace] = device.trace((t) => {
      for (const { buffer } of inputs) t.constant.add(buffer);
      return scope(() => {
        const given: Tensor[] = [];
        like.forEach((x, i) => {
          const first = like.indexOf(x);
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
            takeNotes({ effect: (effect) => void t.effects.push(effect), alias: capture, decision, decides }, () =>
              refuseReading(step(...(given as never[]))),
            ),
        );
        mapTensors(made, (x) => {
          capture(x);
          if (!outputs.has(x)) outputs.set(x, { storage: x.storage.share(), shape: x.shape });
          return x;
        });
        // Not returned as it is: the scope is to free all of it.
        return { made: () => made };
      });
    });
    undo.push(
      () => trace.release(),
      () => [...outputs.values()].forEach((o) => void o.storage.release()),
    );
    // Aliases of parameters that the step made for itself are gone with its scope.
    for (const t of captured.keys()) if (t.isDisposed) captured.delete(t);
    const lasting = [...decisions].flatMap(([owner, d]) =>
      d && !(owner instanceof Tensor && owner.isDisposed) ? [d] : [],
    );
    // Of modules: another tensor, or another layer, may come in the place of one.
    const places = placesOf(captured.keys()).map((read) => ({ read, was: read() }));
    if (trace.refused) throw trace.refused;
    refuseKept(trace, inputs, outputs);
    const kept = new Set([...outputs.values()].map((o) => o.storage.buffer));
    const replay = new Replay(device.replayHost(), fuse(needed(trace.ops, kept), kept, device.target), kept);
    return {
      key,
      trace,
      inputs,
      outputs,
      captured,
      decisions: [...lasting, ...places],
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

/** What the step made, and its inputs, may be held by its results only. */
function refuseKept(trace: Trace, inputs: readonly Storage[], outputs: Recording['outputs']): void {
  const refs = (s: Storage) =>
    s.buffer.refs - [...outputs.values()].filter((o) => o.storage.buffer === s.buffer).length;
  const made = trace.ops.flatMap((op) => op.outputs).find((s) => refs(s) > 0);
  // Of an input's buffer there is the input itself, and what the recording holds.
  if (!made && inputs.every((s) => refs(s) === (trace.held.has(s.buffer) ? 2 : 1))) return;
  const what = made ? `a tensor that ${(made.buffer as PaperBuffer).op} made in it` : 'one of its inputs';
  throw new DeviceError(
    `compile: the step keeps ${what}, and each run would overwrite that; return it, or make state outside, and update it in place`,
  );
}

function run(device: WebGpuDevice, recording: Recording, inputs: readonly Tensor[]): unknown {
  const { trace, replay, outputs, result } = recording;
  device.replayHost();
  replay.check(inputs.map((t) => t.storage as Storage<GpuBuffer>));
  if (recording.started) {
    for (const effect of trace.effects) effect();
    replay.refresh();
  }
  recording.started = true;
  const made = new Map<Tensor, Tensor>();
  for (const [t, { storage, shape }] of outputs) made.set(t, new Tensor(device.allocate(storage.size), shape));
  replay.run(
    inputs.map((t, i): Copy => [t.storage as Storage<GpuBuffer>, recording.inputs[i]!]),
    (place) =>
      [...outputs].map(([t, { storage }]): Copy => [place(storage), made.get(t)!.storage as Storage<GpuBuffer>]),
  );
  return mapTensors(result, (t) => made.get(t)!);
}

function free({ replay, trace, inputs, outputs }: Recording): void {
  replay.destroy();
  trace.release();
  for (const s of inputs) s.release();
  for (const { storage } of outputs.values()) storage.release();
}
