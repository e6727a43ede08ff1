import type { Dispatch, Target } from '../../kernels/kernel.ts';
import { CapturedOps, PaperBuffer } from '../compile/capturedOps.ts';
import type { ReplayHost } from '../compile/replay.ts';
import { type Buffer, checkView, type Device, type Memory, type OpCall, Storage, type Values } from '../device.ts';
import { DeviceError, refuseGenerator } from '../errors.ts';
import { Census } from '../tensor/lifetime.ts';
import { show, sizeOf } from '../tensor/shape.ts';
import type { GpuBuffer } from './buffer.ts';
import { type Binding, checkLaunch } from './commands.ts';
import { type Counters, type GpuDevice, type KernelFamily, nameOf, type Opened } from './opened.ts';
import { Pipelines } from './pipelines.ts';
import { bindable, Pool, padded, sizeClass } from './pool.ts';
import { type ProfileEntry, Profiler } from './profiler.ts';
import { DispatchQueue } from './queue.ts';
import { Readback } from './readback.ts';
import { Submits } from './submits.ts';

type GpuStorage = Storage<GpuBuffer>;

export type { Counters, GpuDevice, KernelFamily };

/** Tensors in float32 on a WebGPU adapter. Made by {@link init}. */
export class WebGpuDevice implements Device {
  readonly kind = 'webgpu';
  readonly dtype = 'float32';
  /** @internal */
  readonly census = new Census(true);
  readonly name: string;
  readonly target: Target;
  /** WebGPU's own device, for work beside the engine's. */
  readonly gpu: GpuDevice;
  /** Whether the adapter runs on a CPU. */
  readonly software: boolean;
  readonly #opened: Opened;
  readonly #submits: Submits;
  readonly #pool: Pool;
  readonly #queue: DispatchQueue;
  readonly #pipelines: Pipelines;
  readonly #readback: Readback;
  readonly #limit: number;
  #captured: CapturedOps | undefined;
  #destroyed = false;
  /** Why every further call fails, once it is lost or destroyed. */
  #gone: DeviceError | undefined;

  /** @internal */
  constructor(opened: Opened, family?: KernelFamily) {
    const { gpu, info } = opened;
    this.#opened = opened;
    this.gpu = gpu;
    this.software = opened.software;
    this.name = nameOf(info);
    const fixed = gpu.features.has('subgroups') && info.subgroupMinSize === info.subgroupMaxSize;
    this.target = {
      family: family ?? (opened.software ? 'software' : 'hardware'),
      subgroupSize: fixed ? info.subgroupMinSize : 0,
      maxStorageBuffers: gpu.limits.maxStorageBuffersPerShaderStage,
    };
    this.#limit = Math.min(gpu.limits.maxStorageBufferBindingSize, gpu.limits.maxBufferSize);
    this.#submits = new Submits(gpu, {
      idle: (since) => this.#trim(since),
      exhausted: () => this.#startOver(),
      recorded: () => this.#queue.recorded,
      room: () => opened.room?.() ?? Number.POSITIVE_INFINITY,
    });
    this.#pipelines = new Pipelines(gpu, (kernel, error) => this.#submits.shader(kernel, error));
    this.#pool = new Pool(this, this.#submits);
    this.#readback = new Readback(this.#submits);
    this.#queue = new DispatchQueue(gpu, this.#submits, this.#pipelines, () => opened.collect?.());
    void gpu.lost.then(({ reason, message }) => {
      this.#submits.close();
      this.#gone ??= new DeviceError(
        `the device was lost (${reason}): ${message}. Call init() again and rebuild your tensors`,
      );
    });
  }

  /** Whether it can still be used: neither lost nor destroyed. */
  get alive(): boolean {
    return this.#gone === undefined;
  }

  /** @internal */
  runs({ plan }: OpCall): boolean {
    return plan !== undefined;
  }

  /** @internal */
  run(call: OpCall): Storage[] {
    this.#check();
    const mutated = call.inputs.slice(0, call.mutates);
    const alias = call.inputs.findIndex((s, i) => mutated.some((t, j) => i !== j && s.buffer === t.buffer));
    if (alias >= 0) {
      throw new DeviceError(
        `${call.op}: input ${alias} lies in memory that ${call.op} overwrites; pass a clone() of it`,
      );
    }
    if (this.#captured) return this.#captured.run(call);
    const spoilt = this.#spoilt(call.inputs as GpuStorage[]);
    if (spoilt && call.mutates > 0)
      throw this.#refuseUse(call.op, spoilt, ', and what it would overwrite stays as it is');
    const { temps = [], dispatches } = call.plan!(this.target);
    const outputs: GpuStorage[] = [];
    const scratch: GpuStorage[] = [];
    try {
      for (const s of call.outputShapes) outputs.push(this.#allocate(sizeOf(s), `${call.op}: an output of ${show(s)}`));
      for (const n of temps) scratch.push(this.#allocate(n, `${call.op}: scratch space`));
      this.#record(dispatches, [...(call.inputs as GpuStorage[]), ...outputs, ...scratch]);
    } catch (error) {
      for (const s of [...outputs, ...scratch]) s.release();
      throw error;
    }
    for (const s of scratch) s.release();
    if (spoilt) for (const s of outputs) s.buffer.writtenBy = spoilt.writtenBy;
    for (const s of mutated) s.buffer.version++;
    return outputs;
  }

  /** @internal */
  allocate(size: number): Storage {
    this.#check();
    return this.#allocate(size, `a tensor of ${size} elements`);
  }

  /** @internal */
  upload(values: ArrayLike<number>): Storage {
    const storage = this.allocate(values.length);
    try {
      this.#write(storage as GpuStorage, values);
    } catch (error) {
      storage.release();
      throw error;
    }
    this.#captured?.upload(storage);
    return storage;
  }

  /** @internal */
  write(storage: Storage, values: ArrayLike<number>): void {
    this.#check();
    if (this.#captured) throw this.#uncapturable('values are written from the host');
    this.#write(storage as GpuStorage, values);
    storage.buffer.version++;
  }

  /** @internal */
  view(storage: Storage, offset: number, size: number): Storage {
    checkView(storage, offset, size);
    return new Storage((storage as GpuStorage).buffer, storage.offset + offset, size);
  }

  /** @internal */
  async read(storage: Storage): Promise<Values> {
    if (this.#captured) {
      this.#captured.refused = this.#uncapturable('values are read');
      // The capture is refused as a whole, so nobody need hear of it twice.
      return new Promise<never>(() => {});
    }
    this.#check();
    const { buffer, offset, size } = storage as GpuStorage;
    if (size === 0) return new Float32Array(0);
    this.#queue.flush();
    // The buffer may be someone else's by the time the copy has arrived.
    const { id, writtenBy } = buffer;
    if (this.#submits.spoilt(buffer)) await this.#refuse({ id, writtenBy });
    const copy = this.#readback.copy(buffer.gpu, offset * 4, size * 4);
    try {
      await this.#opened.wait(copy.ready);
      await this.#opened.wait(this.#pipelines.settled());
      this.#check();
      await this.#refuse({ id, writtenBy }, copy.submit);
    } catch (error) {
      copy.drop();
      this.#check();
      await this.#refuse({ id, writtenBy }, copy.submit);
      if (error instanceof DeviceError) throw error;
      throw new DeviceError(`reading ${size} elements failed: ${(error as Error).message}`);
    }
    this.#submits.done(copy.submit);
    return copy.values();
  }

  /** Throws why a buffer, or a copy of it, does not hold what it should, if so. */
  async #refuse(buffer: Pick<GpuBuffer, 'id' | 'writtenBy'>, copy = -1): Promise<void> {
    if (!this.#submits.any) return;
    // A shader that was refused is the cause of what else was, and is known a little later.
    await this.#opened.wait(this.#pipelines.settled());
    const error = this.#submits.spoilt(buffer) ?? this.#submits.refusal(copy);
    if (error) throw error;
  }

  /** @internal */
  release(buffer: Buffer): void {
    if (this.#destroyed || buffer instanceof PaperBuffer) return;
    if (this.#submits.any && this.#submits.spoilt(buffer as GpuBuffer, false)) {
      // What it does not hold is nobody's; it may not even be memory.
      this.#queue.flush();
      this.#pool.discard(buffer as GpuBuffer);
      return;
    }
    this.#pool.give(buffer as GpuBuffer);
    // Sizes have changed for good.
    if (this.#pool.overfull) this.#startOver();
  }

  /** Gives back all memory that is not in use, once what is recorded on it is on its way. */
  #startOver(): void {
    this.#queue.flush();
    this.#queue.forget();
    this.#trim();
  }

  /** Gives back memory that is not in use, and was not since a submit. */
  #trim(since?: number): void {
    this.#pool.trim(since);
    this.#readback.trim(since);
  }

  flush(): void {
    this.#queue.flush();
  }

  async sync(): Promise<void> {
    this.#check();
    this.#queue.flush();
    await this.#opened.wait(this.gpu.queue.onSubmittedWorkDone());
    await this.#opened.wait(this.#pipelines.settled());
    this.#check();
    const error = this.#submits.untold();
    if (error) throw error;
  }

  memory(): Memory {
    const { buffers, bytes, peakBytes } = this.#pool;
    const pooledBuffers = this.#pool.pooledBuffers + this.#readback.buffers;
    const pooledBytes = this.#pool.pooledBytes + this.#readback.bytes;
    return { tensors: this.census.alive, buffers, bytes, pooledBuffers, pooledBytes, peakBytes };
  }

  /** Counts the work done since `init`. */
  counters(): Counters {
    const { dispatches, groupsMade } = this.#queue;
    return { dispatches, bindGroups: groupsMade, pipelines: this.#pipelines.count };
  }

  /**
   * Measures every launch that `fn` records, on the adapter itself.
   * @returns one entry for each kernel, the costliest first
   * @throws DeviceError if the adapter has no timestamp queries
   */
  async profile(fn: () => void | Promise<void>): Promise<ProfileEntry[]> {
    if (!this.gpu.features.has('timestamp-query'))
      throw new DeviceError(`profile: ${this.name} has no timestamp queries`);
    await this.sync();
    const profiler = new Profiler(this.gpu);
    this.#queue.profiler = profiler;
    try {
      await refuseGenerator('profile', fn());
      await this.sync();
    } finally {
      this.#queue.profiler = undefined;
    }
    return this.#opened.wait(profiler.report());
  }

  /** Runs `fn` while its ops are written down instead of run. @internal */
  capture<T>(fn: (ops: CapturedOps) => T): [result: T, ops: CapturedOps] {
    const ops = new CapturedOps(this);
    this.#captured = ops;
    try {
      return [fn(ops), ops];
    } catch (error) {
      ops.release();
      throw error;
    } finally {
      this.#captured = undefined;
    }
  }

  /** Whether ops are being written down. @internal */
  get capturing(): boolean {
    return this.#captured !== undefined;
  }

  /** What replays use; all that was recorded before is submitted. @internal */
  replayHost(): ReplayHost {
    this.#check();
    this.#queue.flush();
    const [pool, pipelines, limit] = [this.#pool, this.#pipelines, this.#limit];
    const { gpu, target } = this;
    return { gpu, pool, pipelines, target, limit, submits: this.#submits, queue: this.#queue };
  }

  #uncapturable(what: string): DeviceError {
    return new DeviceError(
      `compile: ${what} inside the step, which is captured once and replayed many times; return tensors, and read or write them outside`,
    );
  }

  /** Runs dispatches on storages, in the order of a plan's slots: for kernels outside the op table. @internal */
  dispatch(dispatches: readonly Dispatch[], storages: readonly Storage[]): void {
    this.#check();
    for (const { kernel, args } of dispatches) {
      const read = args.filter((_, i) => kernel.access[i] === 'read').map((a) => storages[a] as GpuStorage);
      const spoilt = this.#spoilt(read);
      if (spoilt) throw this.#refuseUse(kernel.name, spoilt);
    }
    this.#record(dispatches, storages as readonly GpuStorage[]);
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#gone = new DeviceError('the device was destroyed; call init() for a new one');
    this.#submits.close();
    this.#pool.trim();
    this.#readback.destroy();
    this.gpu.destroy();
  }

  #record(dispatches: readonly Dispatch[], storages: readonly GpuStorage[]): void {
    for (const d of dispatches) checkLaunch(d);
    const bindings: Binding[] = storages.map((s) => ({ buffer: s.buffer, offset: s.offset * 4, size: padded(s.size) }));
    for (const d of dispatches) {
      this.#queue.add(
        d,
        d.args.map((a) => bindings[a]!),
      );
    }
  }

  #allocate(size: number, what: string): GpuStorage {
    return new Storage(this.#pool.take(bindable(size, this.#limit, what), what), 0, size);
  }

  #write(storage: GpuStorage, values: ArrayLike<number>): void {
    if (storage.size === 0) return;
    const { buffer, offset, size } = storage;
    // A queue write overtakes what is recorded but not submitted.
    if (buffer.lastRecording === this.#submits.next) this.#queue.flush();
    const data = values instanceof Float32Array ? values : Float32Array.from(values);
    this.#submits.write(buffer.gpu, offset * 4, data as Float32Array<ArrayBuffer>);
    if (sizeClass(padded(size)) === buffer.bytes) buffer.writtenBy = -1;
  }

  /** The first of these buffers that does not hold what it should, because the work that was to write it was refused. */
  #spoilt(storages: readonly GpuStorage[]): GpuBuffer | undefined {
    if (!this.#submits.any) return undefined;
    return storages.find((s) => this.#submits.spoilt(s.buffer, false))?.buffer;
  }

  #refuseUse(op: string, buffer: GpuBuffer, more = ''): DeviceError {
    const cause = this.#submits.spoilt(buffer)!;
    return new DeviceError(`${op}: an input was never computed${more}: ${cause.message}`, { cause });
  }

  #check(): void {
    if (this.#gone) throw this.#gone;
  }
}
