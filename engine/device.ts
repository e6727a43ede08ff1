import type { Elementwise } from '../kernels/functions.ts';
import type { Param, Plan, Shape, Target } from '../kernels/kernel.ts';
import { aFunction, guarded, kind } from './arguments/arguments.ts';
import { DeviceError, refusePromise, UseAfterFreeError } from './errors.ts';
import type { Census } from './tensor/lifetime.ts';

/** Values as a device hands them out, row-major: float32 from WebGPU, float64 from the reference device. */
export type Values = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** What a device does for one op, and what it needs to know of the op. */
export interface OpCall {
  /** The op's name, for errors. */
  readonly op: string;
  readonly inputs: readonly Storage[];
  readonly inputShapes: readonly Shape[];
  readonly outputShapes: readonly Shape[];
  readonly params: unknown;
  /** How many leading inputs the op writes in place. */
  readonly mutates: number;
  /** The op's launches on WebGPU. Absent: the op has no kernel. */
  readonly plan?: ((target: Target, params?: unknown) => Plan) | undefined;
  /** The function of an elementwise op. */
  readonly elementwise?: (() => { readonly e: Elementwise; readonly scalars: readonly number[] }) | undefined;
  /** Where params of a later run of the same step come from, if they change. */
  readonly live?: { readonly next: () => unknown } | undefined;
}

/** Live tensors and the memory behind them. */
export interface Memory {
  /** Tensors alive on this device. */
  tensors: number;
  /** Buffers that back living tensors. */
  buffers: number;
  /** The size in bytes of the buffers that back living tensors, as allocated. */
  bytes: number;
  /** Buffers that are kept to be used again, those through which values are read among them. */
  pooledBuffers: number;
  /** The size in bytes of the buffers that are kept. What some thousand submits did not use goes back to the adapter. */
  pooledBytes: number;
  /** The most bytes that were ever in use at once. */
  peakBytes: number;
}

/** A place where tensors live and ops run. {@link init} opens one. */
export interface Device {
  /** `'reference'` is float64 in plain JavaScript. */
  readonly kind: 'webgpu' | 'reference';
  /** The adapter as it names itself, e.g. "llvmpipe (LLVM 15.0.6, 256 bits)". */
  readonly name: string;
  /** The one type of elements that it has. */
  readonly dtype: 'float32' | 'float64';
  /** What kernels may know of this device. */
  readonly target: Target;
  /** The tensors on this device. @internal */
  readonly census: Census;
  /** Whether it can run the op itself; if not, the engine runs the op's composition. @internal */
  runs(call: OpCall): boolean;
  /** @internal */
  run(call: OpCall): Storage[];
  /** Uninitialised space for `size` elements. @internal */
  allocate(size: number): Storage;
  /** @internal */
  upload(values: ArrayLike<number>): Storage;
  /** Replaces the elements of a storage. @internal */
  write(storage: Storage, values: ArrayLike<number>): void;
  /** @internal */
  read(storage: Storage): Promise<Values>;
  /** The values themselves, without waiting: of a device whose memory is the host's. @internal */
  values?(storage: Storage): Values;
  /** A window of an existing storage; `offset` must be a multiple of 64 elements. @internal */
  view(storage: Storage, offset: number, size: number): Storage;
  /** Called by a buffer when its last reference goes. @internal */
  release(buffer: Buffer): void;
  /** Hands recorded work to the adapter without waiting for it. */
  flush(): void;
  /** Resolves when all recorded work is done. @throws DeviceError if the device was lost or refused a command */
  sync(): Promise<void>;
  /** Live tensors, and the buffers of this device. */
  memory(): Memory;
  /** Frees everything and lets the process end. Its tensors cannot be used afterwards. */
  destroy(): void;
}

/** Memory of a device, shared by the storages that are windows of it. */
export interface Buffer {
  readonly device: Device;
  /** References held by storages. */
  refs: number;
  /** Counts in-place writes, so that a tape notices that a value it saved is gone. */
  version: number;
}

/** A reference to a window of a buffer. Tensors that share data (reshape) share the buffer, not the storage. */
export class Storage<B extends Buffer = Buffer> {
  readonly buffer: B;
  /** The place of the window in the buffer, in elements. */
  readonly offset: number;
  readonly size: number;
  #live = true;

  constructor(buffer: B, offset: number, size: number) {
    this.buffer = buffer;
    this.offset = offset;
    this.size = size;
    buffer.refs++;
  }

  get device(): Device {
    return this.buffer.device;
  }

  share(): Storage<B> {
    if (!this.#live) throw new UseAfterFreeError('a storage was shared after it was released');
    return new Storage(this.buffer, this.offset, this.size);
  }

  release(): void {
    if (!this.#live) return;
    this.#live = false;
    if (--this.buffer.refs === 0) this.buffer.device.release(this.buffer);
  }
}

/** @throws RangeError if a window does not start at a multiple of 64 elements, or leaves its storage */
export function checkView(storage: Storage, offset: number, size: number): void {
  if (offset % 64 !== 0 || offset < 0 || offset + size > storage.size) {
    throw new RangeError(
      `view: ${size} elements from ${offset} are no window of ${storage.size} elements (starts are multiples of 64)`,
    );
  }
}

let current: Device | undefined;
/** Calls of `init` under way. */
let pending = 0;

/** The device on which new tensors are made. */
export function currentDevice(): Device {
  if (current) return current;
  throw new DeviceError(
    pending > 0
      ? 'no device yet: init() is still opening it; write `await init()` before making tensors'
      : 'no device: call `await init()` before making tensors',
  );
}

/** Notes that `init` is under way until `done` resolves. */
export function opening<T>(done: Promise<T>): Promise<T> {
  pending++;
  return done.finally(() => {
    pending--;
  });
}

export const setDevice = (device: Device | undefined): void => {
  current = device;
};

export const hasDevice = (): boolean => current !== undefined;

const aDevice = kind<Device>(
  'device',
  'a device that init gave',
  (v) => typeof v === 'object' && v !== null && 'upload' in v,
);

/**
 * Runs `fn` with another current device, and returns what it returns. Ops run where their inputs live; what changes is where
 * new tensors are made.
 * @throws TypeError if `fn` is async
 * @example
 * const exact = withDevice(reference, () => tensor([1, 2, 3]).exp().sum()); // in float64
 * @function
 */
export const withDevice = guarded('withDevice', [aDevice, aFunction('fn')], <T>(device: Device, fn: () => T): T => {
  const before = current;
  current = device;
  try {
    return refusePromise('withDevice', fn());
  } finally {
    current = before;
  }
});

/** Writes uniform parameters into 32-bit words. */
export function packParams(params: readonly Param[], words: Uint32Array, floats: Float32Array, at: number): void {
  for (let i = 0; i < params.length; i++) {
    const p = params[i]!;
    if (typeof p === 'number') {
      if (!Number.isInteger(p))
        throw new RangeError(`params of a call: ${p} is not a whole number; f32(${p}) makes it a float`);
      words[at + i] = p;
    } else floats[at + i] = p.f32;
  }
}
