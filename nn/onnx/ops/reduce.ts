/** Reductions, scans and sorting. */
import type { Graph } from '../graph.ts';
import { DataType } from '../proto.ts';
import { type Layout, range, toFirst, type Value } from '../value.ts';
import { alongAxes, type Call, type Mapping, made } from './mapping.ts';

/**
 * Reduces in the layout that is there, if what is left then lies in a layout too. `emit` gets the name and the axes there.
 */
function reduceBy(
  c: Call,
  axes: readonly number[],
  keepDims: boolean,
  emit: (x: string, axes: number[]) => string,
): Value {
  const x = c.inputs[0]!;
  const result = (from: Layout, to: Layout) =>
    made(
      c,
      to,
      emit(
        x.in(from),
        axes.map((a) => x.axis(a, from)),
      ),
    );
  if (x.layout === 'last') return result('last', 'last');
  if (keepDims) return result('first', 'first');
  const left = range(x.rank).filter((a) => !axes.includes(a));
  const lying = toFirst(x.rank)
    .filter((a) => !axes.includes(a))
    .map((a) => left.indexOf(a));
  if (lying.every((a, i) => a === i)) return result('first', 'last');
  return `${lying}` === `${toFirst(left.length)}` ? result('first', 'first') : result('last', 'last');
}

/** `axesInput`: the opset takes the axes of ReduceSum as an input, and those of the others as an attribute. */
const reduction =
  (opType: string, axesInput = false): Mapping =>
  (c) => {
    const [axes, keepDims] = [c.attributes.numbers('axes'), c.attributes.flag('keepDims')];
    const keepdims = keepDims ? 1 : 0;
    return reduceBy(c, axes, keepDims, (x, at) => {
      if (axes.length === 0) return c.g.node('Identity', [x]);
      const sorted = [...at].sort((a, b) => a - b);
      return axesInput
        ? c.g.node(opType, [x, c.g.ints(sorted)], { keepdims })
        : c.g.node(opType, [x], { axes: sorted, keepdims });
    });
  };

const float = (g: Graph, x: string): string => g.node('Cast', [x], { to: DataType.FLOAT });

const place =
  (opType: string): Mapping =>
  (c) => {
    const keepDims = c.attributes.flag('keepDims');
    return reduceBy(c, [c.attributes.number('axis')], keepDims, (x, [axis]) =>
      float(c.g, c.g.node(opType, [x], { axis: axis!, keepdims: keepDims ? 1 : 0 })),
    );
  };

const cumsum = alongAxes((g, x, axis, a) =>
  g.node('CumSum', [x, g.int(axis(a.number('axis')))], { reverse: a.flag('reverse') ? 1 : 0 }),
);

const argsort = alongAxes((g, x, axis, a, { inputs: [v] }) => {
  const along = a.number('axis');
  const k = g.shape([v!.shape[along]!]);
  const [, indices] = g.results(2, 'TopK', [x, k], {
    axis: axis(along),
    largest: a.flag('descending') ? 1 : 0,
    sorted: 1,
  });
  return float(g, indices!);
});

const softmax = (opType: string): Mapping =>
  alongAxes((g, x, axis, a) => g.node(opType, [x], { axis: axis(a.number('axis')) }));

/** The mappings of reductions, by the name of the engine's op. */
export const reduceMappings: Readonly<Record<string, Mapping>> = {
  sum: reduction('ReduceSum', true),
  mean: reduction('ReduceMean'),
  max: reduction('ReduceMax'),
  min: reduction('ReduceMin'),
  prod: reduction('ReduceProd'),
  argmax: place('ArgMax'),
  argmin: place('ArgMin'),
  cumsum,
  argsort,
  softmax: softmax('Softmax'),
  logSoftmax: softmax('LogSoftmax'),
};
