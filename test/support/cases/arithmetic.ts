/** Cases of engine/ops/arithmetic.ts. */
import { atan2, pow, remainder, tensor } from '../../../engine/index.ts';
import {
  type arithmeticRows,
  atan2Grad,
  powBase,
  powLog,
  powScalar,
  powScalarGrad,
} from '../../../engine/ops/arithmetic.ts';
import { binary, type CasesOf, FEW, positive, unary } from '../builders.ts';
import { ternary } from './unary.ts';

const apart = { away: 0.3 };

export const arithmeticCases: CasesOf<typeof arithmeticRows> = {
  pow: [
    ...binary(pow, positive, {}, FEW),
    ...unary((x) => pow(x, tensor([2, 3, -1, 0, 1])), apart, [[5]]),
    ...unary((x) => pow(2, x), {}, [[17]]),
  ],
  powBase: ternary(powBase, {}, positive),
  powLog: ternary(powLog, {}, positive),
  powScalar: [
    ...unary((x) => powScalar(x, 3)),
    ...unary((x) => powScalar(x, -2), apart, [[17]]),
    ...unary((x) => powScalar(x, 0).add(powScalar(x, 3)), {}, [[5]]),
    ...unary((x) => powScalar(x, 2.5), positive, [[17]]),
    ...unary((x) => powScalar(x, -0.7), positive, [[2, 3]]),
  ],
  powScalarGrad: [
    ...binary((g, x) => powScalarGrad(g, x, 3), {}, {}, FEW),
    ...binary((g, x) => powScalarGrad(g, x, 1), {}, {}, ['equal']),
    ...binary((g, x) => powScalarGrad(g, x, 1.3), {}, positive, ['equal']),
  ],
  atan2: binary(atan2, apart, apart, FEW),
  atan2Grad: ternary((g, y, x) => atan2Grad(g, y, x, -1.5), {}, apart, apart),
  remainder: [
    ...binary(remainder, { from: 0.1, to: 0.5 }, { from: 0.6, to: 2 }, FEW),
    ...unary((x) => remainder(x, 0.75), { from: -9, to: 9 }, [[17], [33, 65]]),
    ...unary((x) => remainder(x, -0.75), { from: -9, to: 9 }, [[17]]),
    ...unary((x) => remainder(7.3, x), { from: 0.75, to: 1.7 }, [[5], [17]]),
  ],
};
