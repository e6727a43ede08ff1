/** What a sample is made of, and how samples become a batch of tensors. */
import { type Shape, ShapeError, sizeOf, stack, Tensor, tensor } from '../../engine/index.ts';
import { calls } from '../../engine/internal.ts';

/** An array of numbers of fixed type, as files hold them. */
export type NumberArray =
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray;

/** Numbers with a shape, such as an image of bytes; the values are data · scale + shift. */
export interface ArraySample {
  /** Row-major. It is read when its batch is handed out: bytes stay bytes until then. */
  readonly data: NumberArray;
  /** The shape of the one sample: [H,W,C] for an image, [] for a number. Default: a vector. */
  readonly shape?: Shape;
  /** Multiplies the numbers. Default 1. */
  readonly scale?: number;
  /** Added to the scaled numbers. Default 0. `{ scale: 1 / 127.5, shift: -1 }` takes bytes to [-1, 1]. */
  readonly shift?: number;
}

/** One value of a sample. A tensor stays the data set's: it is copied into the batch and not freed. */
export type SampleValue = number | NumberArray | ArraySample | Tensor;

/** A sample: one value, or several, by name (`{ image, label }`) or in a list (`[image, label]`). */
export type Sample = SampleValue | { readonly [name: string]: SampleValue } | readonly SampleValue[];

/** The batch made of samples: a tensor with the batch as its first axis, or one for each name or place of a list. */
export type Batch<S> = S extends SampleValue ? Tensor : { readonly [K in keyof S]: Tensor };

const isArray = (v: unknown): v is NumberArray => ArrayBuffer.isView(v) && !(v instanceof DataView);
const FIELDS = ['data', 'shape', 'scale', 'shift'];

function isArraySample(v: object): v is ArraySample {
  if (!('data' in v && isArray(v.data))) return false;
  const other = Object.keys(v).find((name) => !FIELDS.includes(name));
  if (other === undefined) return true;
  throw new TypeError(
    `collate: { data, ${other} }: beside \`data\` a value has ${FIELDS.slice(1).join(', ')} alone; rename data`,
  );
}

const isValue = (v: unknown): v is SampleValue =>
  typeof v === 'number' ||
  v instanceof Tensor ||
  isArray(v) ||
  (typeof v === 'object' && v !== null && isArraySample(v));

/**
 * Stacks samples along a new first axis, on the current device: the loader's own way to make a batch.
 * @throws ShapeError if samples differ in shape; TypeError if they differ in kind or names, or there is none
 */
export function collate<S>(samples: readonly S[]): Batch<S> {
  calls.checkArguments('collate', [calls.aList('samples', '[a, b]')], arguments);
  const [first] = samples;
  if (first === undefined) throw new TypeError('collate: there are no samples');
  if (isValue(first)) return column('samples', samples) as Batch<S>;
  if (typeof first !== 'object' || first === null) {
    throw new TypeError(
      `collate: a sample is a number, an array, a tensor, or a record of these, not ${String(first)}`,
    );
  }
  const names = Object.keys(first);
  const columns: [string, Tensor][] = [];
  for (const s of samples) {
    const own = typeof s === 'object' && s !== null && !isValue(s) ? Object.keys(s) : [];
    if (own.length !== names.length || names.some((n) => !own.includes(n))) {
      throw new TypeError(
        `collate: samples differ: one has ${names.join(', ')}, another ${own.join(', ') || 'no names'}`,
      );
    }
  }
  for (const name of names) {
    const values = samples.map((s) => (s as Record<string, unknown>)[name]);
    columns.push([name, column(name, values)]);
  }
  // A pair of image and label comes as a pair, and a record as a record.
  return (Array.isArray(first) ? columns.map(([, t]) => t) : Object.fromEntries(columns)) as Batch<S>;
}

/** The values of one name, one of each sample. */
function column(name: string, values: readonly unknown[]): Tensor {
  if (values.every((v) => v instanceof Tensor)) return stack([...values]);
  const arrays = values.map((v) => arrayOf(name, v));
  const { shape } = arrays[0]!;
  const size = sizeOf(shape);
  // In float64 so that the reference device gets what scale and shift give; tensor() rounds for the others.
  const out = new Float64Array(size * arrays.length);
  arrays.forEach(({ data, shape: own, scale, shift }, k) => {
    if (own.length !== shape.length || own.some((d, i) => d !== shape[i])) {
      throw new ShapeError(`collate: ${name} of samples differ in shape: [${shape}] and [${own}]; crop or pad them`);
    }
    for (let i = 0; i < size; i++) out[k * size + i] = data[i]! * scale + shift;
  });
  return tensor(out, { shape: [arrays.length, ...shape] });
}

function arrayOf(name: string, v: unknown): { data: ArrayLike<number>; shape: Shape; scale: number; shift: number } {
  if (typeof v === 'number') return { data: [v], shape: [], scale: 1, shift: 0 };
  if (isArray(v)) return { data: v, shape: [v.length], scale: 1, shift: 0 };
  if (typeof v !== 'object' || v === null || v instanceof Tensor || !isArraySample(v)) {
    const found = v instanceof Tensor ? 'a tensor among others' : Array.isArray(v) ? 'an array' : String(v);
    throw new TypeError(
      `collate: ${name} is ${found}; a value is a number, a typed array, { data, shape } or a tensor`,
    );
  }
  const { data, shape = [v.data.length], scale = 1, shift = 0 } = v;
  if (sizeOf(shape) !== data.length) {
    throw new ShapeError(`collate: ${name}: ${data.length} numbers do not fill the shape [${shape}]`);
  }
  return { data, shape, scale, shift };
}
