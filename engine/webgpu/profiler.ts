/** Time on the adapter by kernel, from timestamp queries around each dispatch. */

/** What a kernel cost since profiling began. */
export interface ProfileEntry {
  /** The kernel's name. */
  readonly kernel: string;
  /** How often it ran. */
  readonly launches: number;
  /** Time on the adapter of all its launches together, in milliseconds. */
  readonly ms: number;
}

/** Measures each dispatch of a submit in a pass of its own, which costs a little; for finding out, not for training. @internal */
export class Profiler {
  readonly #device: GPUDevice;
  readonly #totals = new Map<string, { launches: number; ms: number }>();
  readonly #open = new Set<Promise<void>>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Encodes each dispatch with its timestamps. @param encode encodes dispatch i into a pass */
  record(
    encoder: GPUCommandEncoder,
    names: readonly string[],
    encode: (pass: GPUComputePassEncoder, i: number) => void,
  ): () => void {
    const count = names.length * 2;
    const set = this.#device.createQuerySet({ type: 'timestamp', count });
    names.forEach((_, i) => {
      const pass = encoder.beginComputePass({
        timestampWrites: { querySet: set, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 },
      });
      encode(pass, i);
      pass.end();
    });
    const size = count * 8;
    const resolved = this.#device.createBuffer({ size, usage: 0x200 | 0x4 }); // QUERY_RESOLVE | COPY_SRC
    const readable = this.#device.createBuffer({ size, usage: 0x1 | 0x8 }); // MAP_READ | COPY_DST
    encoder.resolveQuerySet(set, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, readable, 0, size);
    return () => {
      const reading = readable.mapAsync(1).then(() => {
        const times = new BigInt64Array(readable.getMappedRange());
        names.forEach((name, i) => {
          const entry = this.#totals.get(name) ?? { launches: 0, ms: 0 };
          entry.launches++;
          entry.ms += Number(times[2 * i + 1]! - times[2 * i]!) / 1e6;
          this.#totals.set(name, entry);
        });
        readable.destroy();
        resolved.destroy();
        set.destroy();
        this.#open.delete(reading);
      });
      reading.catch(() => {}); // `report` tells of it, if anybody asks
      this.#open.add(reading);
    };
  }

  /** All kernels so far, the costliest first. */
  async report(): Promise<ProfileEntry[]> {
    await Promise.all(this.#open);
    return [...this.#totals].map(([kernel, t]) => ({ kernel, ...t })).sort((a, b) => b.ms - a.ms);
  }
}
