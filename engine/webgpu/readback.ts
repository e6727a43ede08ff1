/** A copy on its way to the host. */
export interface ReadbackCopy {
  /** Resolves when `values` may be called. */
  readonly ready: Promise<void>;
  values(): Float32Array<ArrayBuffer>;
}

/** Copies of device memory for the host, through staging buffers that are used again and again. */
export class Readback {
  readonly #gpu: GPUDevice;
  /** Free staging buffers by size, which is a power of two. */
  readonly #free = new Map<number, GPUBuffer[]>();

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
  }

  /** Submits a copy of `bytes` from `offset`, after all that was submitted so far. */
  copy(buffer: GPUBuffer, offset: number, bytes: number): ReadbackCopy {
    const staging = this.#take(bytes);
    const encoder = this.#gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, offset, staging, 0, bytes);
    this.#gpu.queue.submit([encoder.finish()]);
    const values = () => {
      const copied = new Float32Array(staging.getMappedRange(0, bytes).slice(0));
      staging.unmap();
      const free = this.#free.get(staging.size) ?? [];
      free.push(staging);
      this.#free.set(staging.size, free);
      return copied;
    };
    return { ready: staging.mapAsync(1, 0, bytes), values }; // GPUMapMode.READ
  }

  #take(bytes: number): GPUBuffer {
    const size = 2 ** Math.ceil(Math.log2(Math.max(256, bytes)));
    // MAP_READ | COPY_DST
    return this.#free.get(size)?.pop() ?? this.#gpu.createBuffer({ size, usage: 0x1 | 0x8, label: 'staging' });
  }
}
