/** The chained form of the ops: `x.mul(y)` is `mul(x, y)`. */

import { backward } from '../autograd/backward.ts';
import * as activations from '../ops/activations.ts';
import { atan2, pow, remainder } from '../ops/arithmetic.ts';
import * as comparison from '../ops/comparison.ts';
import * as conv from '../ops/conv.ts';
import { conv1d, convTranspose1d } from '../ops/conv1d.ts';
import { conv3d, convTranspose3d } from '../ops/conv3d.ts';
import * as elementwise from '../ops/elementwise.ts';
import { all, any, argmax, argmin, max, min } from '../ops/extrema.ts';
import { gridSample } from '../ops/gridSample.ts';
import { gather, indexSelect, scatterAdd, take } from '../ops/indexing.ts';
import { dot, outer } from '../ops/linalg.ts';
import { matmul } from '../ops/matmul.ts';
import * as movement from '../ops/movement.ts';
import { logSumExp, norm, std } from '../ops/norms.ts';
import { pad } from '../ops/pad.ts';
import * as pool from '../ops/pool.ts';
import * as reduce from '../ops/reduce.ts';
import { resizeBilinear, resizeNearest } from '../ops/resize.ts';
import { cumprod, cumsum, prod } from '../ops/scan.ts';
import * as shapes from '../ops/shapes.ts';
import { logSoftmax, softmax } from '../ops/softmax.ts';
import { argsort, sort, topk } from '../ops/sort.ts';
import * as unary from '../ops/unary.ts';
import type { Methods } from './methodTypes.ts';
import { Tensor } from './tensor.ts';

const { add, clone, sub, mul, div, maximum, minimum, neg, square, sqrt, rsqrt, exp, log, sign, abs } = elementwise;
const { tanh, sigmoid, relu, leakyRelu } = elementwise;
const { permute, reshape, slice, transpose } = movement;
const { sum, mean, variance, broadcastTo } = reduce;
const { conv2d, convTranspose2d } = conv;
const { expm1, log1p, reciprocal, sin, cos, tan, sinh, cosh, atan, erf, floor, ceil, round, clamp } = unary;
const { isNaN: isNan, isFinite: isFiniteNumber } = unary;
const { softplus, logSigmoid, elu, selu, silu, gelu, prelu, hardtanh, relu6 } = activations;
const { equal, notEqual, less, lessEqual, greater, greaterEqual } = comparison;
const { logicalAnd, logicalOr, logicalXor, logicalNot } = comparison;
const { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveMaxPool1d, adaptiveMaxPool2d } = pool;
const { avgPool1d, avgPool2d, globalAvgPool, maxPool1d, maxPool2d } = pool;

const { squeeze, unsqueeze, split, chunk, flip, tile, repeat, repeatInterleave, roll, diag, tril, triu } = shapes;
const { depthToSpace, spaceToDepth } = shapes;

const table = {
  ...{ squeeze, unsqueeze, split, chunk, pad, flip, tile, repeat, repeatInterleave, roll, diag, tril, triu },
  ...{ depthToSpace, spaceToDepth, gather, scatterAdd, take, indexSelect, all, any, argmax, argmin, max, min },
  ...{ std, norm, logSumExp, prod, cumsum, cumprod, argsort, sort, topk },
  ...{ expm1, log1p, reciprocal, sin, cos, tan, sinh, cosh, atan, erf, floor, ceil, round, clamp },
  ...{ isNaN: isNan, isFinite: isFiniteNumber, pow, atan2, remainder },
  ...{ softplus, logSigmoid, elu, selu, silu, gelu, prelu, hardtanh, relu6 },
  ...{ equal, notEqual, less, lessEqual, greater, greaterEqual, logicalAnd, logicalOr, logicalXor, logicalNot },
  ...{ add, clone, sub, mul, div, maximum, minimum, neg, square, sqrt, rsqrt, exp, log, sign, abs },
  ...{ tanh, sigmoid, relu, leakyRelu, permute, reshape, transpose, slice, sum, mean, variance, broadcastTo },
  ...{ matmul, conv2d, convTranspose2d, backward },
  ...{ conv1d, convTranspose1d, conv3d, convTranspose3d, gridSample, resizeBilinear, resizeNearest },
  ...{ adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveMaxPool1d, adaptiveMaxPool2d },
  ...{ avgPool1d, avgPool2d, globalAvgPool, maxPool1d, maxPool2d },
  ...{ softmax, logSoftmax, outer, dot },
};

type Table = typeof table;
type Rest<F> = F extends (x: Tensor, ...rest: infer R) => unknown ? R : never;
type Returned<F> = F extends (...args: never[]) => infer T ? T : never;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

/** The ops of the table that `Methods` does not declare, or declares with other parameters or another result. */
type Differing = {
  [K in keyof Table | keyof Methods]: K extends keyof Table & keyof Methods
    ? Same<[Rest<Table[K]>, Returned<Table[K]>], [Parameters<Methods[K]>, ReturnType<Methods[K]>]> extends true
      ? never
      : K
    : K;
}[keyof Table | keyof Methods];

/** Does not compile unless the table and `Methods` agree; the error names the op. */
void ({} satisfies Record<Differing, never>);

for (const [name, op] of Object.entries(table)) {
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: unknown[]) {
      return (op as (x: Tensor, ...rest: unknown[]) => Tensor)(this, ...rest);
    },
    writable: true,
    configurable: true,
  });
}

/** The names of the ops that are methods. */
export const methods: readonly string[] = Object.keys(table);
