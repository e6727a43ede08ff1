/** A product in which 0 is stronger than NaN and infinities. */
import { elementwise } from '../../kernels/elementwise.ts';
import { WEIGHTED } from '../../kernels/special.ts';
import { apply } from '../autograd/apply.ts';
import type { Row } from '../autograd/row.ts';
import { broadcastShapes } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { mul } from './elementwise.ts';

const none: Readonly<Record<string, never>> = {};
const e = { name: 'weighted', arity: 2, expr: 'weighted_(a, b)', prelude: WEIGHTED };

export const weightedRow: Row<typeof none, 2, 1> = {
  name: e.name,
  shape: (inputs) => [broadcastShapes(e.name, ...inputs)],
  kernel: ({ inputs, outputs }) => elementwise(e, inputs, outputs[0]),
  vjp: [(g, { inputs: [, x] }) => weighted(g, x), (g, { inputs: [w] }) => mul(g, w)],
};

/** w · x, and 0 where w is 0 whatever x is: what is infinite or NaN costs nothing where it has no weight. */
export const weighted = (w: Tensor, x: Tensor): Tensor => apply(weightedRow, [w, x], none)[0];
