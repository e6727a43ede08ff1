import type { Buffer, Device } from '../device.ts';

/** A GPU buffer and what the pool knows of it. */
export class GpuBuffer implements Buffer {
  readonly device: Device;
  readonly gpu: GPUBuffer;
  /** Allocated size in bytes. */
  readonly bytes: number;
  /** Part of the keys under which bind groups are cached. */
  readonly id: number;
  refs = 0;
  version = 0;
  /** The submit that last used it: a queue write must not overtake it. */
  lastRecording = -1;
  /** The submit that last wrote to it, or the refused one that what it holds rests on; -1 if that is from the host, or nothing. */
  writtenBy = -1;
  /** The number of the next submit when it was last given back. */
  freed = 0;

  constructor(device: Device, gpu: GPUBuffer, bytes: number, id: number) {
    this.device = device;
    this.gpu = gpu;
    this.bytes = bytes;
    this.id = id;
  }
}
