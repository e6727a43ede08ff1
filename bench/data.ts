import type { Layer, Layout, Operand, Shape, TrainTask } from './task.ts';

export const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

/** Uniform in [0, 1): mulberry32. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal numbers times `scale` (Box and Muller 1958). */
export function normals(size: number, seed: number, scale = 1): Float32Array {
  const draw = uniform(seed);
  return Float32Array.from(
    { length: size },
    () => scale * Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw()),
  );
}

export interface Parameter extends Operand {
  readonly values: Float32Array;
  /** For dense layers next to an image: which axis of the weight runs over which image. */
  readonly rows?: readonly number[];
  readonly columns?: readonly number[];
}

/** The parameters of a network in the order of its layers, weight before bias; He et al. 2015. */
export function initialParameters(layers: readonly Layer[], seed: number): Parameter[] {
  const filled = (n: number, value: number): Parameter => ({
    shape: [n],
    layout: 'plain',
    values: new Float32Array(n).fill(value),
  });
  return layers.flatMap((layer, i): Parameter[] => {
    if (layer.kind === 'batchNorm') return [filled(layer.channels, 1), filled(layer.channels, 0)];
    if (!('out' in layer)) return [];
    const bias = layer.bias ? [filled(layer.out, 0)] : [];
    if (layer.kind === 'dense') {
      const { inImage: rows, outImage: columns } = layer;
      const values = normals(layer.in * layer.out, seed + i, Math.sqrt(2 / layer.in));
      const images = { ...(rows && { rows }), ...(columns && { columns }) };
      return [{ shape: [layer.in, layer.out], layout: 'plain', values, ...images }, ...bias];
    }
    const { size: k, in: from, out: to, stride } = layer;
    const shape = layer.kind === 'conv' ? [k, k, from, to] : [k, k, to, from];
    // A strided transposed convolution reaches each pixel through (k / stride)² taps.
    const fanIn = from * (layer.kind === 'conv' ? k * k : (k / stride) ** 2);
    return [{ shape, layout: 'kernel', values: normals(sizeOf(shape), seed + i, Math.sqrt(2 / fanIn)) }, ...bias];
  });
}

/** One batch of a training task. */
export interface Batch {
  /** [N, ...sample] */
  readonly real: Float32Array;
  /** [N, latent]: for the critic's step and for the generator's. */
  readonly z: readonly [Float32Array, Float32Array];
  /** [N, 1, ...]: where between real and generated samples the penalty is taken. */
  readonly alpha: Float32Array;
}

/** Batches that training runs through in a circle: points near a ring of eight in 2-D, smooth stripes as images. */
export function batches({ batch, latent, sample }: TrainTask): Batch[] {
  return [0, 1, 2, 3].map((b) => {
    const seed = 1000 * (b + 1);
    const draw = uniform(seed + 3);
    const size = sizeOf(sample.shape);
    const real = normals(batch * size, seed, 0.05);
    for (let n = 0; n < batch; n++) {
      const angle = 2 * Math.PI * (sample.layout === 'plain' ? Math.floor(8 * draw()) / 8 : draw());
      for (let i = 0; i < size; i++) {
        const [h = 0, w = 1] = sample.shape;
        const [y, x] = [Math.floor(i / sizeOf(sample.shape.slice(1))) / h, Math.floor(i / (sample.shape[2] ?? 1)) % w];
        const value = sample.layout === 'plain' ? [Math.cos(angle), Math.sin(angle)][i]! : stripes(y, x / w, angle);
        real[n * size + i]! += value;
      }
    }
    const alpha = Float32Array.from({ length: batch }, draw);
    return { real, z: [normals(batch * latent, seed + 1), normals(batch * latent, seed + 2)], alpha };
  });
}

const stripes = (y: number, x: number, angle: number): number =>
  Math.tanh(3 * Math.sin(12 * (y * Math.cos(angle) + x * Math.sin(angle))));

/** Channels first, as some libraries want images [N,C,H,W] and kernels [out,in,KH,KW]. */
export function channelsFirst(values: Float32Array, { shape, layout }: Operand): { data: Float32Array; shape: Shape } {
  const order = ORDER[layout];
  return order ? transpose(values, shape, order) : { data: values, shape };
}

/** Back again. @param shape of the values, channels first */
export function channelsLast(values: Float32Array, shape: Shape, layout: Layout): Float32Array {
  const order = ORDER[layout];
  if (!order) return values;
  const inverse = order.map((_, i) => order.indexOf(i));
  return transpose(values, shape, inverse).data;
}

const ORDER: Readonly<Record<Layout, readonly number[] | undefined>> = {
  plain: undefined,
  images: [0, 3, 1, 2],
  kernel: [3, 2, 0, 1],
};

/** As numpy's transpose, of row-major data. */
export function transpose(values: Float32Array, shape: Shape, order: readonly number[]) {
  const to = order.map((axis) => shape[axis]!);
  const strides = order.map((axis) => sizeOf(shape.slice(axis + 1)));
  const data = new Float32Array(values.length);
  const index = to.map(() => 0);
  for (let i = 0, from = 0; i < data.length; i++) {
    data[i] = values[from]!;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < to[axis]!) break;
      from -= strides[axis]! * to[axis]!;
      index[axis] = 0;
    }
  }
  return { data, shape: to as Shape };
}
