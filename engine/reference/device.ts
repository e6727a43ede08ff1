import type { Target } from '../../kernels/kernel.ts';
import { type Buffer, checkView, type Device, type Memory, type OpCall, Storage } from '../device.ts';
import type { Primitive } from '../ops/table.ts';
import { Census } from '../tensor/lifetime.ts';
import { sizeOf } from '../tensor/shape.ts';
import type { LoopContext } from './loop.ts';
import { loops } from './loops.ts';

class HostBuffer implements Buffer {
  readonly device: Device;
  readonly values: Float64Array<ArrayBuffer>;
  refs = 0;
  version = 0;

  constructor(device: Device, values: Float64Array<ArrayBuffer>) {
    this.device = device;
    this.values = values;
  }
}

type HostStorage = Storage<HostBuffer>;

const valuesOf = (s: Storage): Float64Array<ArrayBuffer> => {
  const { buffer, offset, size } = s as HostStorage;
  return buffer.values.subarray(offset, offset + size);
};

/**
 * Plain loops in float64, in JavaScript: slow, exact, and at home anywhere. Derivatives are checked on it, kernels are
 * compared with it, and it runs every program that a GPU runs.
 */
export class ReferenceDevice implements Device {
  readonly kind = 'reference';
  readonly name = 'float64 reference (JavaScript)';
  readonly dtype = 'float64';
  /** @internal */
  readonly census = new Census(false);
  readonly target: Target = { family: 'software', subgroupSize: 0, maxStorageBuffers: Number.POSITIVE_INFINITY };
  #buffers = 0;
  #bytes = 0;
  #peakBytes = 0;

  /** @internal */
  runs({ op }: OpCall): boolean {
    return op in loops;
  }

  /** @internal */
  run(call: OpCall): Storage[] {
    const outputs = call.outputShapes.map((s) => this.allocate(sizeOf(s)));
    const loop = loops[call.op as Primitive] as (context: LoopContext<unknown>) => void;
    loop({
      inputs: call.inputs.map(valuesOf),
      inputShapes: call.inputShapes,
      outputs: outputs.map(valuesOf),
      outputShapes: call.outputShapes,
      params: call.params,
    });
    for (const s of call.inputs.slice(0, call.mutates)) s.buffer.version++;
    return outputs;
  }

  /** @internal */
  allocate(size: number): Storage {
    return this.#hold(new Float64Array(size));
  }

  /** @internal */
  upload(values: ArrayLike<number>): Storage {
    return this.#hold(Float64Array.from(values));
  }

  /** @internal */
  write(storage: Storage, values: ArrayLike<number>): void {
    valuesOf(storage).set(values);
    storage.buffer.version++;
  }

  /** @internal */
  async read(storage: Storage): Promise<Float64Array<ArrayBuffer>> {
    return this.values(storage).slice();
  }

  /** The values themselves, without waiting. @internal */
  values(storage: Storage): Float64Array<ArrayBuffer> {
    return valuesOf(storage);
  }

  /** @internal */
  view(storage: Storage, offset: number, size: number): Storage {
    checkView(storage, offset, size);
    return new Storage((storage as HostStorage).buffer, storage.offset + offset, size);
  }

  /** @internal */
  release(buffer: Buffer): void {
    this.#buffers--;
    this.#bytes -= (buffer as HostBuffer).values.byteLength;
  }

  flush(): void {}

  async sync(): Promise<void> {}

  memory(): Memory {
    const [buffers, bytes, peakBytes] = [this.#buffers, this.#bytes, this.#peakBytes];
    return { tensors: this.census.alive, buffers, bytes, pooledBuffers: 0, pooledBytes: 0, peakBytes };
  }

  destroy(): void {}

  #hold(values: Float64Array<ArrayBuffer>): Storage {
    this.#buffers++;
    this.#bytes += values.byteLength;
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
    return new Storage(new HostBuffer(this, values), 0, values.length);
  }
}

/**
 * The one reference device of the process: float64, in plain JavaScript. It needs no `init`; see {@link withDevice}.
 */
export const reference = new ReferenceDevice();
