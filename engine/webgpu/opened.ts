import type { Target } from '../../kernels/kernel.ts';

/**
 * WebGPU's GPUDevice, where TypeScript's library declares it (from TypeScript 6 on, or with \@webgpu/types), else unknown:
 * the types of this package need no WebGPU types.
 */
export type GpuDevice = typeof globalThis extends {
  /** The class. */
  GPUDevice: {
    /** An instance of it. */
    prototype: infer T;
  };
}
  ? T
  : unknown;

/** What the platform (Node or a browser) hands over with a device. @internal */
export interface Opened {
  readonly gpu: GPUDevice;
  readonly info: GPUAdapterInfo;
  readonly software: boolean;
  /** Waits for a promise of the adapter's without burning a core. */
  wait<T>(promise: Promise<T>): Promise<T>;
  /**
   * Frees garbage now, where the platform can: the memory behind WebGPU's objects is unknown to the garbage collector.
   */
  collect?(): void;
  /** Bytes that one more allocation may take, where the platform knows. */
  room?(): number;
}

/** Kernels come in two families, for adapters on hardware and for those that run on a CPU. */
export type KernelFamily = Target['family'];

/** Work done so far. */
export interface Counters {
  /** Launches of kernels. */
  readonly dispatches: number;
  /** Bind groups made; those of earlier, equal launches are used again. */
  readonly bindGroups: number;
  /** Pipelines made, one for each kernel. */
  readonly pipelines: number;
}

/** What an adapter is called. @internal */
export const nameOf = ({ description, vendor, architecture, device }: GPUAdapterInfo): string =>
  description || [vendor, architecture, device].filter(Boolean).join(' ') || 'unnamed adapter';
