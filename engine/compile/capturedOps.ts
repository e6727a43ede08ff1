import { type Buffer, type Device, type OpCall, Storage } from '../device.ts';
import { DeviceError } from '../errors.ts';
import { sizeOf } from '../tensor/shape.ts';

/** A buffer on paper: a replay gives it memory. */
export class PaperBuffer implements Buffer {
  readonly device: Device;
  refs = 0;
  version = 0;
  /** The op that fills it, for errors. */
  readonly op: string;

  constructor(device: Device, op: string) {
    this.device = device;
    this.op = op;
  }
}

/** An op of a step, with the storages that hold its results. */
export interface CapturedOp {
  readonly call: OpCall;
  readonly outputs: readonly Storage[];
  /** Params for the next run, where they change from run to run. */
  params: unknown;
}

/** Writes down what a step does instead of doing it. */
export class CapturedOps {
  readonly #device: Device;
  readonly list: CapturedOp[] = [];
  /** What the step does on the host, in order: to be done again for every later run. */
  readonly effects: (() => void)[] = [];
  /** Memory that the step uses and did not make, held for as long as it can be run. */
  readonly held = new Map<Buffer, Storage>();

  /** The step's inputs and what it uploaded: the same memory in each run, so that nothing may be written there. */
  readonly constant = new Set<Buffer>();

  /** What the step tried and a capture cannot do; also where the step did not wait for it to fail. */
  refused: Error | undefined;

  constructor(device: Device) {
    this.#device = device;
  }

  /** Whether values come from outside of the step. */
  isOutside({ buffer }: Storage): boolean {
    return !(buffer instanceof PaperBuffer) && !this.constant.has(buffer);
  }

  run(call: OpCall): Storage[] {
    const mutated = call.inputs.slice(0, call.mutates);
    if (mutated.some((s) => this.constant.has(s.buffer))) {
      throw new DeviceError(
        `compile: ${call.op} overwrites a tensor that was passed to the step, or made from host data in it; use one made outside that the step captures`,
      );
    }
    const outputs = call.outputShapes.map((s) => new Storage(new PaperBuffer(this.#device, call.op), 0, sizeOf(s)));
    const op: CapturedOp = { call, outputs, params: call.params };
    this.list.push(op);
    for (const s of call.inputs) this.hold(s);
    const { live } = call;
    if (live) {
      this.effects.push(() => {
        op.params = live.next();
      });
    }
    for (const s of mutated) s.buffer.version++;
    return outputs;
  }

  hold(storage: Storage): void {
    const { buffer } = storage;
    if (!(buffer instanceof PaperBuffer) && !this.held.has(buffer)) this.held.set(buffer, storage.share());
  }

  /** Holds host data that was uploaded in the step. */
  upload(storage: Storage): void {
    this.constant.add(storage.buffer);
    this.hold(storage);
  }

  /** Lets go of the memory that it held. */
  release(): void {
    for (const s of this.held.values()) s.release();
    this.held.clear();
  }
}

/** The ops whose results somebody needs: those that write in place, those that give `kept`, and what leads to them. */
export function needed(ops: readonly CapturedOp[], kept: ReadonlySet<Buffer>): CapturedOp[] {
  const wanted = new Set(kept);
  const found: CapturedOp[] = [];
  for (const op of [...ops].reverse()) {
    if (op.call.mutates === 0 && !op.outputs.some((s) => wanted.has(s.buffer))) continue;
    for (const s of op.call.inputs) wanted.add(s.buffer);
    found.push(op);
  }
  return found.reverse();
}
