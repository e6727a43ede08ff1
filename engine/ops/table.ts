/** The op table: every row, by name. Fused rows are also compositions of the others; primitives are not. */

import { activationRows } from './activations.ts';
import { arithmeticRows } from './arithmetic.ts';
import { attentionRows } from './attention.ts';
import { binaryLossFused, binaryLossRows } from './binaryLosses.ts';
import { choleskyRows } from './cholesky.ts';
import { comparisonRows } from './comparison.ts';
import { convRows } from './conv.ts';
import { conv3dRows } from './conv3d.ts';
import { createRows } from './create.ts';
import { elementwiseRows } from './elementwise.ts';
import { extremaRows } from './extrema.ts';
import { gridRows } from './gridSample.ts';
import { groupNormFused, groupNormRows } from './groupNorm.ts';
import { indexingRows } from './indexing.ts';
import { lossRows } from './losses.ts';
import { matmulRows } from './matmul.ts';
import { movementRows, movementViews } from './movement.ts';
import { normRows } from './normalization.ts';
import { normsFused, normsRows } from './norms.ts';
import { optimRows } from './optim.ts';
import { poolRows } from './pool.ts';
import { qrEighRows } from './qrEigh.ts';
import { randintRows } from './randint.ts';
import { reduceFused, reduceRows } from './reduce.ts';
import { resampleRows } from './resample.ts';
import { samplingRows } from './sampling.ts';
import { scanRows } from './scan.ts';
import { shapesRows } from './shapes.ts';
import { softmaxFused, softmaxRows } from './softmax.ts';
import { sortRows } from './sort.ts';
import { unaryRows } from './unary.ts';

/** Rows that each device must run itself. */
export const primitives = {
  ...elementwiseRows,
  ...unaryRows,
  ...activationRows,
  ...arithmeticRows,
  ...comparisonRows,
  ...movementRows,
  ...reduceRows,
  ...matmulRows,
  ...convRows,
  ...conv3dRows,
  ...poolRows,
  ...resampleRows,
  ...gridRows,
  ...createRows,
  ...optimRows,
  ...shapesRows,
  ...indexingRows,
  ...scanRows,
  ...extremaRows,
  ...sortRows,
  ...normsRows,
  ...softmaxRows,
  ...lossRows,
  ...binaryLossRows,
  ...attentionRows,
  ...groupNormRows,
  ...samplingRows,
  ...randintRows,
  ...choleskyRows,
  ...qrEighRows,
};

/** Rows that equal a composition of others, with a kernel of their own. */
export const fused = {
  ...normRows,
  ...normsFused,
  ...reduceFused,
  ...softmaxFused,
  ...binaryLossFused,
  ...groupNormFused,
};

/** Rows that only rename memory. */
export const views = { ...movementViews };

export type Primitive = keyof typeof primitives;
