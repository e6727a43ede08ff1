/** Matrix products, convolutions and reading by index. */
import { DataType } from '../proto.ts';
import { known, type Size } from '../size.ts';
import { range, type Value } from '../value.ts';
import { type Call, elementwise, type Mapping, made } from './mapping.ts';

/** The same matrices with rows and columns swapped. */
const swapped = (v: Value): string => {
  const [a, b] = [v.rank - 1, v.rank - 2];
  return v.arranged([...range(v.rank - 2), a, b]);
};

/** @param bias the name of a vector that is added */
export function matmul(c: Call, bias?: string): Value {
  const [a, b] = c.inputs as [Value, Value];
  const [transA, transB] = [c.attributes.flag('transposeA'), c.attributes.flag('transposeB')];
  if (a.rank === 2 && b.rank === 2) {
    const flags = { ...(transA ? { transA: 1 } : {}), ...(transB ? { transB: 1 } : {}) };
    return made(c, 'last', c.g.node('Gemm', bias ? [a.last, b.last, bias] : [a.last, b.last], flags));
  }
  const names = [transA ? swapped(a) : a.last, transB ? swapped(b) : b.last];
  return made(c, 'last', c.g.node('MatMul', names));
}

interface Geometry {
  readonly strides: number[];
  readonly dilations: number[];
  readonly group: number;
  readonly before: number[];
  readonly after: number[];
}

function geometryOf({ attributes: a, shape }: Call): Geometry {
  const rest = { strides: a.numbers('stride'), dilations: a.numbers('dilation'), group: a.number('groups') };
  if (shape.length === 5) return { ...rest, before: a.numbers('before'), after: a.numbers('after') };
  const [top, left, bottom, right] = a.numbers('padding') as [number, number, number, number];
  return { ...rest, before: [top, left], after: [bottom, right] };
}

/** [..., Cin, Cout] to [Cout, Cin, ...], which is what a transposed convolution wants of its own weight too. */
const weightOf = (w: Value): string => w.arranged([w.rank - 1, w.rank - 2, ...range(w.rank - 2)]);

/** @param bias the name of a vector that is added to the channels */
export function conv(c: Call, bias?: string): Value {
  const [x, w] = c.inputs as [Value, Value];
  const { before, after, ...rest } = geometryOf(c);
  const attributes = { kernel_shape: known(w.shape.slice(0, -2)), pads: [...before, ...after], ...rest };
  const inputs = [x.first, weightOf(w), ...(bias ? [bias] : [])];
  return made(c, 'first', c.g.node('Conv', inputs, attributes));
}

/** @param bias the name of a vector that is added to the channels */
export function convTranspose(c: Call, bias?: string): Value {
  const [y, w] = c.inputs as [Value, Value];
  const { before, after, ...rest } = geometryOf(c);
  const kernel = known(w.shape.slice(0, -2));
  const [from, to] = [y.shape, c.shape].map((s: readonly Size[]) => known(s.slice(1, -1))) as [number[], number[]];
  const extra = to.map((d, i) => {
    const reach = rest.dilations[i]! * (kernel[i]! - 1) + 1;
    return d - ((from[i]! - 1) * rest.strides[i]! + reach - before[i]! - after[i]!);
  });
  const attributes = { kernel_shape: kernel, pads: [...before, ...after], output_padding: extra, ...rest };
  const inputs = [y.first, weightOf(w), ...(bias ? [bias] : [])];
  return made(c, 'first', c.g.node('ConvTranspose', inputs, attributes));
}

const whole = (c: Call, index: Value): string => c.g.node('Cast', [index.last], { to: DataType.INT64 });

const gather: Mapping = (c) => {
  const [x, index] = c.inputs as [Value, Value];
  const axis = c.attributes.number('axis');
  return made(c, 'last', c.g.node('GatherElements', [x.last, whole(c, index)], { axis }));
};

const take: Mapping = (c) => {
  const [x, index] = c.inputs as [Value, Value];
  return made(c, 'last', c.g.node('Gather', [x.last, whole(c, index)], { axis: c.attributes.number('axis') }));
};

const scatter: Mapping = (c) => {
  const [source, index] = c.inputs as [Value, Value];
  const zeros = c.g.node('Expand', [c.g.scalar(0), c.g.shape(c.shape)]);
  const attributes = { axis: c.attributes.number('axis'), reduction: 'add' };
  return made(c, 'last', c.g.node('ScatterElements', [zeros, whole(c, index), source.last], attributes));
};

/** What lies above the diagonal of the last two axes becomes the value: a mask that is written into the file. */
const causal: Mapping = (c) => {
  const [rows, columns] = known(c.shape.slice(-2)) as [number, number];
  const mask = Float32Array.from({ length: rows * columns }, (_, i) => (i % columns > Math.floor(i / columns) ? 1 : 0));
  const above = c.g.node('Cast', [c.g.floats(mask, [rows, columns], 'causalMask')], { to: DataType.BOOL });
  const value = c.g.scalar(c.attributes.number('value'));
  return elementwise((g, [x]) => g.node('Where', [above, value, x!]))({ ...c, inputs: [lastOnly(c)] });
};

const lastOnly = (c: Call): Value => made({ g: c.g, shape: c.inputs[0]!.shape }, 'last', c.inputs[0]!.last);

/** The mappings of products, by the name of the engine's op. */
export const linearMappings: Readonly<Record<string, Mapping>> = {
  matmul: (c) => matmul(c),
  conv2d: (c) => conv(c),
  conv3d: (c) => conv(c),
  convTranspose2d: (c) => convTranspose(c),
  convTranspose3d: (c) => convTranspose(c),
  gather,
  take,
  scatter,
  causal,
};
