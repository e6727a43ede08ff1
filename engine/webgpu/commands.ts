/** Dispatches as WebGPU takes them. */
import { type Dispatch, type Kernel, MAX_GROUPS } from '../../kernels/kernel.ts';
import { DeviceError } from '../errors.ts';
import type { GpuBuffer } from './buffer.ts';
import type { Command } from './command.ts';
import { PARAM_WORDS } from './pipelines.ts';
import type { Profiler } from './profiler.ts';
import type { Submits } from './submits.ts';

/** A storage buffer as a dispatch binds it. */
export interface Binding {
  readonly buffer: GpuBuffer;
  /** The place in the buffer, in bytes. */
  readonly offset: number;
  readonly size: number;
}

/** @throws DeviceError for a launch that WebGPU would refuse later, together with all that was submitted with it */
export function checkLaunch({ kernel, args, params, grid }: Dispatch): void {
  if (args.length !== kernel.access.length) {
    throw new DeviceError(
      `${kernel.name}: the kernel binds ${kernel.access.length} storage buffers (access), and its launch gives ${args.length} (args)`,
    );
  }
  if (params.length > PARAM_WORDS) {
    throw new DeviceError(`${kernel.name}: ${params.length} params; a launch has room for ${PARAM_WORDS}`);
  }
  if (grid.some((n) => !(n >= 0 && n <= MAX_GROUPS))) {
    throw new DeviceError(
      `${kernel.name}: a grid of ${grid.join(' x ')} workgroups; each count may be ${MAX_GROUPS} at most (see grid1d)`,
    );
  }
}

/** A uniform buffer with room for the params of `count` dispatches. */
export const uniformBuffer = (submits: Submits, count: number): GPUBuffer =>
  // UNIFORM | COPY_DST
  submits.make(
    { size: Math.max(1, count) * PARAM_WORDS * 4, usage: 0x40 | 0x8, label: 'params' },
    `params of ${count} launches`,
  );

/** Notes which submit uses the buffers of a dispatch, and writes to them. */
export function mark({ access }: Kernel, bindings: readonly Binding[], submit: number): void {
  for (let i = 0; i < bindings.length; i++) {
    const { buffer } = bindings[i]!;
    buffer.lastRecording = submit;
    if (access[i] === 'write') buffer.writtenBy = submit;
  }
}

/** Binds a block of params, which each dispatch chooses by its offset, and storage buffers. */
export const bindGroup = (
  device: GPUDevice,
  label: string,
  layout: GPUBindGroupLayout,
  params: GPUBuffer,
  bindings: readonly Binding[],
): GPUBindGroup =>
  device.createBindGroup({
    label,
    layout,
    entries: [
      { binding: 0, resource: { buffer: params, size: PARAM_WORDS * 4 } },
      ...bindings.map(({ buffer, offset, size }, i) => ({
        binding: i + 1,
        resource: { buffer: buffer.gpu, offset, size },
      })),
    ],
  });

/** Encodes dispatches into one pass, or one pass each to measure them. @returns to be called after the submit */
export function encode(encoder: GPUCommandEncoder, list: readonly Command[], profiler?: Profiler): () => void {
  const offset = [0];
  let pipeline: GPUComputePipeline | undefined;
  const dispatch = (pass: GPUComputePassEncoder, i: number): void => {
    const { pipeline: next, group, grid } = list[i]!;
    if (profiler || next !== pipeline) {
      pipeline = next;
      pass.setPipeline(pipeline);
    }
    offset[0] = i * PARAM_WORDS * 4;
    pass.setBindGroup(0, group, offset);
    pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
  };
  if (profiler) {
    return profiler.record(
      encoder,
      list.map((c) => c.name),
      dispatch,
    );
  }
  const pass = encoder.beginComputePass();
  for (let i = 0; i < list.length; i++) dispatch(pass, i);
  pass.end();
  return () => {};
}
