/** A capture: the ops of a step as they were once, what they depend on, and how they are replayed. */
import { observe } from '../autograd/apply.ts';
import { Storage } from '../device.ts';
import { DeviceError, refusePromise } from '../errors.ts';
import { scope } from '../tensor/scope.ts';
import type { Shape } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { GpuBuffer } from '../webgpu/buffer.ts';
import type { WebGpuDevice } from '../webgpu/device.ts';
import { padded } from '../webgpu/pool.ts';
import { type CapturedOps, needed, type PaperBuffer } from './capturedOps.ts';
import { fuse } from './fuse.ts';
import { placesOf, takeNotes } from './live.ts';
import { type Copy, Replay } from './replay.ts';
import { type Left, StepGradients } from './stepGradients.ts';
import { type Call, mapTensors, type Signature } from './trees.ts';

/** A value of the host, such as a module's mode, on which the ops of a capture depend. */
interface Decision {
  readonly read: () => unknown;
  /** What it was before the capture began. */
  readonly was: unknown;
}

/** A step as it was captured: what it is for, and what its runs need. */
export interface Capture {
  /** What inputs it is for. */
  readonly signature: Signature;
  readonly ops: CapturedOps;
  readonly inputs: readonly Storage<GpuBuffer>[];
  /** What the step returned, with its tensors in `outputs`. */
  readonly result: unknown;
  readonly outputs: ReadonlyMap<Tensor, { readonly storage: Storage; readonly shape: Shape }>;
  /** Tensors from outside that the step uses, and where their values lay. */
  readonly outside: ReadonlyMap<Tensor, Storage>;
  /** The gradients in `.grad` that the step takes, and those that it leaves. */
  readonly gradients: StepGradients;
  readonly left: readonly Left[];
  /** What the host decided in it. */
  readonly decisions: readonly Decision[];
  readonly replay: Replay;
  /** Whether it has run: the first run has the params that were captured. */
  started: boolean;
}

/** Whether a tensor that the step uses was freed. */
export const isStale = ({ outside }: Capture): boolean => [...outside.keys()].some((t) => t.isDisposed);

/** Refuses an input that the step also uses from outside: the capture sees a copy of the input, so that a change to one would not reach the other. */
export function refuseShared({ outside, replay, signature }: Capture, inputs: readonly Tensor[]): void {
  const i = inputs.findIndex((t) => outside.has(t) || replay.mutates.has(t.storage.buffer));
  if (i < 0) return;
  throw new DeviceError(
    `compile: ${signature.paths[i]}, ${inputs[i]!.describe()}, is also used by the step from outside; pass it, or let the step use it, not both`,
  );
}

/** Whether a tensor that the step uses has its values elsewhere now. */
export const moved = ({ outside }: Capture): boolean =>
  [...outside].some(([t, was]) => t.storage.buffer !== was.buffer || t.storage.offset !== was.offset);

/** Whether the host would decide now as it did for the capture. */
export const holds = ({ decisions }: Capture): boolean => decisions.every(({ read, was }) => Object.is(read(), was));

/** Captures a step on a device: runs it once without doing anything, and plans what its runs do. @throws as `compile` */
export function captureStep(device: WebGpuDevice, step: (...inputs: never[]) => unknown, call: Call): Capture {
  const { signature, tensors: like } = call;
  const { pool } = device.replayHost();
  const inputs = like.map((t) => new Storage(pool.take(padded(t.size), `compile: ${t.describe()}`), 0, t.size));
  const outputs = new Map<Tensor, { storage: Storage; shape: Shape }>();
  const outside = new Map<Tensor, Storage>();
  /** The decisions of each object that was asked; null for what the step set before it asked. */
  const decisions = new Map<object, Decision | null>();
  const gradients = new StepGradients(device);
  let left: readonly Left[] = [];
  const undo: (() => void)[] = [() => inputs.forEach((s) => void s.release()), () => gradients.release()];
  try {
    const [result, ops] = device.capture((t) => {
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
        const uses = (x: Tensor) => {
          if (!t.isOutside(x.storage)) return;
          outside.set(x, x.storage);
          decision(x, () => x.requiresGrad);
        };
        const made = observe(
          (_, used) => used.forEach(uses),
          () =>
            takeNotes(
              { effect: (effect) => void t.effects.push(effect), alias: uses, decision, decides, gradients },
              () => refuseReading(step(...(signature.build(given) as never[]))),
            ),
        );
        mapTensors(made, (x) => {
          uses(x);
          if (!outputs.has(x)) outputs.set(x, { storage: x.storage.share(), shape: x.shape });
          return x;
        });
        left = gradients.leave(given);
        // Not returned as it is: the scope is to free all of it.
        return { made: () => made };
      });
    });
    undo.push(
      () => ops.release(),
      () => [...outputs.values(), ...left].forEach((o) => void o.storage?.release()),
    );
    // Aliases of parameters that the step made for itself are gone with its scope.
    for (const t of outside.keys()) if (t.isDisposed) outside.delete(t);
    const lasting = [...decisions].flatMap(([owner, d]) =>
      d && !(owner instanceof Tensor && owner.isDisposed) ? [d] : [],
    );
    // Of modules: another tensor, or another layer, may come in the place of one.
    const places = placesOf(outside.keys()).map((read) => ({ read, was: read() }));
    if (ops.refused) throw ops.refused;
    const results = [...outputs.values(), ...left].flatMap(({ storage }) => storage ?? []);
    refuseKept(ops, [...inputs, ...gradients.found.map((g) => g.storage)], results);
    const kept = new Set(results.map((s) => s.buffer));
    const replay = new Replay(device.replayHost(), fuse(needed(ops.list, kept), kept, device.target), kept);
    return {
      signature,
      ops,
      inputs,
      outputs,
      outside,
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
function refuseKept(ops: CapturedOps, inputs: readonly Storage[], results: readonly Storage[]): void {
  const refs = (s: Storage) => s.buffer.refs - results.filter((r) => r.buffer === s.buffer).length;
  const made = ops.list.flatMap((op) => op.outputs).find((s) => refs(s) > 0);
  // Of an input's buffer there is the input itself, and what the capture holds.
  if (!made && inputs.every((s) => refs(s) === (ops.held.has(s.buffer) ? 2 : 1))) return;
  const what = made ? `a tensor that ${(made.buffer as PaperBuffer).op} made in it` : 'one of its inputs';
  throw new DeviceError(
    `compile: the step keeps ${what}, and each run would overwrite that; return it, or make state outside, and update it in place`,
  );
}

/** Runs a capture. @returns what the step returns, with new tensors */
export function runCapture(device: WebGpuDevice, capture: Capture, inputs: readonly Tensor[]): unknown {
  const { ops, replay, outputs, result, gradients, left } = capture;
  device.replayHost();
  const taken = [...inputs, ...gradients.found.map(({ of }) => of.grad!)].map((t) => t.storage as Storage<GpuBuffer>);
  const into = [...capture.inputs, ...gradients.found.map((g) => g.storage as Storage<GpuBuffer>)];
  replay.check(taken);
  if (capture.started) {
    for (const effect of ops.effects) effect();
    replay.refresh();
  }
  capture.started = true;
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

/** Frees the memory of a capture. */
export function freeCapture({ replay, ops, inputs, outputs, gradients, left }: Capture): void {
  replay.destroy();
  ops.release();
  for (const s of inputs) s.release();
  gradients.release();
  for (const { storage } of [...outputs.values(), ...left]) storage?.release();
}
