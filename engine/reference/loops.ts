/** One plain float64 loop for each primitive: what every kernel and every derivative is held against. */
import type { primitives } from '../ops/table.ts';
import { activations } from './activations.ts';
import { aggregates } from './aggregates.ts';
import { arithmetic } from './arithmetic.ts';
import { cholesky } from './cholesky.ts';
import { comparison } from './comparison.ts';
import { conv } from './conv.ts';
import { conv3d } from './conv3d.ts';
import { create } from './create.ts';
import { elementwise } from './elementwise.ts';
import { grid } from './gridSample.ts';
import { heads } from './heads.ts';
import { indexing } from './indexing.ts';
import type { LoopsOf } from './loop.ts';
import { matmul } from './matmul.ts';
import { movement } from './movement.ts';
import { optim } from './optim.ts';
import { qrEigh } from './qrEigh.ts';
import { randint } from './randint.ts';
import { reduce } from './reduce.ts';
import { sampling } from './sampling.ts';
import { shapes } from './shapes.ts';
import { unary } from './unary.ts';
import { pool, resampled } from './window.ts';

export const loops: LoopsOf<typeof primitives> = {
  ...elementwise,
  ...unary,
  ...activations,
  ...arithmetic,
  ...comparison,
  ...movement,
  ...reduce,
  ...matmul,
  ...conv,
  ...conv3d,
  ...pool,
  ...resampled,
  ...grid,
  ...create,
  ...optim,
  ...shapes,
  ...indexing,
  ...aggregates,
  ...heads,
  ...sampling,
  ...randint,
  ...cholesky,
  ...qrEigh,
};
