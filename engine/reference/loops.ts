/** One plain float64 loop for each primitive: what every kernel and every derivative is held against. */
import type { primitives } from '../ops/table.ts';
import { conv } from './conv.ts';
import { create } from './create.ts';
import { elementwise } from './elementwise.ts';
import type { LoopsOf } from './loop.ts';
import { matmul } from './matmul.ts';
import { movement } from './movement.ts';
import { optim } from './optim.ts';
import { reduce } from './reduce.ts';

export const loops: LoopsOf<typeof primitives> = {
  ...elementwise,
  ...movement,
  ...reduce,
  ...matmul,
  ...conv,
  ...create,
  ...optim,
};
