/** Cases of engine/ops/comparison.ts. Both sides of a comparison take few values, so that ties occur. */
import {
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  notEqual,
  type Tensor,
  tensor,
  where,
} from '../../../engine/index.ts';
import { type comparisonRows, mask } from '../../../engine/ops/comparison.ts';
import { binary, type Case, type CasesOf, exact, FEW, type Op2, unary } from '../builders.ts';
import { ternary } from './unary.ts';

/** -1, 0 or 1, as a tensor that is off the tape. */
const coarse = (x: Tensor): Tensor => x.mul(0.75).detach().round();
const compared = (fn: Op2): Case[] => exact(binary((a, b) => fn(coarse(a), coarse(b)), {}, {}, FEW));
const parity = (x: Tensor): Tensor =>
  tensor(
    Array.from({ length: x.size }, (_, i) => (i % 3) - 1),
    { shape: x.shape },
  );

export const comparisonCases: CasesOf<typeof comparisonRows> = {
  equal: compared(equal),
  notEqual: compared(notEqual),
  less: compared(less),
  lessEqual: compared(lessEqual),
  greater: compared(greater),
  greaterEqual: compared(greaterEqual),
  logicalAnd: compared(logicalAnd),
  logicalOr: compared(logicalOr),
  logicalXor: compared(logicalXor),
  logicalNot: exact(unary((x) => logicalNot(coarse(x)))),
  mask: [
    ...exact(binary((g, c) => mask(g, parity(c), true), {}, {}, FEW)),
    ...exact(binary((g, c) => mask(g, parity(c), false), {}, {}, ['equal'])),
  ],
  where: [
    ...exact(ternary((c, a, b) => where(parity(c), a, b))),
    ...exact(unary((x) => where(less(x, 0.5), x, 0.5), {}, [[17]])),
    ...exact(unary((x) => where(less(x, 0.5), 2, x), {}, [[17]])),
  ],
};

export const comparisonCompositions: Readonly<Record<string, readonly Case[]>> = {
  'where with a comparison': binary((a, b) => where(greater(a, b), a.mul(b), a.square()), {}, {}, FEW),
};
