import type { Dispatch } from '../../kernels/kernel.ts';
import { packParams } from '../device.ts';
import type { Command } from './command.ts';
import { type Binding, bindGroup, encode, mark, uniformBuffer } from './commands.ts';
import { PARAM_WORDS, type Pipelines } from './pipelines.ts';
import type { Profiler } from './profiler.ts';
import type { Submits } from './submits.ts';

/** Dispatches of one submit. Enough to amortise it, few enough that the adapter starts early. */
const CAPACITY = 128;
/** Bind groups kept. On lavapipe each holds a memory mapping, of which a process has 65,530. */
const MAX_GROUPS = 2048;

/**
 * Collects dispatches and submits many in one pass. Parameters of all dispatches lie in one uniform buffer, written once
 * per submit and bound at a dynamic offset, so that bind groups depend on buffers alone and are reused step after step.
 */
export class DispatchQueue {
  readonly #device: GPUDevice;
  readonly #submits: Submits;
  readonly #pipelines: Pipelines;
  readonly #words = new Uint32Array(CAPACITY * PARAM_WORDS);
  readonly #floats = new Float32Array(this.#words.buffer);
  readonly #uniforms: GPUBuffer;
  readonly #groups = new Map<string, GPUBindGroup>();
  #list: Command[] = [];
  /** Dispatches and bind groups made since the start, for the overhead benchmark and tests. */
  dispatches = 0;
  groupsMade = 0;
  /** Set to measure each dispatch. */
  profiler: Profiler | undefined;

  readonly #collect: () => void;

  /** @param collect called when many bind groups have become garbage */
  constructor(device: GPUDevice, submits: Submits, pipelines: Pipelines, collect: () => void) {
    this.#collect = collect;
    this.#device = device;
    this.#submits = submits;
    this.#pipelines = pipelines;
    this.#uniforms = uniformBuffer(submits, CAPACITY);
  }

  /** Records dispatches that were checked. */
  add(dispatch: Dispatch, bindings: readonly Binding[]): void {
    const { kernel, params, grid } = dispatch;
    const pipeline = this.#pipelines.get(kernel);
    const at = this.#list.length * PARAM_WORDS;
    packParams(params, this.#words, this.#floats, at);
    let key = pipeline.layoutId;
    for (const b of bindings) key += `,${b.buffer.id}:${b.offset}:${b.size}`;
    mark(kernel, bindings, this.#submits.next);
    const group = this.#groups.get(key) ?? this.#group(kernel.name, key, pipeline.layout, bindings);
    this.#list.push({ name: kernel.name, pipeline: pipeline.gpu, group, grid });
    this.dispatches++;
    if (this.#list.length === CAPACITY) this.flush();
  }

  /** Whether something is recorded. */
  get recorded(): boolean {
    return this.#list.length > 0;
  }

  /** Submits what is recorded. */
  flush(): void {
    const list = this.#list;
    if (list.length === 0) return;
    this.#list = [];
    let after: (() => void) | undefined;
    this.#submits.submit(list, (encoder) => {
      this.#device.queue.writeBuffer(this.#uniforms, 0, this.#words.buffer, 0, list.length * PARAM_WORDS * 4);
      after = encode(encoder, list, this.profiler);
    });
    after?.();
  }

  /** Drops the cached bind groups, and with them their hold on buffers. */
  forget(): void {
    this.#groups.clear();
  }

  #group(name: string, key: string, layout: GPUBindGroupLayout, bindings: readonly Binding[]): GPUBindGroup {
    // A cache that has grown this far is not being reused; the groups in flight live on in their commands.
    if (this.#groups.size >= MAX_GROUPS) {
      this.#groups.clear();
      this.#collect();
    }
    const group = this.#submits.ahead(() => bindGroup(this.#device, name, layout, this.#uniforms, bindings));
    this.#groups.set(key, group);
    this.groupsMade++;
    return group;
  }
}
