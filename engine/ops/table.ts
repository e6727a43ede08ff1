/** The op table: every row, by name. Fused rows are also compositions of the others; primitives are not. */
import { convRows } from './conv.ts';
import { createRows } from './create.ts';
import { elementwiseRows } from './elementwise.ts';
import { matmulRows } from './matmul.ts';
import { movementRows, reshape } from './movement.ts';
import { normRows } from './norm.ts';
import { optimRows } from './optim.ts';
import { reduceRows } from './reduce.ts';

/** Rows that each device must run itself. */
export const primitives = {
  ...elementwiseRows,
  ...movementRows,
  ...reduceRows,
  ...matmulRows,
  ...convRows,
  ...createRows,
  ...optimRows,
};

/** Rows that equal a composition of others, with a kernel of their own. */
export const fused = { ...normRows };

/** Rows that only rename memory. */
export const views = { reshape: reshape.row };

export type Primitive = keyof typeof primitives;
