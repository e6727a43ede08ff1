import { sizeClass } from './pool.ts';
import type { Submits } from './submits.ts';

/** A copy on its way to the host. */
export interface ReadbackCopy {
  /** The submit that makes it. */
  readonly submit: number;
  /** Resolves when `values` may be called. */
  readonly ready: Promise<void>;
  /** The copy; may be called once. */
  values(): Float32Array<ArrayBuffer>;
  /** Called in place of `values` if they are not wanted any more. */
  drop(): void;
}

interface Staging {
  readonly gpu: GPUBuffer;
  readonly size: number;
  /** The number of the next submit when it was last given back. */
  freed: number;
}

/** Copies of device memory for the host, through staging buffers that are used again and again. */
export class Readback {
  readonly #submits: Submits;
  /** Free staging buffers, those used last at the end. */
  #free: Staging[] = [];
  /** The buffers that are being read. */
  readonly #used = new Set<Staging>();
  /** Bytes of all staging buffers. */
  bytes = 0;

  constructor(submits: Submits) {
    this.#submits = submits;
  }

  /** The number of staging buffers. */
  get buffers(): number {
    return this.#free.length + this.#used.size;
  }

  /**
   * Submits a copy of `bytes` from `offset`, after all that was submitted so far.
   * @throws DeviceError if there is no memory for it
   */
  copy(buffer: GPUBuffer, offset: number, bytes: number): ReadbackCopy {
    const staging = this.#take(bytes);
    const submit = this.#submits.submit([], (encoder) => {
      encoder.copyBufferToBuffer(buffer, offset, staging.gpu, 0, bytes);
    });
    const values = () => {
      const copied = new Float32Array(staging.gpu.getMappedRange(0, bytes).slice(0));
      staging.gpu.unmap();
      staging.freed = this.#submits.next;
      this.#used.delete(staging);
      this.#free.push(staging);
      return copied;
    };
    const ready = staging.gpu.mapAsync(1, 0, bytes); // GPUMapMode.READ
    const drop = () => {
      if (this.#used.has(staging)) this.#destroy(staging); // else `destroy` did
    };
    return { submit, ready, values, drop };
  }

  /** Gives the memory of free buffers back to the adapter: all, or those that were free before a submit. */
  trim(before = Number.POSITIVE_INFINITY): void {
    const old = this.#free.filter((s) => s.freed < before);
    if (old.length > 0) this.#free = this.#free.filter((s) => s.freed >= before);
    for (const s of old) this.#destroy(s);
  }

  /** Ends reads under way, which are rejected. */
  destroy(): void {
    this.trim();
    for (const s of this.#used) this.#destroy(s);
  }

  #take(bytes: number): Staging {
    const size = sizeClass(bytes);
    let staging: Staging | undefined;
    for (let i = this.#free.length - 1; i >= 0 && !staging; i--)
      if (this.#free[i]!.size === size) [staging] = this.#free.splice(i, 1);
    if (!staging) {
      // MAP_READ | COPY_DST
      const gpu = this.#submits.make({ size, usage: 0x1 | 0x8, label: 'staging' }, `reading ${bytes / 4} elements`);
      staging = { gpu, size, freed: 0 };
      this.bytes += size;
    }
    this.#used.add(staging);
    return staging;
  }

  #destroy(staging: Staging): void {
    staging.gpu.destroy();
    this.bytes -= staging.size;
    this.#used.delete(staging);
  }
}
