/** Ops that move elements. */
import { sameSizes } from '../program.ts';
import { Batch, FixedBatch, minus, type Size, sameSize } from '../size.ts';
import { commonLayout, range, toFirst, toLast, Value } from '../value.ts';
import { alongAxes, inOrder, type Mapping, made, Unmapped } from './mapping.ts';

/** Past every end of an axis, in the direction of the step. */
const FAR = 2 ** 31 - 1;

const reshape: Mapping = (c) => {
  const x = c.inputs[0]!;
  const { g, shape } = c;
  const [n, m] = [x.rank, shape.length];
  // Where batch and channels stay, the places in between are regrouped, which they can be with channels first too.
  const keeps = n > 1 && m > 1 && sameSize(x.shape[0]!, shape[0]!) && sameSize(x.shape[n - 1]!, shape[m - 1]!);
  if (x.layout === 'first' && keeps) {
    const name = g.node('Reshape', [x.first, g.target(inOrder(shape, 'first'))]);
    return made(c, 'first', name);
  }
  return made(c, 'last', g.node('Reshape', [x.last, g.target(shape)]));
};

const permute: Mapping = (c) => {
  const x = c.inputs[0]!;
  const axes = c.attributes.numbers('axes');
  // A turn by hand between the layouts may have been made already, or be undone by the next convolution.
  if (x.rank > 2 && `${axes}` === `${toFirst(x.rank)}` && x.layout === 'first') return made(c, 'last', x.first);
  if (x.rank > 2 && `${axes}` === `${toLast(x.rank)}`) return new Value(c.g, c.shape, { first: x.last });
  return made(c, 'last', x.arranged(axes));
};

const slice = alongAxes((g, x, axis, a, { inputs: [v] }) => {
  const [begin, size, step] = (['begin', 'size', 'step'] as const).map((k) => a.sizes(k));
  const cuts = range(v!.rank).flatMap((i) => {
    const [b, n, s, d] = [begin![i]!, size![i]!, step![i]! as number, v!.shape[i]!];
    const whole = sameSize(n, d);
    if (whole && s === 1) return [];
    if (whole && s === -1) return [{ axis: axis(i), from: -1, to: -FAR, step: -1 }];
    if (b instanceof Batch || n instanceof Batch) throw new FixedBatch('a slice along the batch depends on its size');
    const end = b + n * s;
    return [{ axis: axis(i), from: b, to: end < 0 ? -FAR : end, step: s }];
  });
  if (cuts.length === 0) return g.node('Identity', [x]);
  const list = (key: 'from' | 'to' | 'axis' | 'step') => g.ints(cuts.map((cut) => cut[key]));
  return g.node('Slice', [x, list('from'), list('to'), list('axis'), list('step')]);
});

const unslice: Mapping = (c) => {
  const x = c.inputs[0]!;
  const { attributes: a, g } = c;
  if (a.numbers('step').some((s, i) => s !== 1 && x.shape[i] !== 1)) {
    throw new Unmapped('puts elements apart from each other, which Pad cannot');
  }
  const begin = a.numbers('begin');
  const after = a.sizes('shape').map((d, i) => minus(d, x.shape[i]!) - begin[i]!);
  const pads = [...inOrder(begin, x.layout), ...inOrder(after, x.layout)];
  return made(c, x.layout, g.node('Pad', [x.in(x.layout), g.ints(pads), g.scalar(0)]));
};

const concat: Mapping = (c) => {
  const [first] = c.inputs;
  const layout = commonLayout(c.inputs, c.shape.length);
  const axis = first!.axis(c.attributes.number('axis'), layout);
  return made(
    c,
    layout,
    c.g.node(
      'Concat',
      c.inputs.map((v) => v.in(layout)),
      { axis },
    ),
  );
};

const broadcastTo: Mapping = (c) => {
  const x = c.inputs[0]!;
  const { g, shape } = c;
  const layout = x.rank === shape.length ? x.layout : 'last';
  // Expand takes the larger size of the two: an axis that stays needs no size, and the batch none from outside.
  const front = shape.length - x.rank;
  const wanted = shape.map((d, i): Size => (i >= front && sameSize(x.shape[i - front]!, d) ? 1 : d));
  if (sameSizes(x.shape, shape)) return made(c, layout, g.node('Identity', [x.in(layout)]));
  return made(c, layout, g.node('Expand', [x.in(layout), g.shape(inOrder(wanted, layout))]));
};

const fill: Mapping = (c) =>
  made(c, 'last', c.g.node('Expand', [c.g.scalar(c.attributes.number('value')), c.g.shape(c.shape)]));

const triangle =
  (upper: 0 | 1): Mapping =>
  (c) =>
    made(c, 'last', c.g.node('Trilu', [c.inputs[0]!.last, c.g.int(c.attributes.number('k'))], { upper }));

/** The mappings of ops that move elements, by the name of the engine's op. */
export const movementMappings: Readonly<Record<string, Mapping>> = {
  reshape,
  permute,
  slice,
  unslice,
  concat,
  broadcastTo,
  fill,
  tril: triangle(0),
  triu: triangle(1),
};
