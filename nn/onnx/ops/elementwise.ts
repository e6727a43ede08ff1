/** Elementwise ops, and those of comparison and choice. True is 1.0, as in the engine. */
import type { Graph } from '../graph.ts';
import type { Attributes } from '../program.ts';
import { DataType } from '../proto.ts';
import { elementwise, type Mapping } from './mapping.ts';

type Emit = (g: Graph, x: string, a: Attributes) => string;

const unary = (emit: Emit): Mapping => elementwise((g, [x], a) => emit(g, x!, a));
const same = (opType: string): Mapping => elementwise((g, names) => g.node(opType, names));
const float = (g: Graph, condition: string): string => g.node('Cast', [condition], { to: DataType.FLOAT });
const compare = (opType: string): Mapping => elementwise((g, names) => float(g, g.node(opType, names)));

/** A value as a boolean: everything but 0, NaN too. */
const truth = (g: Graph, x: string): string => g.node('Not', [g.node('Equal', [x, g.scalar(0)])]);
const logical = (opType: string): Mapping =>
  elementwise((g, names) =>
    float(
      g,
      g.node(
        opType,
        names.map((x) => truth(g, x)),
      ),
    ),
  );

const clip: Emit = (g, x, a) => {
  const [low, high] = [a.number('s0'), a.number('s1')];
  const bound = (v: number) => (Number.isFinite(v) ? g.scalar(v) : '');
  if (!Number.isFinite(low) && !Number.isFinite(high)) return g.node('Identity', [x]);
  return g.node('Clip', Number.isFinite(high) ? [x, bound(low), bound(high)] : [x, bound(low)]);
};

const affine: Emit = (g, x, a) => {
  const [scale, shift] = [a.number('s0'), a.number('s1')];
  if (scale === -1 && shift === 0) return g.node('Neg', [x]);
  const scaled = scale === 1 ? x : g.node('Mul', [x, g.scalar(scale)]);
  if (shift !== 0) return g.node('Add', [scaled, g.scalar(shift)]);
  return scaled === x ? g.node('Identity', [x]) : scaled;
};

/** From this value of beta · x on, log(1 + exp(x)) is x in float32. */
const SATURATED = 17;

const softplus: Emit = (g, x, a) => {
  const [beta, threshold] = [a.number('s0'), a.number('s1')];
  const scaled = beta === 1 ? x : g.node('Mul', [x, g.scalar(beta)]);
  const soft = g.node('Softplus', [scaled]);
  const y = beta === 1 ? soft : g.node('Div', [soft, g.scalar(beta)]);
  if (threshold >= SATURATED) return y;
  return g.node('Where', [g.node('Greater', [scaled, g.scalar(threshold)]), x, y]);
};

const gelu: Emit = (g, x) => {
  const erf = g.node('Erf', [g.node('Mul', [x, g.scalar(Math.SQRT1_2)])]);
  return g.node('Mul', [g.node('Mul', [x, g.scalar(0.5)]), g.node('Add', [erf, g.scalar(1)])]);
};

const finite = (g: Graph, x: string): string =>
  g.node('Not', [g.node('Or', [g.node('IsNaN', [x]), g.node('IsInf', [x])])]);

const remainder = elementwise((g, [a, b]) => {
  const whole = g.node('Floor', [g.node('Div', [a!, b!])]);
  return g.node('Sub', [a!, g.node('Mul', [b!, whole])]);
});

/** The inverse tangent of y / x, and half a turn more where x < 0; 0 at the origin. */
const atan2 = elementwise((g, [y, x]) => {
  const zero = g.scalar(0);
  const half = g.node('Where', [g.node('Less', [y!, zero]), g.scalar(-Math.PI), g.scalar(Math.PI)]);
  const turn = g.node('Where', [g.node('Less', [x!, zero]), half, zero]);
  const angle = g.node('Add', [g.node('Atan', [g.node('Div', [y!, x!])]), turn]);
  const atOrigin = g.node('And', [g.node('Equal', [y!, zero]), g.node('Equal', [x!, zero])]);
  return g.node('Where', [atOrigin, zero, angle]);
});

const prelu = elementwise((g, [x, w]) => {
  // PRelu broadcasts one way only; the weight may be the larger one here.
  const positive = g.node('Greater', [x!, g.scalar(0)]);
  return g.node('Where', [positive, x!, g.node('Mul', [x!, w!])]);
});

const preluOfShape: Mapping = (c) => {
  const [x, w] = c.inputs;
  const fits = x!.rank === c.shape.length && w!.shape.every((d, i) => d === 1 || d === x!.shape[x!.rank - w!.rank + i]);
  return fits ? same('PRelu')(c) : prelu(c);
};

const absPow: Emit = (g, x, a) => {
  const power = g.node('Pow', [g.node('Abs', [x]), g.scalar(a.number('s0'))]);
  return g.node('Where', [g.node('Equal', [x, g.scalar(0)]), g.scalar(a.number('s0') === 0 ? 1 : 0), power]);
};

/** The mappings of elementwise ops, by the name of the engine's op. */
export const elementwiseMappings: Readonly<Record<string, Mapping>> = {
  affine: unary(affine),
  divScalar: unary((g, x, a) => g.node('Div', [x, g.scalar(a.number('s0'))])),
  add: same('Add'),
  sub: same('Sub'),
  mul: same('Mul'),
  div: same('Div'),
  maximum: same('Max'),
  minimum: same('Min'),
  pow: same('Pow'),
  powScalar: unary((g, x, a) => g.node('Pow', [x, g.scalar(a.number('s0'))])),
  atan2,
  remainder,
  scaledDifference: elementwise((g, [x, mean, scale]) => g.node('Mul', [g.node('Sub', [x!, mean!]), scale!])),
  standardize: elementwise((g, [x, mean, scale, shift]) =>
    g.node('Add', [g.node('Mul', [g.node('Sub', [x!, mean!]), scale!]), shift!]),
  ),
  neg: same('Neg'),
  square: unary((g, x) => g.node('Mul', [x, x])),
  sqrt: same('Sqrt'),
  rsqrt: unary((g, x) => g.node('Reciprocal', [g.node('Sqrt', [x])])),
  reciprocal: same('Reciprocal'),
  exp: same('Exp'),
  expm1: unary((g, x) => g.node('Sub', [g.node('Exp', [x]), g.scalar(1)])),
  log: same('Log'),
  log1p: unary((g, x) => g.node('Log', [g.node('Add', [x, g.scalar(1)])])),
  sign: same('Sign'),
  abs: same('Abs'),
  sin: same('Sin'),
  cos: same('Cos'),
  tan: same('Tan'),
  sinh: same('Sinh'),
  cosh: same('Cosh'),
  atan: same('Atan'),
  erf: same('Erf'),
  floor: same('Floor'),
  ceil: same('Ceil'),
  round: same('Round'),
  logOrNone: same('Log'),
  root: same('Sqrt'),
  absPow: unary(absPow),
  powerScale: unary((g, x, a) => {
    // Any number of that size would do.
    const one = g.scalar(1);
    const small = g.node('And', [
      g.node('Less', [x, g.scalar(2 ** -a.number('s0'))]),
      g.node('Greater', [x, g.scalar(0)]),
    ]);
    const large = g.node('And', [
      g.node('Greater', [x, g.scalar(2 ** a.number('s0'))]),
      g.node('Not', [g.node('IsInf', [x])]),
    ]);
    return g.node('Where', [g.node('Or', [small, large]), x, one]);
  }),
  isNaN: compare('IsNaN'),
  isFinite: unary((g, x) => float(g, finite(g, x))),
  finiteOrZero: unary((g, x) => g.node('Where', [finite(g, x), x, g.scalar(0)])),
  clamp: unary(clip),
  tanh: same('Tanh'),
  sigmoid: same('Sigmoid'),
  relu: same('Relu'),
  leakyRelu: unary((g, x, a) => g.node('LeakyRelu', [x], { alpha: a.number('s0') })),
  prelu: preluOfShape,
  elu: unary((g, x, a) => {
    const [alpha, gamma] = [a.number('s0'), a.number('s1')];
    return gamma === 1 ? g.node('Elu', [x], { alpha }) : g.node('Selu', [x], { alpha, gamma });
  }),
  silu: unary((g, x) => g.node('Mul', [x, g.node('Sigmoid', [x])])),
  gelu: unary(gelu),
  softplus: unary(softplus),
  logSigmoid: unary((g, x) => g.node('Neg', [g.node('Softplus', [g.node('Neg', [x])])])),
  hardtanh: unary(clip),
  equal: compare('Equal'),
  notEqual: elementwise((g, names) => float(g, g.node('Not', [g.node('Equal', names)]))),
  less: compare('Less'),
  lessEqual: compare('LessOrEqual'),
  greater: compare('Greater'),
  greaterEqual: compare('GreaterOrEqual'),
  logicalAnd: logical('And'),
  logicalOr: logical('Or'),
  logicalXor: logical('Xor'),
  logicalNot: elementwise((g, [x]) => float(g, g.node('Equal', [x!, g.scalar(0)]))),
  hide: elementwise((g, [x, seen]) => {
    const other = g.node('Where', [
      g.node('Equal', [seen!, g.scalar(0)]),
      g.scalar(Number.NEGATIVE_INFINITY),
      g.scalar(Number.NaN),
    ]);
    return g.node('Where', [g.node('Equal', [seen!, g.scalar(1)]), x!, other]);
  }),
  where: elementwise((g, [condition, a, b]) => g.node('Where', [truth(g, condition!), a!, b!])),
};
