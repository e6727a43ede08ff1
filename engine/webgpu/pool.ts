import type { Device } from '../device.ts';
import { DeviceError } from '../errors.ts';
import { GpuBuffer } from './buffer.ts';
import type { Submits } from './submits.ts';

/** Bytes that `elements` are bound as: bindings are rounded up to whole vectors; see Kernel. */
export const padded = (elements: number): number => Math.max(16, Math.ceil(elements / 4) * 16);

/** Bytes that `elements` are bound as, see `padded`. @throws DeviceError if the adapter cannot bind so much at once */
export function bindable(elements: number, limit: number, what: string): number {
  const bytes = padded(elements);
  if (bytes <= limit) return bytes;
  throw new DeviceError(
    `${what} takes ${bytes} bytes, and this adapter binds at most ${limit} at once; split the tensor`,
  );
}

const USAGE = 0x80 | 0x4 | 0x8; // STORAGE | COPY_SRC | COPY_DST; the global GPUBufferUsage does not exist in every Node

/** Bytes of free buffers that are kept in any case. */
const MARGIN = 2 ** 26;

/**
 * Buffers by size class, four classes to a power of two (at most a quarter of a buffer is wasted). A freed buffer is
 * reused at once: the queue runs dispatches in order, so later writes cannot overtake earlier reads. The oldest free buffer
 * is taken, so that equal steps use equal buffers, and find their bind groups made.
 */
export class Pool {
  readonly #device: Device;
  readonly #submits: Submits;
  readonly #free = new Map<number, GpuBuffer[]>();
  #nextId = 1;
  buffers = 0;
  bytes = 0;
  pooledBuffers = 0;
  pooledBytes = 0;
  peakBytes = 0;

  constructor(device: Device, submits: Submits) {
    this.#device = device;
    this.#submits = submits;
  }

  /** @param what it is for, for errors @throws DeviceError if the adapter has no more memory */
  take(bytes: number, what: string): GpuBuffer {
    const size = sizeClass(bytes);
    const reused = this.#free.get(size)?.shift();
    if (!reused) return this.takeNew(bytes, what);
    this.pooledBuffers--;
    this.pooledBytes -= size;
    // It may have come back before it was known that there is no memory behind it.
    if (this.#submits.broken(reused)) return this.take(bytes, what);
    reused.writtenBy = -1;
    return this.#count(reused);
  }

  /** A buffer for long: free ones are left to the work that comes and goes, which will want them again. @throws as `take` */
  takeNew(bytes: number, what: string): GpuBuffer {
    const [size, id] = [sizeClass(bytes), this.#nextId++];
    const gpu = this.#submits.make({ size, usage: USAGE, label: `wgrad buffer ${id}` }, what);
    return this.#count(new GpuBuffer(this.#device, gpu, size, id));
  }

  #count(buffer: GpuBuffer): GpuBuffer {
    this.buffers++;
    this.bytes += buffer.bytes;
    this.peakBytes = Math.max(this.peakBytes, this.bytes);
    return buffer;
  }

  give(buffer: GpuBuffer): void {
    buffer.freed = this.#submits.next;
    const list = this.#free.get(buffer.bytes) ?? [];
    const after = list.findIndex((b) => b.id > buffer.id);
    list.splice(after < 0 ? list.length : after, 0, buffer);
    this.#free.set(buffer.bytes, list);
    this.buffers--;
    this.bytes -= buffer.bytes;
    this.pooledBuffers++;
    this.pooledBytes += buffer.bytes;
  }

  /** Gives the memory of a buffer from `takeNew` back to the adapter. */
  discard(buffer: GpuBuffer): void {
    buffer.gpu.destroy();
    this.buffers--;
    this.bytes -= buffer.bytes;
  }

  /** Whether free buffers have come to hold more than the most that was ever used, by a margin. */
  get overfull(): boolean {
    return this.pooledBytes > this.peakBytes + MARGIN;
  }

  /** Gives the memory of free buffers back to the adapter: all, or those that were free before a submit. */
  trim(before = Number.POSITIVE_INFINITY): void {
    for (const [size, list] of this.#free) {
      const kept = list.filter((b) => b.freed >= before);
      if (kept.length === list.length) continue;
      for (const b of list) if (b.freed < before) b.gpu.destroy();
      this.pooledBuffers -= list.length - kept.length;
      this.pooledBytes -= (list.length - kept.length) * size;
      this.#free.set(size, kept);
    }
  }
}

/** The size that a buffer of so many bytes is made in. */
export function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256;
  const quarter = 2 ** (Math.ceil(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / quarter) * quarter;
}
