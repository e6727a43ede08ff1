import type { Dispatch } from '../../kernels/kernel.ts';
import { packParams } from '../device.ts';
import { PARAM_WORDS, type Pipelines } from './pipelines.ts';
import type { GpuBuffer } from './pool.ts';
import type { Profiler } from './profiler.ts';

/** A storage buffer as a dispatch binds it. */
export interface Binding {
  readonly buffer: GpuBuffer;
  /** In bytes. */
  readonly offset: number;
  readonly size: number;
}

interface Recorded {
  readonly name: string;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly grid: readonly [number, number, number];
}

/** Dispatches of one submit. Enough to amortise it, few enough that the adapter starts early. */
const CAPACITY = 128;
/** Bind groups kept. On lavapipe each holds a memory mapping, of which a process has 65,530. */
const MAX_GROUPS = 2048;

/**
 * Collects dispatches and submits many in one pass. Parameters of all dispatches lie in one uniform buffer, written once
 * per submit and bound at a dynamic offset, so that bind groups depend on buffers alone and are reused step after step.
 */
export class Recorder {
  readonly #device: GPUDevice;
  readonly #pipelines: Pipelines;
  readonly #words = new Uint32Array(CAPACITY * PARAM_WORDS);
  readonly #floats = new Float32Array(this.#words.buffer);
  readonly #uniforms: GPUBuffer;
  readonly #groups = new Map<string, GPUBindGroup>();
  #list: Recorded[] = [];
  /** Counts submits. */
  recording = 0;
  /** Dispatches and bind groups made since the start, for the overhead benchmark and tests. */
  dispatches = 0;
  groupsMade = 0;
  /** Set to measure each dispatch. */
  profiler: Profiler | undefined;

  readonly #collect: () => void;

  /** @param collect called when many bind groups have become garbage */
  constructor(device: GPUDevice, pipelines: Pipelines, collect: () => void) {
    this.#collect = collect;
    this.#device = device;
    this.#pipelines = pipelines;
    // UNIFORM | COPY_DST
    this.#uniforms = device.createBuffer({ size: this.#words.byteLength, usage: 0x40 | 0x8, label: 'uniforms' });
  }

  add(dispatch: Dispatch, bindings: readonly Binding[]): void {
    const { kernel, params, grid } = dispatch;
    const pipeline = this.#pipelines.get(kernel);
    const at = this.#list.length * PARAM_WORDS;
    packParams(params, this.#words, this.#floats, at);
    let key = pipeline.layoutId;
    for (const b of bindings) {
      b.buffer.lastRecording = this.recording;
      key += `,${b.buffer.id}:${b.offset}:${b.size}`;
    }
    const group = this.#groups.get(key) ?? this.#group(kernel.name, key, pipeline.layout, bindings);
    this.#list.push({ name: kernel.name, pipeline: pipeline.gpu, group, grid });
    this.dispatches++;
    if (this.#list.length === CAPACITY) this.flush();
  }

  /** Submits what is recorded. */
  flush(): void {
    const list = this.#list;
    if (list.length === 0) return;
    this.#list = [];
    this.recording++;
    this.#device.queue.writeBuffer(this.#uniforms, 0, this.#words.buffer, 0, list.length * PARAM_WORDS * 4);
    const encoder = this.#device.createCommandEncoder();
    const submit = () => this.#device.queue.submit([encoder.finish()]);
    if (this.profiler) {
      const names = list.map((d) => d.name);
      const read = this.profiler.record(encoder, names, (pass, i) => {
        const d = list[i]!;
        pass.setPipeline(d.pipeline);
        pass.setBindGroup(0, d.group, [i * PARAM_WORDS * 4]);
        pass.dispatchWorkgroups(...d.grid);
      });
      submit();
      read();
      return;
    }
    const pass = encoder.beginComputePass();
    const offset = [0];
    let pipeline: GPUComputePipeline | undefined;
    list.forEach((d, i) => {
      if (d.pipeline !== pipeline) {
        pipeline = d.pipeline;
        pass.setPipeline(pipeline);
      }
      offset[0] = i * PARAM_WORDS * 4;
      pass.setBindGroup(0, d.group, offset);
      pass.dispatchWorkgroups(...d.grid);
    });
    pass.end();
    submit();
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
    const group = this.#device.createBindGroup({
      label: name,
      layout,
      entries: [
        { binding: 0, resource: { buffer: this.#uniforms, size: PARAM_WORDS * 4 } },
        ...bindings.map((b, i) => ({
          binding: i + 1,
          resource: { buffer: b.buffer.gpu, offset: b.offset, size: b.size },
        })),
      ],
    });
    this.#groups.set(key, group);
    this.groupsMade++;
    return group;
  }
}
