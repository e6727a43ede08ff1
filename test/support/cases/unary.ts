/** Cases of engine/ops/unary.ts. */
import {
  atan,
  ceil,
  clamp,
  cos,
  cosh,
  erf,
  expm1,
  floor,
  isFinite as isFiniteOp,
  isNaN as isNaNOp,
  log1p,
  reciprocal,
  round,
  sin,
  sinh,
  type Tensor,
  tan,
} from '../../../engine/index.ts';
import { atanGrad, clampGrad, erfGrad, mul3, mulSine, tanGrad, type unaryRows } from '../../../engine/ops/unary.ts';
import { show } from '../../../engine/tensor/shape.ts';
import { binary, type Case, type CasesOf, exact, FEW, type Range2, unary } from '../builders.ts';

const apart = { away: 0.2 };

/** Cases of a function of three tensors. */
export const ternary = (fn: (a: Tensor, b: Tensor, c: Tensor) => Tensor, ...ranges: readonly Range2[]): Case[] =>
  [
    [[5], [5], [5]],
    [[], [], []],
    [[0], [1], [0]],
    [[2, 3], [3], [2, 1]],
    [
      [1, 8],
      [3, 1],
      [3, 8],
    ],
    [[33, 65], [65], []],
  ].map((shapes) => ({
    name: shapes.map(show).join(' '),
    inputs: shapes.map((shape, i) => ({ shape, ...ranges[i] })),
    fn: (a, b, c) => fn(a, b, c),
  }));

export const unaryCases: CasesOf<typeof unaryRows> = {
  mul3: ternary((a, b, c) => mul3(a, b, c, -1.5)),
  expm1: unary(expm1),
  log1p: unary(log1p, { from: -0.8, to: 2 }),
  reciprocal: unary(reciprocal, apart),
  sin: [...unary(sin), ...unary(sin, { from: -500, to: 500 }, [[17]])],
  cos: [...unary(cos), ...unary(cos, { from: -500, to: 500 }, [[17]])],
  mulSine: [0, 1, 2, 3].flatMap((quarter) =>
    binary((g, x) => mulSine(g, x, quarter), {}, {}, quarter === 1 ? FEW : ['equal']).map((c) => ({
      ...c,
      name: `${c.name}, quarter ${quarter}`,
    })),
  ),
  tan: unary(tan, { from: -1.2, to: 1.2 }),
  tanGrad: binary(tanGrad, {}, {}, FEW),
  sinh: unary(sinh),
  cosh: unary(cosh),
  atan: unary(atan, { from: -4, to: 4 }),
  atanGrad: binary(atanGrad, {}, {}, FEW),
  erf: unary(erf, { from: -3, to: 3 }),
  erfGrad: binary(erfGrad, {}, {}, FEW),
  floor: exact(unary(floor)),
  ceil: exact(unary(ceil)),
  round: exact(unary(round)),
  isNaN: exact(unary(isNaNOp)),
  isFinite: exact(unary(isFiniteOp)),
  clamp: [
    ...exact(unary((x) => clamp(x, -0.5, 1.25))),
    ...exact(unary((x) => clamp(x, 0.125), {}, [[5]])),
    ...exact(unary((x) => clamp(x, null, 0.125), {}, [[5]])),
  ],
  clampGrad: binary((g, x) => clampGrad(g, x, -0.5, 1.25), {}, {}, FEW),
};
