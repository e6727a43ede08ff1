/** The op table: every row, by name. Fused rows are also compositions of the others; primitives are not. */
import { fillRow, normalRow, uniformRow } from './create.ts';
import * as e from './elementwise.ts';
import * as linear from './linear.ts';
import * as movement from './movement.ts';
import { batchNorm, layerNorm, normGradRow } from './norm.ts';
import { adamRow, emaRow, runningStatsRow } from './optim.ts';
import { broadcastTo, mean, sum } from './reduce.ts';

/** Rows that each device must run itself. */
export const primitives = {
  affine: e.affine.row,
  add: e.add.row,
  sub: e.sub.row,
  mul: e.mul.row,
  div: e.div.row,
  maximum: e.maximum.row,
  minimum: e.minimum.row,
  greaterShare: e.greaterShare.row,
  neg: e.neg.row,
  square: e.square.row,
  sqrt: e.sqrt.row,
  rsqrt: e.rsqrt.row,
  exp: e.exp.row,
  log: e.log.row,
  sign: e.sign.row,
  abs: e.abs.row,
  tanh: e.tanh.row,
  tanhGrad: e.tanhGrad.row,
  sigmoid: e.sigmoid.row,
  sigmoidGrad: e.sigmoidGrad.row,
  gate: e.gate.row,
  relu: e.relu.row,
  leakyRelu: e.leakyRelu.row,
  transpose: movement.transpose.row,
  slice: movement.slice.row,
  unslice: movement.unslice.row,
  concat: movement.concat.row,
  broadcastTo: broadcastTo.row,
  sum: sum.row,
  mean: mean.row,
  matmul: linear.matmul.row,
  conv2d: linear.conv2d.row,
  convTranspose2d: linear.convTranspose2d.row,
  conv2dWeight: linear.conv2dWeight.row,
  fill: fillRow,
  uniform: uniformRow,
  normal: normalRow,
  adam: adamRow,
  ema: emaRow,
  runningStats: runningStatsRow,
} as const;

/** Rows that equal a composition of others, with a kernel of their own. */
export const fused = {
  batchNorm: batchNorm.row,
  layerNorm: layerNorm.row,
  normGrad: normGradRow,
} as const;

/** Rows that only rename memory. */
export const views = { reshape: movement.reshape.row } as const;

export type Primitive = keyof typeof primitives;
