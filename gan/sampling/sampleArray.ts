import { scope, type Tensor } from '../../engine/index.ts';

/** Samples in memory. */
export interface SampleArray {
  /** The samples one after the other, as the networks see them: pixels in [-1, 1], points as they are. */
  readonly data: Float32Array;
  /** [N,H,W,C] of images, [N,D] of points, or another shape with the samples along its first axis. */
  readonly shape: readonly number[];
}

/** What `make` makes of samples first to first + many - 1, [many, ...], of all n, so many at a time; its other tensors are freed. */
export async function inBatches(
  n: number,
  batchSize: number,
  make: (first: number, many: number) => Tensor,
): Promise<SampleArray> {
  const parts: SampleArray[] = [];
  for (let first = 0; first < n; first += batchSize) {
    const read = scope(() => {
      const made = make(first, Math.min(batchSize, n - first));
      return { data: made.data(), shape: made.shape };
    });
    parts.push({ data: Float32Array.from(await read.data), shape: read.shape });
  }
  return joined(parts);
}

/** Samples of one shape, one list after the other. */
export function joined(lists: readonly SampleArray[]): SampleArray {
  const data = new Float32Array(lists.reduce((size, list) => size + list.data.length, 0));
  let at = 0;
  for (const list of lists) {
    data.set(list.data, at);
    at += list.data.length;
  }
  return { data, shape: [lists.reduce((n, { shape }) => n + shape[0]!, 0), ...(lists[0]?.shape.slice(1) ?? [])] };
}
