/** Pooling and resizing of images. The engine's windows are described in kernels/window.ts. */
import type { Attributes } from '../program.ts';
import { range, type Value } from '../value.ts';
import { type Call, type Mapping, made } from './mapping.ts';

/** An axis of the image: `a`, `b`, `c`, `d`, `e` say, by the kind of window, where the windows are. */
type Axis = Readonly<Record<'size' | 'out' | 'a' | 'b' | 'c' | 'd' | 'e', number>>;

const axisOf = (a: Attributes): Axis => {
  const part = (k: keyof Axis) => a.number(k);
  return { size: part('size'), out: part('out'), a: part('a'), b: part('b'), c: part('c'), d: part('d'), e: part('e') };
};
const axesOf = ({ attributes }: Call): [Axis, Axis] => [axisOf(attributes.inner('h')), axisOf(attributes.inner('w'))];

/** The places behind the image that the last window reaches. */
const behind = ({ size, out, a, b, c, e }: Axis): number => Math.max(0, (out - 1) * b - c + (a - 1) * e + 1 - size);

const maxPool = (c: Call, x: string, axes: readonly Axis[]): string =>
  c.g.node('MaxPool', [x], {
    kernel_shape: axes.map((v) => v.a),
    strides: axes.map((v) => v.b),
    dilations: axes.map((v) => v.e),
    pads: [...axes.map((v) => v.c), ...axes.map((v) => Math.min(behind(v), (v.a - 1) * v.e))],
  });

/** Adaptive windows that are all of one size are those of a pooling. */
const evenly = (axes: readonly Axis[]): Axis[] | undefined =>
  axes.every((v) => v.b === 1) ? axes.map((v) => ({ ...v, b: v.a, c: 0, d: 0, e: 1 })) : undefined;

/** Where adaptive window o begins and ends. */
const span = ({ a, b }: Axis, o: number): [number, number] => [Math.floor((o * a) / b), Math.ceil(((o + 1) * a) / b)];

/** The engine finds the places of the maxima (an op before this one) and reads there. */
const poolGather: Mapping = (c) => {
  const x = c.inputs[0]!;
  const axes = axesOf(c);
  const adaptive = c.attributes.text('kind') === 'adaptive';
  const even = adaptive ? evenly(axes) : axes;
  if (even) return made(c, 'first', maxPool(c, x.first, even));
  // A maximum of maxima: first along the height, then along the width.
  const { g } = c;
  const along = (name: string, v: Axis, axis: number): string => {
    const windows = range(v.out).map((o) => {
      const [from, to] = span(v, o);
      const window = g.node('Slice', [name, g.ints([from]), g.ints([to]), g.ints([axis])]);
      return g.node('ReduceMax', [window], { axes: [axis], keepdims: 1 });
    });
    return g.node('Concat', windows, { axis });
  };
  return made(c, 'first', along(along(x.first, axes[0], 2), axes[1], 3));
};

function averagePool(c: Call, x: string, axes: readonly Axis[]): string {
  const [before, after] = [axes.map((v) => v.c), axes.map((v) => Math.max(v.c, behind(v)))];
  const counted = axes.every((v) => v.d === 1);
  // Padding counts, but not what a window reaches behind it: it is put there first, and the rest left out.
  const over = axes.some((v) => behind(v) > v.c);
  const own = counted && over;
  const { g } = c;
  const from = own ? g.node('Pad', [x, g.ints([0, 0, ...before, 0, 0, ...before]), g.scalar(0)]) : x;
  return g.node('AveragePool', [from], {
    kernel_shape: axes.map((v) => v.a),
    strides: axes.map((v) => v.b),
    pads: own ? [...before.map(() => 0), ...axes.map((v) => Math.max(0, behind(v) - v.c))] : [...before, ...after],
    count_include_pad: counted && !own ? 1 : 0,
  });
}

const avgPool2d: Mapping = (c) => made(c, 'first', averagePool(c, c.inputs[0]!.first, axesOf(c)));

const adaptiveAvgPool2d: Mapping = (c) => {
  const x = c.inputs[0]!;
  const axes = axesOf(c);
  const even = evenly(axes);
  if (even) return made(c, 'first', averagePool(c, x.first, even));
  // Windows of several sizes are a matrix for each axis: rows · image · columns.
  const [rows, columns] = axes.map((v) => {
    const weights = range(v.out).map((o) => {
      const [from, to] = span(v, o);
      return range(v.size).map((i) => (i >= from && i < to ? 1 / (to - from) : 0));
    });
    return { v, weights };
  }) as [{ v: Axis; weights: number[][] }, { v: Axis; weights: number[][] }];
  const { g } = c;
  const left = g.floats(rows.weights.flat(), [rows.v.out, rows.v.size], 'rows');
  const turned = range(columns.v.size).flatMap((i) => columns.weights.map((w) => w[i]!));
  const right = g.floats(turned, [columns.v.size, columns.v.out], 'columns');
  return made(c, 'first', g.node('MatMul', [g.node('MatMul', [left, x.first]), right]));
};

const scales = (c: Call, axes: readonly Axis[]): string =>
  c.g.floats([1, 1, ...axes.map((v) => v.out / v.size)], [4], 'scales');

const resizeNearest: Mapping = (c) => {
  const x = c.inputs[0]!;
  const axes = axesOf(c);
  const { g } = c;
  if (axes.every((v) => v.out % v.size === 0)) {
    const how = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' };
    return made(c, 'first', g.node('Resize', [x.first, '', scales(c, axes)], how));
  }
  // The engine finds the places in whole numbers, and no runtime's rounding decides otherwise.
  const { layout } = x;
  const name = axes.reduce((from, v, i) => {
    const places = range(v.out).map((o) => Math.floor((o * v.a) / v.b));
    return g.node('Gather', [from, g.ints(places)], { axis: x.axis(i + 1, layout) });
  }, x.in(layout));
  return made(c, layout, name);
};

const resizeBilinear: Mapping = (c) => {
  const x = c.inputs[0]!;
  const axes = axesOf(c);
  const { g } = c;
  // Half a pixel is added where corners are not aligned; where the size stays, both are one.
  const mode = axes.some((v) => v.b !== 0) ? 'half_pixel' : 'align_corners';
  const how = { mode: 'linear', coordinate_transformation_mode: mode };
  const whole = axes.every((v) => v.out % v.size === 0);
  if (whole) return made(c, 'first', g.node('Resize', [x.first, '', scales(c, axes)], how));
  const [n, h, w, channels] = c.shape as [Value['shape'][0], number, number, number];
  return made(c, 'first', g.node('Resize', [x.first, '', '', g.shape([n, channels, h, w])], how));
};

/** The mappings of ops on windows, by the name of the engine's op. */
export const windowMappings: Readonly<Record<string, Mapping>> = {
  poolGather,
  avgPool2d,
  adaptiveAvgPool2d,
  resizeNearest,
  resizeBilinear,
};
