import { calledAs } from '../arguments/arguments.ts';
import { Live } from '../compile/live.ts';
import { currentDevice, type Device, type OpCall } from '../device.ts';
import { DeviceError, GradError } from '../errors.ts';
import { scope } from '../tensor/scope.ts';
import { Tensor } from '../tensor/tensor.ts';
import { isRecording, type Node, newNodeId, noGrad } from './node.ts';
import { type AnyRow, type Listed, nameOf, type Row } from './row.ts';

/**
 * Runs a row of the op table and records it: the one way in which an op happens.
 * @throws ShapeError, UseAfterFreeError, DeviceError (inputs on different devices)
 */
export function apply<P, N extends number, M extends number>(
  row: Row<P, N, M>,
  inputs: Listed<Tensor, N>,
  given: P | Live<P>,
): Listed<Tensor, M> {
  return run(row, inputs, given) as Listed<Tensor, M>;
}

function run<P>(row: AnyRow, inputs: readonly Tensor[], given: P | Live<P>): readonly Tensor[] {
  const live = given instanceof Live ? given : undefined;
  const params = live ? live.next() : (given as P);
  const device = deviceOf(row.name, inputs);
  const shapes = row.shape(
    inputs.map((t) => t.shape),
    params,
  );
  const storages = inputs.map((t) => t.storage);
  checkSaved(row.name, inputs);
  let outputs: readonly Tensor[];
  if (row.view) {
    outputs = [new Tensor(storages[0]!.share(), shapes[0]!)];
  } else {
    const call: OpCall = {
      op: row.name,
      inputs: storages,
      inputShapes: inputs.map((t) => t.shape),
      outputShapes: shapes,
      params,
      mutates: row.mutates ?? 0,
      plan: row.kernel
        ? (target, later = params) =>
            row.kernel!({ inputs: call.inputShapes, outputs: shapes, params: later as P, target })
        : undefined,
      elementwise: row.elementwise && (() => row.elementwise!(params)),
      live,
    };
    if (device.runs(call)) outputs = device.run(call).map((s, i) => new Tensor(s, shapes[i]!));
    else if (row.composite) outputs = noGrad(() => scope(() => row.composite!(inputs, params)));
    else throw new DeviceError(`${row.name}: no implementation for the ${device.kind} device`);
  }
  if (row.vjp !== undefined || row.composite) record(row, inputs, params, outputs);
  observer?.(row.name, inputs, outputs, guarded, { row, params });
  return outputs;
}

/**
 * Sees every op as it happens; `during` is the op whose derivative rule made it, if one did. An op that runs as its
 * composition comes after the ops of that composition.
 */
export type Observer = (
  op: string,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  during: Node | undefined,
  call: Pick<Node, 'row' | 'params'>,
) => void;

let observer: Observer | undefined;

/** Whether somebody sees each op as it happens. */
export const isObserved = (): boolean => observer !== undefined;

/** Runs `fn` with one more observer of its ops, or with none. `fn` must not be async. */
export function observe<T>(next: Observer | undefined, fn: () => T): T {
  const before = observer;
  observer =
    next && before
      ? (...seen) => {
          before(...seen);
          next(...seen);
        }
      : next;
  try {
    return fn();
  } finally {
    observer = before;
  }
}

function record<P>(row: AnyRow, inputs: readonly Tensor[], params: P, outputs: readonly Tensor[]): void {
  if (!isRecording() || !inputs.some((t) => t.requiresGrad)) return;
  const saved = [...inputs, ...outputs].map(({ storage: { buffer } }) => ({ buffer, version: buffer.version }));
  const from = guarded && { id: guarded.id, op: nameOf(guarded.row) };
  const node = { id: newNodeId(), row, params, inputs, outputs, from, saved, freed: false };
  for (const t of outputs) {
    t.requiresGrad = true;
    t.node = node;
  }
}

/** @throws TypeError unless all are tensors: for ops that look at shapes before a row of the table does */
export function checkTensors(op: string, inputs: readonly Tensor[]): void {
  inputs.forEach((t, i) => {
    if (!(t instanceof Tensor)) {
      throw new TypeError(
        `${op}: input ${i} is ${t === null ? 'null' : typeof t}, not a tensor; make one of it with tensor(...)`,
      );
    }
  });
}

function deviceOf(op: string, inputs: readonly Tensor[]): Device {
  checkTensors(calledAs(op), inputs);
  const device = inputs[0]?.device ?? currentDevice();
  for (const t of inputs) {
    if (t.device !== device) {
      throw new DeviceError(
        `${calledAs(op)}: ${t.describe()} lives on ${t.device.name} and ${inputs[0]!.describe()} on ${device.name}${t.device.name === device.name ? ' of another init()' : ''}; make both on one device`,
      );
    }
  }
  return device;
}

// While a derivative rule runs, the values that its node saved must still be those that the op saw.
let guarded: Node | undefined;

/** Runs a derivative rule; reading a saved value that was overwritten in place since then is a GradError. */
export function guardSaved<T>(node: Node, rule: () => T): T {
  const before = guarded;
  guarded = node;
  try {
    return rule();
  } finally {
    guarded = before;
  }
}

function checkSaved(op: string, inputs: readonly Tensor[]): void {
  if (!guarded) return;
  const { row, saved } = guarded;
  const tensors = [...guarded.inputs, ...guarded.outputs];
  for (const t of inputs) {
    const was = saved[tensors.indexOf(t)];
    const { buffer } = t.storage;
    if (was && (was.buffer !== buffer || was.version !== buffer.version)) {
      throw new GradError(
        `backward of ${row.name}: ${t.describe()} was overwritten in place after ${row.name} used it (${op} needs the old value); run backward before the update, or clone() it`,
      );
    }
  }
}
