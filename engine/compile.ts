import { currentDevice, Storage, withDevice } from './device.ts';
import { DeviceError, refusePromise } from './errors.ts';
import { noteEffects } from './live.ts';
import { scope } from './scope.ts';
import { type Shape, show } from './shape.ts';
import { Tensor } from './tensor.ts';
import { WebGpuDevice } from './webgpu/device.ts';
import { fuse } from './webgpu/fuse.ts';
import { type GpuBuffer, padded } from './webgpu/pool.ts';
import { type Copy, Replay } from './webgpu/replay.ts';
import { needed, type PaperBuffer, type Trace } from './webgpu/trace.ts';

/** A compiled step: call it as the function it was made from. */
export interface CompiledStep<A extends readonly Tensor[], R> {
  (...inputs: A): R;
  /** The kernels of the recordings, in order; empty before the first call. For the curious, and for tests. */
  kernels(): readonly string[];
  /** Frees the memory of its recordings. It can be called again, and records anew. */
  dispose(): void;
}

interface Recording {
  readonly trace: Trace;
  readonly replay: Replay;
  readonly inputs: readonly Storage<GpuBuffer>[];
  /** What the step returned, with its tensors in `outputs`. */
  readonly result: unknown;
  readonly outputs: ReadonlyMap<Tensor, { readonly storage: Storage; readonly shape: Shape }>;
  /** Whether it has run: the first run has the params that were recorded. */
  started: boolean;
}

/**
 * Records a step once, as ops, and replays it: elementwise ops are fused, what nobody needs is left out, memory is planned,
 * and a run is one submit with a few microseconds of JavaScript a launch. Meant for training steps: everything that the step
 * changes (parameters, moments, averages) is updated in place as ever; learning rates, step numbers and random numbers move on
 * from run to run.
 *
 * The first call records the step. What JavaScript decides inside it (branches, loops, `train` or `eval`) is decided then, and
 * state that it updates must exist. New shapes of the inputs make a new recording. Results
 * are new tensors without a graph. On the reference device the step runs as it is, each time.
 * @param step takes tensors and returns tensors, alone or in arrays and plain objects; must not be async, read values or keep tensors
 * @throws DeviceError if the step reads values or keeps a tensor
 * @example
 * const step = compile((real) => {
 *   const loss = criticLoss(critic, real);
 *   adam.step(grad(loss, critic.parameters()));
 *   return loss;
 * });
 * for (const batch of batches) await scope(() => step(tensor(batch, { shape })).item());
 */
export function compile<A extends readonly Tensor[], R>(step: (...inputs: A) => R): CompiledStep<A, R> {
  const recordings = new Map<string, Recording>();
  const call = (...inputs: A): R => {
    const device = inputs[0]?.device ?? currentDevice();
    return withDevice(device, () => {
      if (!(device instanceof WebGpuDevice) || device.tracing) {
        return scope(() => detached(refusePromise('compile', step(...inputs))));
      }
      const key = inputs.map((t) => show(t.shape)).join();
      const recording = recordings.get(key) ?? record(device, step, inputs);
      recordings.set(key, recording);
      return run(device, recording, inputs) as R;
    });
  };
  const dispose = (): void => {
    for (const r of recordings.values()) free(r);
    recordings.clear();
  };
  return Object.assign(call, { kernels: () => [...recordings.values()].flatMap((r) => r.replay.names), dispose });
}

/** `value` with each of its tensors replaced. */
function mapTensors(value: unknown, fn: (t: Tensor) => Tensor): unknown {
  if (value instanceof Tensor) return fn(value);
  if (Array.isArray(value)) return value.map((v) => mapTensors(v, fn));
  if (value && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, mapTensors(v, fn)]));
  }
  return value;
}

const detached = <R>(result: R): R => mapTensors(result, (t) => t.detach()) as R;

function record(device: WebGpuDevice, step: (...inputs: never) => unknown, like: readonly Tensor[]): Recording {
  const { pool } = device.replayHost();
  const inputs = like.map((t) => new Storage(pool.takeNew(padded(t.size)), 0, t.size));
  const outputs = new Map<Tensor, { storage: Storage; shape: Shape }>();
  const [result, trace] = device.trace(({ effects }) =>
    scope(() => {
      const leaves = like.map((t, i) => new Tensor(inputs[i]!.share(), t.shape, t.requiresGrad, t.label));
      const made = noteEffects(
        (effect) => effects.push(effect),
        () => refusePromise('compile', step(...(leaves as never))),
      );
      mapTensors(made, (t) => {
        outputs.set(t, { storage: t.storage.share(), shape: t.shape });
        return t;
      });
      // Not returned as it is: the scope is to free all of it.
      return { made: () => made };
    }),
  );
  const kept = new Set([...outputs.values()].map((o) => o.storage.buffer));
  const recorded = { trace, inputs, outputs, result: result.made(), started: false };
  try {
    for (const { outputs: ys } of trace.ops) for (const { buffer } of ys) refuseKept(buffer as PaperBuffer, outputs);
    const ops = needed(trace.ops, kept);
    const replay = new Replay(device.replayHost(), fuse(ops, kept, device.target), kept);
    return { ...recorded, replay };
  } catch (error) {
    release(recorded);
    throw error;
  }
}

/** A buffer of the step may be held by its results only. */
function refuseKept(buffer: PaperBuffer, outputs: Recording['outputs']): void {
  const held = [...outputs.values()].filter((o) => o.storage.buffer === buffer).length;
  if (buffer.refs <= held) return;
  throw new DeviceError(
    `compile: the step keeps a tensor that ${buffer.op} made in it, and each run would overwrite that; return it, or make state outside, and update it in place`,
  );
}

function run(device: WebGpuDevice, recording: Recording, inputs: readonly Tensor[]): unknown {
  const { trace, replay, outputs, result } = recording;
  device.replayHost();
  if (recording.started) {
    for (const effect of trace.effects) effect();
    replay.refresh();
  }
  recording.started = true;
  const made = new Map<Tensor, Tensor>();
  for (const [t, { storage, shape }] of outputs) made.set(t, new Tensor(device.allocate(storage.size), shape));
  replay.run(
    inputs.map((t, i) => [t.storage as Storage<GpuBuffer>, recording.inputs[i]!]),
    (place) =>
      [...outputs].map(
        ([t, { storage }]): Copy => [place(storage) as Storage<GpuBuffer>, made.get(t)!.storage as Storage<GpuBuffer>],
      ),
  );
  return mapTensors(result, (t) => made.get(t)!);
}

function release({ trace, inputs, outputs }: Omit<Recording, 'replay'>): void {
  trace.release();
  for (const s of inputs) s.release();
  for (const { storage } of outputs.values()) storage.release();
}

function free(recording: Recording): void {
  recording.replay.destroy();
  release(recording);
}
