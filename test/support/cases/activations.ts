/** Cases of engine/ops/activations.ts. */
import { elu, gelu, hardtanh, logSigmoid, prelu, relu6, selu, silu, softplus } from '../../../engine/index.ts';
import {
  type activationRows,
  eluGrad,
  geluGrad,
  hardtanhGrad,
  preluGrad,
  siluGrad,
  softplusGrad,
} from '../../../engine/ops/activations.ts';
import { binary, type Case, type CasesOf, exact, FEW, kink, unary } from '../builders.ts';
import { ternary } from './unary.ts';

const wide = { from: -4, to: 4 };

export const activationCases: CasesOf<typeof activationRows> = {
  softplus: [
    ...unary((x) => softplus(x)),
    ...unary((x) => softplus(x, { beta: 2 }), {}, [[17]]),
    // A low threshold makes a jump, which these values stay away from.
    ...unary((x) => softplus(x, { threshold: 0 }), kink, [[17]]),
  ],
  softplusGrad: [
    ...binary((g, x) => softplusGrad(g, x, { s0: 1.5, s1: 20 }), {}, {}, FEW),
    ...binary((g, x) => softplusGrad(g, x, { s0: 1.5, s1: 0 }), {}, kink, ['equal']),
  ],
  logSigmoid: unary(logSigmoid, wide),
  elu: [
    ...unary((x) => elu(x), kink),
    ...unary((x) => elu(x, 0.5), kink, [[17]]),
    ...unary(selu, kink, [[17], [2, 3, 5]]),
  ],
  eluGrad: binary((g, x) => eluGrad(g, x, { s0: 0.5, s1: 1.5 }), {}, kink, FEW),
  silu: unary(silu, wide),
  siluGrad: binary(siluGrad, {}, wide, FEW),
  gelu: unary((x) => gelu(x), wide),
  geluGrad: binary(geluGrad, {}, wide, FEW),
  prelu: binary(prelu, kink, {}, [...FEW, 'row of vectors']),
  preluGrad: ternary(preluGrad, {}, kink),
  hardtanh: [
    ...exact(unary((x) => hardtanh(x))),
    ...exact(unary(relu6, { from: -3, to: 9, ...kink }, [[17], [33, 65]])),
  ],
  hardtanhGrad: binary((g, x) => hardtanhGrad(g, x, { s0: -1, s1: 1 }), {}, {}, FEW),
};

export const activationCompositions: Readonly<Record<string, readonly Case[]>> = {
  'gelu with tanh': unary((x) => gelu(x, { approximate: 'tanh' }), wide, [[], [0], [17], [33, 65]]),
};
