import { blockUntilReady, type numpy as np } from '@jax-js/jax';
import { wait } from '../adapter.ts';
import { channelsLast } from '../data.ts';
import type { Layout } from '../task.ts';

/** Hands pending work to the adapter without waiting for it, and lets go of the arrays. */
export function submit(arrays: readonly np.Array[]): void {
  for (const a of arrays) a.gpuBufferSync();
}

/** Reads arrays, and lets go of them. */
export async function read(arrays: readonly np.Array[], layouts: readonly Layout[]): Promise<Float32Array[]> {
  await wait(blockUntilReady([...arrays]));
  const shapes = arrays.map((a) => [...a.shape]);
  const values = await wait(Promise.all(arrays.map(async (a) => (await a.data()) as Float32Array)));
  return values.map((v, i) => channelsLast(v, shapes[i]!, layouts[i] ?? 'plain'));
}
