import type { Dispatch, Target } from '../../kernels/kernel.ts';
import { type Buffer, checkView, type Device, type Launch, type Memory, Storage, type Values } from '../device.ts';
import { DeviceError } from '../errors.ts';
import { tensorsAlive } from '../lifetime.ts';
import { show, sizeOf } from '../shape.ts';
import type { Binding } from './commands.ts';
import { type Counters, type GpuDevice, type KernelFamily, nameOf, type Opened } from './opened.ts';
import { Pipelines } from './pipelines.ts';
import { bindable, type GpuBuffer, Pool, padded } from './pool.ts';
import { type ProfileEntry, Profiler } from './profiler.ts';
import { Readback } from './readback.ts';
import { Recorder } from './recorder.ts';
import type { ReplayHost } from './replay.ts';
import { PaperBuffer, Trace } from './trace.ts';

type GpuStorage = Storage<GpuBuffer>;

export type { Counters, GpuDevice, KernelFamily };

/** Tensors in float32 on a WebGPU adapter. Made by {@link init}. */
export class WebGpuDevice implements Device {
  readonly kind = 'webgpu';
  readonly dtype = 'float32';
  readonly name: string;
  readonly target: Target;
  /** WebGPU's own device, for work beside the engine's. */
  readonly gpu: GpuDevice;
  /** Whether the adapter runs on a CPU. */
  readonly software: boolean;
  readonly #opened: Opened;
  readonly #pool: Pool;
  readonly #recorder: Recorder;
  readonly #pipelines: Pipelines;
  readonly #readback: Readback;
  readonly #limit: number;
  #trace: Trace | undefined;
  /** An error that nobody was told of yet. */
  #error: Error | undefined;
  #lastError: Error | undefined;
  /** Errors so far: a read under way when one came has read spoilt values. */
  #errors = 0;
  #destroyed = false;
  /** Lost or destroyed: every further call fails. */
  #gone = false;

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
    // A refused shader is the cause of the refused commands that follow, and is told of later: it goes first.
    this.#pipelines = new Pipelines(gpu, (error) => {
      this.#error = undefined;
      this.#fail(error);
    });
    this.#pool = new Pool(this, gpu);
    this.#readback = new Readback(gpu);
    this.#recorder = new Recorder(gpu, this.#pipelines, () => opened.collect?.());
    gpu.addEventListener('uncapturederror', this.#refused);
    void gpu.lost.then(({ reason, message }) => {
      this.#gone = true;
      if (!this.#destroyed) {
        this.#fail(
          new DeviceError(`the device was lost (${reason}): ${message}. Call init() again and rebuild your tensors`),
        );
      }
    });
  }

  /** Whether it can still be used: neither lost nor destroyed. */
  get alive(): boolean {
    return !this.#gone;
  }

  /** @internal */
  runs({ plan }: Launch): boolean {
    return plan !== undefined;
  }

  /** @internal */
  run(launch: Launch): Storage[] {
    this.#check();
    const mutated = launch.inputs.slice(0, launch.mutates);
    const alias = launch.inputs.findIndex((s, i) => mutated.some((t, j) => i !== j && s.buffer === t.buffer));
    if (alias >= 0) {
      throw new DeviceError(
        `${launch.op}: input ${alias} lies in memory that ${launch.op} overwrites; pass a clone() of it`,
      );
    }
    if (this.#trace) return this.#trace.run(launch);
    const { temps = [], dispatches } = launch.plan!(this.target);
    const outputs: GpuStorage[] = [];
    const scratch: GpuStorage[] = [];
    try {
      for (const s of launch.outputShapes)
        outputs.push(this.#allocate(sizeOf(s), `${launch.op}: an output of ${show(s)}`));
      for (const n of temps) scratch.push(this.#allocate(n, `${launch.op}: scratch space`));
    } catch (error) {
      for (const s of [...outputs, ...scratch]) s.release();
      throw error;
    }
    const all = [...(launch.inputs as GpuStorage[]), ...outputs, ...scratch];
    this.#record(dispatches, all);
    for (const s of scratch) s.release();
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
    this.#write(storage as GpuStorage, values);
    this.#trace?.upload(storage);
    return storage;
  }

  /** @internal */
  write(storage: Storage, values: ArrayLike<number>): void {
    this.#check();
    if (this.#trace) throw this.#untraceable('values are written from the host');
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
    if (this.#trace) {
      this.#trace.refused = this.#untraceable('values are read');
      // The recording is refused as a whole, so nobody need hear of it twice.
      return new Promise<never>(() => {});
    }
    if (this.#error) await this.#tell();
    const { buffer, offset, size } = storage as GpuStorage;
    if (size === 0) return new Float32Array(0);
    this.#recorder.flush();
    const errors = this.#errors;
    const copy = this.#readback.copy(buffer.gpu, offset * 4, size * 4);
    try {
      await this.#opened.wait(copy.ready);
    } catch (error) {
      this.#fail(new DeviceError(`reading ${size} elements failed: ${(error as Error).message}`));
      await this.#tell();
    }
    await this.#opened.wait(this.#pipelines.settled());
    const values = copy.values();
    if (this.#errors !== errors) await this.#tell();
    return values;
  }

  /** @internal */
  release(buffer: Buffer): void {
    if (this.#destroyed || buffer instanceof PaperBuffer) return;
    this.#pool.give(buffer as GpuBuffer);
    if (!this.#pool.overfull) return;
    // Sizes have changed for good: start over, once what is recorded on the old buffers is on its way.
    this.#recorder.flush();
    this.#recorder.forget();
    this.#pool.trim();
  }

  flush(): void {
    this.#recorder.flush();
  }

  async sync(): Promise<void> {
    this.#check();
    this.#recorder.flush();
    await this.#opened.wait(this.gpu.queue.onSubmittedWorkDone());
    await this.#opened.wait(this.#pipelines.settled());
    this.#check();
  }

  memory(): Memory {
    const { buffers, bytes, pooledBuffers, pooledBytes, peakBytes } = this.#pool;
    return { tensors: tensorsAlive(), buffers, bytes, pooledBuffers, pooledBytes, peakBytes };
  }

  /** Counts the work done since `init`. */
  counters(): Counters {
    const { dispatches, groupsMade } = this.#recorder;
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
    this.#recorder.profiler = profiler;
    try {
      await fn();
      await this.sync();
    } finally {
      this.#recorder.profiler = undefined;
    }
    return this.#opened.wait(profiler.report());
  }

  /** Runs `fn` while its ops are written down instead of run. @internal */
  trace<T>(fn: (trace: Trace) => T): [result: T, trace: Trace] {
    const trace = new Trace(this);
    this.#trace = trace;
    try {
      return [fn(trace), trace];
    } catch (error) {
      trace.release();
      throw error;
    } finally {
      this.#trace = undefined;
    }
  }

  /** Whether ops are being written down. @internal */
  get tracing(): boolean {
    return this.#trace !== undefined;
  }

  /** What replays use; all that was recorded before is submitted. @internal */
  replayHost(): ReplayHost {
    this.#check();
    this.#recorder.flush();
    const [pool, pipelines, limit] = [this.#pool, this.#pipelines, this.#limit];
    const { gpu, target } = this;
    return { gpu, pool, pipelines, target, limit, recorder: this.#recorder };
  }

  #untraceable(what: string): DeviceError {
    return new DeviceError(
      `compile: ${what} inside the step, which is recorded once and run many times; return tensors, and read or write them outside`,
    );
  }

  /** Runs dispatches on storages, in the order of a plan's slots: for kernels outside the op table. @internal */
  dispatch(dispatches: readonly Dispatch[], storages: readonly Storage[]): void {
    this.#check();
    this.#record(dispatches, storages as readonly GpuStorage[]);
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#gone = true;
    this.#error = new DeviceError('the device was destroyed; call init() for a new one');
    this.#lastError = this.#error;
    this.#pool.trim();
    this.gpu.removeEventListener('uncapturederror', this.#refused);
    this.gpu.destroy();
  }

  // Dawn holds on to a listener, and the listener to this device: a destroyed one could not be collected.
  readonly #refused = (event: GPUUncapturedErrorEvent): void => {
    event.preventDefault();
    this.#fail(new DeviceError(`WebGPU refused a command: ${event.error.message}`));
  };

  #record(dispatches: readonly Dispatch[], storages: readonly GpuStorage[]): void {
    const bindings: Binding[] = storages.map((s) => ({ buffer: s.buffer, offset: s.offset * 4, size: padded(s.size) }));
    for (const d of dispatches) {
      this.#recorder.add(
        d,
        d.args.map((a) => bindings[a]!),
      );
    }
  }

  #allocate(size: number, what: string): GpuStorage {
    return new Storage(this.#pool.take(bindable(size, this.#limit, what)), 0, size);
  }

  #write(storage: GpuStorage, values: ArrayLike<number>): void {
    if (storage.size === 0) return;
    // A queue write overtakes what is recorded but not submitted.
    if (storage.buffer.lastRecording === this.#recorder.recording) this.#recorder.flush();
    const data = values instanceof Float32Array ? values : Float32Array.from(values);
    this.gpu.queue.writeBuffer(storage.buffer.gpu, storage.offset * 4, data as Float32Array<ArrayBuffer>);
  }

  #fail(error: Error): void {
    this.#errors++;
    if (this.#error) return;
    this.#error = error;
    this.#lastError = error;
  }

  /** Throws the latest error: a refused shader, reported late, rather than the refusals that it caused. */
  async #tell(): Promise<never> {
    if (!this.#destroyed) await this.#opened.wait(this.#pipelines.settled());
    this.#check();
    throw this.#lastError;
  }

  #check(): void {
    const error = this.#error;
    if (!error) return;
    // A refused command spoils results, not the device: whoever comes next is told, once.
    if (!this.#gone) this.#error = undefined;
    throw error;
  }
}
