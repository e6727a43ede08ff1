/** What a mapping sees of an op of the tape, and what it gives. */
import type { Graph } from '../graph.ts';
import type { Attributes } from '../program.ts';
import type { Size } from '../size.ts';
import { commonLayout, type Layout, toFirst, Value } from '../value.ts';

/** An op to be written in nodes. */
export interface Call {
  readonly g: Graph;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  /** The shape of the result. */
  readonly shape: readonly Size[];
}

/** Writes an op into the graph. */
export type Mapping = (c: Call) => Value;

/** An op, or a case of one, that ONNX export does not have. */
export class Unmapped extends Error {}

/** The result of a call, as it lies. */
export const made = ({ g, shape }: Pick<Call, 'g' | 'shape'>, layout: Layout, name: string): Value =>
  new Value(g, shape, layout === 'first' && shape.length > 2 ? { first: name } : { last: name });

/** A mapping for ops whose inputs broadcast; `emit` gets their names and gives that of the result. */
export const elementwise =
  (emit: (g: Graph, names: readonly string[], a: Attributes) => string): Mapping =>
  (c) => {
    const rank = c.shape.length;
    const layout = commonLayout(c.inputs, rank);
    const names = c.inputs.map((v) => v.against(rank, layout));
    return made(c, layout, emit(c.g, names, c.attributes));
  };

/** A mapping of one input that works along axes, in either layout. The result has the input's axes. */
export const alongAxes =
  (emit: (g: Graph, x: string, axis: (a: number) => number, a: Attributes, c: Call) => string): Mapping =>
  (c) => {
    const x = c.inputs[0]!;
    const { layout } = x;
    return made(
      c,
      layout,
      emit(c.g, x.in(layout), (a) => x.axis(a, layout), c.attributes, c),
    );
  };

/** A list with an item for each axis in the order of a layout. */
export const inOrder = <T>(list: readonly T[], layout: Layout): T[] =>
  layout === 'last' ? [...list] : toFirst(list.length).map((a) => list[a]!);
