import type { comparisonRows } from '../ops/comparison.ts';
import type { LoopsOf } from './loop.ts';
import { map1, map2, map3 } from './maps.ts';

const when = (f: (a: number, b: number) => boolean) => map2((a, b) => (f(a, b) ? 1 : 0));
const on = (x: number): boolean => x !== 0;

export const comparison: LoopsOf<typeof comparisonRows> = {
  equal: when((a, b) => a === b),
  notEqual: when((a, b) => a !== b),
  less: when((a, b) => a < b),
  lessEqual: when((a, b) => a <= b),
  greater: when((a, b) => a > b),
  greaterEqual: when((a, b) => a >= b),
  logicalAnd: when((a, b) => on(a) && on(b)),
  logicalOr: when((a, b) => on(a) || on(b)),
  logicalXor: when((a, b) => on(a) !== on(b)),
  logicalNot: map1((x) => (on(x) ? 0 : 1)),
  mask: map2((g, condition, wanted) => (on(condition) === on(wanted) ? g : 0)),
  where: map3((condition, a, b) => (on(condition) ? a : b)),
};
