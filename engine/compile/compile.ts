import { checkArguments, kind } from '../arguments/arguments.ts';
import { shown } from '../arguments/options.ts';
import { isObserved } from '../autograd/apply.ts';
import { noGrad } from '../autograd/node.ts';
import { withDevice } from '../device.ts';
import { refusePromise } from '../errors.ts';
import { clone } from '../ops/elementwise.ts';
import { scope } from '../tensor/scope.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { WebGpuDevice } from '../webgpu/device.ts';
import { type Capture, captureStep, freeCapture, holds, isStale, moved, refuseShared, runCapture } from './capture.ts';
import { mapTensors, readInputs, type Signature } from './trees.ts';

/** A compiled step: call it as the function it was made from. */
export interface CompiledStep<A extends readonly unknown[], R> {
  (...inputs: A): R;
  /** The kernels of the captures, in order; empty before the first call. For the curious, and for tests. */
  kernels(): readonly string[];
  /** Frees the memory of its captures. It can be called again, and captures anew. */
  dispose(): void;
  /** Does what `dispose` does, at the end of a block that says `using step = compile(...)`. */
  [Symbol.dispose](): void;
}

/** Captures of one step on one device that are kept; beyond that the one that has not run for longest goes. */
const MOST = 16;
/** Captures that are kept for one signature: one more than needed, for steps that run with averaged parameters now and then. */
const MOST_ALIKE = 2;

const aStep = kind<never>('the step', 'a function, such as (x) => model.forward(x)', (v) => typeof v === 'function');

/**
 * Captures a step once, as ops, and replays it: elementwise ops are fused, what nobody needs is left out, memory is planned,
 * and a run is one submit with a few microseconds of JavaScript a launch. Meant for training steps: everything that the step
 * changes (parameters, moments, averages) is updated in place as ever; learning rates, step numbers and random numbers move on
 * from run to run.
 *
 * The first call captures the step, and with it what JavaScript does inside: numbers from outside (a learning rate in a variable),
 * branches, loops, `Math.random()`, `Date.now()`, host data that it turns into tensors, hooks of modules and which tensors a variable
 * holds stay what they were. Pass in what changes, as tensors; state that the step updates must exist, and be updated in place.
 *
 * Inputs are what `scope` may return: tensors in lists, Maps, Sets and plain objects, nested to any depth. Numbers, texts, booleans,
 * null and undefined among them are part of what a capture is for, as shapes are: the step sees them as they are and may branch on
 * them, and other ones are captured again. That is right for what takes a few values, such as a phase or a number of layers. What
 * moves from step to step is passed as a tensor: a number would be captured in each call, and a warning on the console names it once
 * 16 captures were for values alone. Objects of classes and functions are refused, since nothing tells whether they changed.
 *
 * Captured again are: inputs of other shapes, with other names or lengths, with other values of the host, or where other tensors are
 * one and the same; the order of an object's names counts only if the step asks for it (`Object.values(batch)`), that of a Map or Set
 * always; `train()` and `eval()` of modules whose layers behave otherwise then; `requireGrad` of a
 * tensor that the step uses; a parameter or layer that took another's place in a module, if the module's parameters were listed
 * before (as for an optimizer); parameters that were moved. Captures are kept, the last 16, so that going back costs nothing.
 * Results are new tensors and constants to `grad`: take gradients inside the step. `backward()` and `zeroGrad()` in it add to and clear
 * the `.grad` of tensors outside in each run; with and without a gradient there are two captures. On the reference device, inside another
 * compiled step and under {@link detectAnomaly} the step runs as it is. An error while capture leaves what the step did on
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
  /** The captures of each device, those that ran last at the end. */
  const captures = new Map<WebGpuDevice, Capture[]>();
  const notice = constantsNoticed();
  const call = (...inputs: A): R => {
    const known = fitting(captures.values(), inputs);
    const { device } = (known?.capture ?? readInputs(inputs)).signature;
    return withDevice(device, () => {
      if (!(device instanceof WebGpuDevice) || device.capturing || isObserved()) {
        return scope(() => copied(refusePromise('compile', step(...inputs))));
      }
      for (const other of captures.keys()) if (!other.alive) captures.delete(other);
      const own = captures.get(device) ?? [];
      captures.set(device, own);
      forget(own, own.filter(isStale));
      const isReady = (r: Capture) => own.includes(r) && holds(r) && !moved(r);
      const ready = known && isReady(known.capture) ? known : fitting([own], inputs, isReady);
      const { capture, tensors } = ready ?? captured(device, step, inputs, own, notice);
      own.splice(0, own.length, ...own.filter((r) => r !== capture), capture);
      refuseShared(capture, tensors);
      return runCapture(device, capture, tensors) as R;
    });
  };
  const all = () => [...captures.values()].flat();
  const dispose = (): void => {
    for (const r of all()) freeCapture(r);
    captures.clear();
  };
  const kernels = () => all().flatMap((r) => r.replay.names);
  return Object.assign(call, { kernels, dispose, [Symbol.dispose]: dispose });
}

/** Results in memory of their own: one may be a parameter, which the next run changes. */
const copied = <R>(result: R): R => noGrad(() => mapTensors(result, (t) => clone(t))) as R;

/** Frees captures, and takes them out of their list. */
function forget(list: Capture[], gone: readonly Capture[]): void {
  for (const r of gone) {
    list.splice(list.indexOf(r), 1);
    freeCapture(r);
  }
}

/** A capture, and the tensors for it. */
interface Fitting {
  readonly capture: Capture;
  readonly tensors: readonly Tensor[];
}

/** The capture of each list that ran last, among those for such inputs for which `also` holds. */
function fitting(
  lists: Iterable<readonly Capture[]>,
  inputs: readonly unknown[],
  also: (r: Capture) => boolean = () => true,
): Fitting | undefined {
  for (const list of lists) {
    for (let i = list.length - 1; i >= 0; i--) {
      const capture = list[i]!;
      const tensors = capture.signature.match(inputs);
      if (tensors && also(capture)) return { capture, tensors };
    }
  }
  return undefined;
}

/** A new capture, for which others in the list make room. */
function captured(
  device: WebGpuDevice,
  step: (...inputs: never[]) => unknown,
  inputs: readonly unknown[],
  own: Capture[],
  notice: (others: readonly Capture[], next: Signature) => void,
): Fitting {
  const call = readInputs(inputs);
  notice(own, call.signature);
  const capture = captureStep(device, step, call);
  forget(own, surplus(own, inputs));
  return { capture, tensors: call.tensors };
}

/** The captures of a list, the oldest first, that one more for these inputs leaves no room for. */
function surplus(list: readonly Capture[], inputs: readonly unknown[]): Capture[] {
  const alike = list.filter((r) => r.signature.match(inputs) && holds(r));
  const gone = alike.slice(0, Math.max(0, alike.length + 1 - MOST_ALIKE));
  const rest = list.filter((r) => !gone.includes(r));
  return [...gone, ...rest.slice(0, Math.max(0, rest.length + 1 - MOST))];
}

/** Warns, once, of a step whose captures are for other values of the host alone: of a number that moves. */
function constantsNoticed(): (others: readonly Capture[], next: Signature) => void {
  let count = 0;
  return (others, next) => {
    const before = others.filter((r) => r.signature.outline === next.outline).at(-1)?.signature.constants;
    const i = before?.findIndex(({ value }, k) => !Object.is(value, next.constants[k]!.value)) ?? -1;
    if (i < 0 || ++count !== MOST) return;
    const { path, value } = next.constants[i]!;
    console.warn(
      `wgrad: a compiled step was captured ${MOST} times more because values of the host in its inputs changed, now ${path} from ${shown(before![i]!.value)} to ${shown(value)}. A capture takes far longer than a run: pass what moves as a tensor, tensor(${shown(value)})`,
    );
  };
}
