/** The chained form of the ops: `x.mul(y)` is `mul(x, y)`. */

import { backward } from './backward.ts';
import * as conv from './ops/conv.ts';
import * as elementwise from './ops/elementwise.ts';
import { matmul } from './ops/matmul.ts';
import * as movement from './ops/movement.ts';
import * as reduce from './ops/reduce.ts';
import { Tensor } from './tensor.ts';

const { add, clone, sub, mul, div, maximum, minimum, neg, square, sqrt, rsqrt, exp, log, sign, abs } = elementwise;
const { tanh, sigmoid, relu, leakyRelu } = elementwise;
const { permute, reshape, slice, transpose } = movement;
const { sum, mean, variance, broadcastTo } = reduce;
const { conv2d, convTranspose2d } = conv;

const table = {
  ...{ add, clone, sub, mul, div, maximum, minimum, neg, square, sqrt, rsqrt, exp, log, sign, abs },
  ...{ tanh, sigmoid, relu, leakyRelu, permute, reshape, transpose, slice, sum, mean, variance, broadcastTo },
  ...{ matmul, conv2d, convTranspose2d, backward },
};

type Table = typeof table;

type Method<F> = F extends (x: Tensor, ...rest: infer R) => infer T ? (...rest: R) => T : never;

/** Each op whose first argument is a tensor, as a method of it. */
export type Methods = { [K in keyof Table]: Method<Table[K]> };

for (const [name, op] of Object.entries(table)) {
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: unknown[]) {
      return (op as (x: Tensor, ...rest: unknown[]) => Tensor)(this, ...rest);
    },
    writable: true,
    configurable: true,
  });
}
