import type { Generator } from '../../engine/index.ts';

/**
 * Batches of images in [-1, 1] from grey levels 0 to 255, in a new random order each epoch; a rest shorter than a batch
 * is left out.
 * @param images [n · size] bytes
 * @param size values of one image
 * @yields [batch · size] floats, in an array that the next batch overwrites; it never ends
 * @throws RangeError, at the first batch, if there are fewer images than a batch
 */
export function* batches(
  images: Uint8Array,
  size: number,
  batch: number,
  rng: Generator,
): globalThis.Generator<Float32Array<ArrayBuffer>, never, undefined> {
  const n = images.length / size;
  if (batch > n) throw new RangeError(`batches: a batch of ${batch} needs as many images, and there are ${n}`);
  const out = new Float32Array(batch * size);
  while (true) {
    const order = rng.hostPermutation(n);
    for (let first = 0; first + batch <= n; first += batch) {
      for (let k = 0; k < batch; k++) {
        const from = order[first + k]! * size;
        for (let i = 0; i < size; i++) out[k * size + i] = images[from + i]! / 127.5 - 1;
      }
      yield out;
    }
  }
}
