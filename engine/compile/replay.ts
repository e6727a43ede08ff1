/** A step as dispatches: captured once, submitted again and again with almost no JavaScript in between. */
import type { Dispatch, Plan, Target } from '../../kernels/kernel.ts';
import { type Buffer, packParams, type Storage } from '../device.ts';
import { DeviceError } from '../errors.ts';
import type { GpuBuffer } from '../webgpu/buffer.ts';
import type { Command } from '../webgpu/command.ts';
import { type Binding, bindGroup, checkLaunch, encode, uniformBuffer } from '../webgpu/commands.ts';
import { PARAM_WORDS, type Pipelines } from '../webgpu/pipelines.ts';
import { bindable, type Pool, padded } from '../webgpu/pool.ts';
import type { DispatchQueue } from '../webgpu/queue.ts';
import type { Submits } from '../webgpu/submits.ts';
import { type CapturedOp, PaperBuffer } from './capturedOps.ts';
import type { LaunchGroup } from './fuse.ts';

/** What a replay needs of its device. */
export interface ReplayHost {
  readonly gpu: GPUDevice;
  readonly pool: Pool;
  readonly submits: Submits;
  readonly pipelines: Pipelines;
  readonly target: Target;
  /** The largest buffer that can be bound, in bytes. */
  readonly limit: number;
  readonly queue: DispatchQueue;
}

/** A copy between the caller's tensors and the replay's buffers. */
export type Copy = readonly [from: CopyEnd, to: CopyEnd];

/** A window of a buffer, in elements. */
export type CopyEnd = Pick<Storage<GpuBuffer>, 'buffer' | 'offset' | 'size'>;

/** Gives out buffers for the values of a step; a value that nobody will read any more makes room for the next. */
class Planner {
  readonly #pool: Pool;
  readonly #limit: number;
  readonly #free: GpuBuffer[] = [];
  readonly taken: GpuBuffer[] = [];

  constructor({ pool, limit }: ReplayHost) {
    this.#pool = pool;
    this.#limit = limit;
  }

  take(elements: number, what: string): GpuBuffer {
    const bytes = bindable(elements, this.#limit, what);
    let best = -1;
    this.#free.forEach((b, i) => {
      if (b.bytes >= bytes && b.bytes <= 2 * bytes + 1024 && (best < 0 || b.bytes < this.#free[best]!.bytes)) best = i;
    });
    if (best >= 0) return this.#free.splice(best, 1)[0]!;
    const buffer = this.#pool.takeNew(bytes, what);
    this.taken.push(buffer);
    return buffer;
  }

  give(buffer: GpuBuffer): void {
    this.#free.push(buffer);
  }

  /** Gives everything back to the adapter: the pool serves what comes and goes, which has no use for such sizes. */
  release(): void {
    for (const b of this.taken.splice(0)) this.#pool.discard(b);
  }
}

const sameLaunch = (a: Dispatch, b: Dispatch): boolean =>
  a.kernel === b.kernel && a.grid.every((n, i) => n === b.grid[i]);

export class Replay {
  readonly #host: ReplayHost;
  readonly #commands: Command[] = [];
  readonly #uniforms: GPUBuffer;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #floats: Float32Array;
  /** Steps whose params change, and the index of their first dispatch. */
  readonly #live: {
    readonly step: LaunchGroup;
    readonly op: CapturedOp;
    readonly at: number;
    readonly dispatches: readonly Dispatch[];
  }[] = [];
  readonly #planner: Planner;
  readonly #memory = new Map<Buffer, GpuBuffer>();
  /** Buffers from outside that it reads or writes. */
  readonly #outside = new Set<GpuBuffer>();
  /** Buffers that it writes in place. */
  readonly mutates: ReadonlySet<Buffer>;

  /** @param kept buffers on paper that are read after the last step */
  constructor(host: ReplayHost, steps: readonly LaunchGroup[], kept: ReadonlySet<Buffer>) {
    this.#host = host;
    this.#planner = new Planner(host);
    this.mutates = new Set(steps.flatMap((s) => s.mutates));
    const plans = steps.map((s) => s.plan(host.target));
    const count = plans.reduce((n, p) => n + p.dispatches.length, 0);
    this.#words = new Uint32Array(Math.max(1, count) * PARAM_WORDS);
    this.#floats = new Float32Array(this.#words.buffer);
    this.#uniforms = uniformBuffer(host.submits, count);
    try {
      this.#build(steps, plans, kept);
    } catch (error) {
      this.destroy();
      throw error;
    }
    host.gpu.queue.writeBuffer(this.#uniforms, 0, this.#words);
  }

  #build(steps: readonly LaunchGroup[], plans: readonly Plan[], kept: ReadonlySet<Buffer>): void {
    const host = this.#host;
    const groups = new Map<string, GPUBindGroup>();
    const last = new Map<Buffer, number>();
    steps.forEach((s, i) => {
      for (const { buffer } of [...s.inputs, ...s.outputs]) last.set(buffer, i);
    });
    steps.forEach((step, i) => {
      const { temps = [], dispatches } = plans[i]!;
      const scratch = temps.map((n) => {
        const buffer = this.#planner.take(n, `${step.name}: scratch space`);
        return { buffer, offset: 0, size: padded(n) };
      });
      const slots: Binding[] = [...step.inputs, ...step.outputs].map((s) => {
        return { buffer: this.#at(s, step.name), offset: s.offset * 4, size: padded(s.size) };
      });
      for (const s of scratch) slots.push(s);
      if (step.live) this.#live.push({ step, op: step.live, at: this.#commands.length, dispatches });
      for (const d of dispatches) {
        checkLaunch(d);
        const pipeline = host.pipelines.get(d.kernel);
        packParams(d.params, this.#words, this.#floats, this.#commands.length * PARAM_WORDS);
        const bound = d.args.map((a) => slots[a]!);
        const key = pipeline.layoutId + bound.map((b) => `,${b.buffer.id}:${b.offset}:${b.size}`).join('');
        const make = () => bindGroup(host.gpu, d.kernel.name, pipeline.layout, this.#uniforms, bound);
        const group = groups.get(key) ?? host.submits.ahead(make);
        groups.set(key, group);
        this.#commands.push({ name: d.kernel.name, pipeline: pipeline.gpu, group, grid: d.grid });
      }
      for (const s of scratch) this.#planner.give(s.buffer);
      for (const { buffer } of new Set([...step.inputs, ...step.outputs])) {
        const memory = this.#memory.get(buffer);
        if (memory && last.get(buffer) === i && !kept.has(buffer)) {
          this.#memory.delete(buffer);
          this.#planner.give(memory);
        }
      }
    });
  }

  /** The kernels in the order in which they run. */
  get names(): readonly string[] {
    return this.#commands.map((c) => c.name);
  }

  /** Where a storage's values lie. */
  place(storage: Storage): CopyEnd {
    return { buffer: this.#at(storage, 'a result'), offset: storage.offset, size: storage.size };
  }

  #at({ buffer, size }: Storage, name: string): GpuBuffer {
    if (!(buffer instanceof PaperBuffer)) {
      this.#outside.add(buffer as GpuBuffer);
      return buffer as GpuBuffer;
    }
    const known = this.#memory.get(buffer);
    if (known) return known;
    const memory = this.#planner.take(size, `${name}: an output`);
    this.#memory.set(buffer, memory);
    return memory;
  }

  /** Takes the new params of ops that have them. */
  refresh(): void {
    for (const { step, op, at, dispatches: captured } of this.#live) {
      const { dispatches } = step.plan(this.#host.target, op.params);
      const same = dispatches.length === captured.length && dispatches.every((d, k) => sameLaunch(d, captured[k]!));
      if (!same) {
        throw new DeviceError(
          `compile: new params of ${step.name} change its launches, which a capture cannot; only numbers may change`,
        );
      }
      dispatches.forEach((d, k) => {
        packParams(d.params, this.#words, this.#floats, (at + k) * PARAM_WORDS);
      });
      const from = at * PARAM_WORDS;
      this.#host.gpu.queue.writeBuffer(this.#uniforms, from * 4, this.#words, from, dispatches.length * PARAM_WORDS);
    }
  }

  /** @throws DeviceError if the step uses, from outside or as an input, what refused work was to write */
  check(inputs: readonly CopyEnd[]): void {
    const { submits } = this.#host;
    if (!submits.any) return;
    for (const buffer of [...inputs.map((s) => s.buffer), ...this.#outside]) {
      const error = submits.spoilt(buffer);
      if (error) throw error;
    }
  }

  /** Submits the step once. */
  run(before: readonly Copy[], after: (place: Replay['place']) => readonly Copy[]): void {
    const { queue, submits } = this.#host;
    // What is captured goes first, and has the number that it was captured under.
    queue.flush();
    let measured: (() => void) | undefined;
    submits.submit(this.#commands, (encoder) => {
      const copy = ([a, b]: Copy) => {
        b.buffer.writtenBy = submits.next - 1;
        if (a.size > 0) encoder.copyBufferToBuffer(a.buffer.gpu, a.offset * 4, b.buffer.gpu, b.offset * 4, a.size * 4);
      };
      before.forEach(copy);
      measured = encode(encoder, this.#commands, queue.profiler);
      queue.dispatches += this.#commands.length;
      after((s) => this.place(s)).forEach(copy);
    });
    measured?.();
    for (const b of this.mutates) {
      b.version++;
      (b as GpuBuffer).writtenBy = submits.next - 1;
    }
  }

  /** Frees its buffers. */
  destroy(): void {
    this.#planner.release();
    this.#uniforms.destroy();
  }
}
