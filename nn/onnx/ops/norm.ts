/** Norms: the fused rows of the engine, and batch norm in evaluation, which is put together from its parts again. */
import { known, type Size } from '../size.ts';
import { range, toFirst, type Value } from '../value.ts';
import { type Call, inOrder, type Mapping, made, Unmapped } from './mapping.ts';

/** How many of the last axes hold `count` elements. */
function tailOf(shape: readonly Size[], count: number): number {
  let product = 1;
  for (let n = 1; n <= shape.length; n++) {
    const d = shape[shape.length - n]!;
    if (typeof d !== 'number') break;
    product *= d;
    if (product === count) return n;
  }
  throw new Unmapped(`normalises over ${count} elements, which are not whole axes`);
}

const layerNorm: Mapping = (c) => {
  const [x, gamma, beta] = c.inputs as [Value, Value, Value];
  const { attributes: a, g } = c;
  const epsilon = a.number('eps');
  const tail = tailOf(x.shape, a.sizes('view')[1] as number);
  const sizes = known(x.shape.slice(x.rank - tail));
  // Over everything but the batch, the order of the axes does not matter, if that of the weights is the same.
  const layout = tail === x.rank - 1 ? x.layout : 'last';
  const axis = layout === 'first' ? 1 : x.rank - tail;
  const order =
    layout === 'first'
      ? toFirst(x.rank)
          .slice(1)
          .map((i) => i - 1)
      : range(tail);
  const shaped = (v: Value): string => {
    const [axes, shape] = [v.rank === tail ? order : range(v.rank), order.map((i) => sizes[i]!)];
    if (v.rank !== tail && layout === 'first' && tail > 1)
      throw new Unmapped('has weights of other axes than it normalises');
    return v.arranged(axes, shape);
  };
  return made(c, layout, g.node('LayerNormalization', [x.in(layout), shaped(gamma), shaped(beta)], { axis, epsilon }));
};

const instanceNorm: Mapping = (c) => {
  const [x, gamma, beta] = c.inputs as [Value, Value, Value];
  const attributes = { epsilon: c.attributes.number('eps') };
  return made(c, 'first', c.g.node('InstanceNormalization', [x.first, gamma.last, beta.last], attributes));
};

/** Groups of channels are made channels of their own, which an InstanceNormalization takes one by one. */
const groupNorm: Mapping = (c) => {
  const [x, gamma, beta] = c.inputs as [Value, Value, Value];
  const { attributes: a, g } = c;
  const groups = a.sizes('view')[2] as number;
  const apart = g.node('Reshape', [x.first, g.ints([0, groups, -1])]); // 0: as it is
  const constant = (value: number) => g.floats(new Float32Array(groups).fill(value), [groups], 'groups');
  const epsilon = a.number('eps');
  const normed = g.node('InstanceNormalization', [apart, constant(1), constant(0)], { epsilon });
  const back = g.node('Reshape', [normed, g.target(inOrder(x.shape, 'first'))]);
  const scaled = g.node('Mul', [back, gamma.against(x.rank, 'first')]);
  return made(c, 'first', g.node('Add', [scaled, beta.against(x.rank, 'first')]));
};

/** Normalises with the statistics of the batch, as without running ones. */
const batchNorm: Mapping = (c) => {
  const [x, gamma, beta] = c.inputs as [Value, Value, Value];
  const { g } = c;
  const { layout, rank } = x;
  const axes = range(rank - 1)
    .map((i) => x.axis(i, layout))
    .sort((p, q) => p - q);
  const mean = (name: string) => g.node('ReduceMean', [name], { axes, keepdims: 1 });
  const centred = g.node('Sub', [x.in(layout), mean(x.in(layout))]);
  const variance = mean(g.node('Mul', [centred, centred]));
  const deviation = g.node('Sqrt', [g.node('Add', [variance, g.scalar(c.attributes.number('eps'))])]);
  const scaled = g.node('Mul', [g.node('Div', [centred, deviation]), gamma.against(rank, layout)]);
  return made(c, layout, g.node('Add', [scaled, beta.against(rank, layout)]));
};

/** Batch norm in evaluation from its five tensors. */
export function batchNormInference(
  c: Call,
  parts: Readonly<Record<'scale' | 'bias' | 'mean' | 'variance', Value>>,
  epsilon: number,
): Value {
  const x = c.inputs[0]!;
  const names = [x.first, parts.scale.last, parts.bias.last, parts.mean.last, parts.variance.last];
  return made(c, 'first', c.g.node('BatchNormalization', names, { epsilon }));
}

/** The mappings of norms, by the name of the engine's op. */
export const normMappings: Readonly<Record<string, Mapping>> = { batchNorm, groupNorm, instanceNorm, layerNorm };
