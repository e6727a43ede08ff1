import { checkRange, ranges } from '../../engine/internal.ts';
import type { SampleSet, Samples } from './sampleSet.ts';

/**
 * A set of square images at another size. From 1 to 4 pixels more are border, as even as can be, of the value 0 (28 to 32 is the
 * usual frame around digits); any other size is resampled with a triangle filter that widens when it shrinks: PyTorch's
 * `interpolate` with `mode: 'bilinear', antialias: true`.
 * @param size pixels along each side, 1 or more
 * @throws RangeError for a size out of range, or a set of anything but square images
 */
export function resizeSet(set: SampleSet, size: number): SampleSet {
  const [side = 0, width, channels = 0] = set.shape;
  checkRange(set.name, 'size', ranges.count, size);
  if (set.kind !== 'images' || side !== width) throw new RangeError(`${set.name}: only square images are resized`);
  if (size === side) return set;
  const isFramed = size > side && size - side <= 4;
  const split = (samples: Samples): Samples => ({
    ...samples,
    data: isFramed
      ? frame(samples.data as Uint8Array, side, channels, size)
      : resample(samples.data as Uint8Array, side, channels, size),
  });
  return { ...set, shape: [size, size, channels], train: split(set.train), test: split(set.test) };
}

function frame(images: Uint8Array, side: number, channels: number, size: number): Uint8Array {
  const n = images.length / (side * side * channels);
  const first = Math.floor((size - side) / 2);
  const out = new Uint8Array(n * size * size * channels);
  const row = side * channels;
  for (let i = 0; i < n * side; i++) {
    const line = Math.floor(i / side) * size + first + (i % side);
    out.set(images.subarray(i * row, (i + 1) * row), (line * size + first) * channels);
  }
  return out;
}

/** Both axes, one after the other; rounded once, at the end. */
function resample(images: Uint8Array, side: number, channels: number, size: number): Uint8Array {
  const n = images.length / (side * side * channels);
  const taps = Array.from({ length: size }, (_, place) => tapsAt(place, side / size, side));
  const out = new Uint8Array(n * size * size * channels);
  const wide = new Float64Array(side * size * channels);
  for (let image = 0; image < n; image++) {
    const from = image * side * side * channels;
    const to = image * size * size * channels;
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < size; x++) {
        const { first, weights } = taps[x]!;
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          for (let k = 0; k < weights.length; k++) {
            sum += weights[k]! * images[from + (y * side + first + k) * channels + c]!;
          }
          wide[(y * size + x) * channels + c] = sum;
        }
      }
    }
    const row = size * channels;
    for (let y = 0; y < size; y++) {
      const { first, weights } = taps[y]!;
      for (let x = 0; x < row; x++) {
        let sum = 0;
        for (let k = 0; k < weights.length; k++) sum += weights[k]! * wide[(first + k) * row + x]!;
        out[to + y * row + x] = Math.round(sum);
      }
    }
  }
  return out;
}

/** What an output pixel is made of: the weights of a triangle around its centre, which add up to 1. */
function tapsAt(place: number, scale: number, side: number): { first: number; weights: Float64Array } {
  const reach = Math.max(scale, 1);
  const centre = (place + 0.5) * scale;
  const first = Math.max(0, Math.floor(centre - reach + 0.5));
  const end = Math.min(side, Math.floor(centre + reach + 0.5));
  const weights = Float64Array.from({ length: end - first }, (_, k) =>
    Math.max(0, 1 - Math.abs((first + k + 0.5 - centre) / reach)),
  );
  const sum = weights.reduce((a, b) => a + b);
  return { first, weights: weights.map((w) => w / sum) };
}
