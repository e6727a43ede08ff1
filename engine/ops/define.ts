/** How elementwise ops are made: a row from a WGSL expression, and the functions around it. */
import { elementwise } from '../../kernels/elementwise.ts';
import type { Elementwise } from '../../kernels/functions.ts';
import { op } from '../arguments/arguments.ts';
import { tensorLike } from '../arguments/kinds.ts';
import { apply } from '../autograd/apply.ts';
import type { Row, Rule } from '../autograd/row.ts';
import { withDevice } from '../device.ts';
import { scope } from '../tensor/scope.ts';
import { broadcastShapes } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { full } from './create.ts';

/** A tensor, or a number that stands for a scalar on the device of the op's other tensors. */
export type TensorLike = Tensor | number;

/** Two floats that an elementwise kernel takes as parameters. */
export interface Scalars {
  readonly s0?: number;
  readonly s1?: number;
}

const scalarsOf = ({ s0, s1 }: Scalars): number[] => [s0, s1].filter((s) => s !== undefined);

export type Vjp<N extends number> = NonNullable<Row<Scalars, N, 1>['vjp']>;

/**
 * The row of an elementwise function: an expression over T = f32 or vec4f in `a`, `b`, `c` (the inputs, broadcast) and
 * `p.s0`, `p.s1` (which a call gives always or never). Without `vjp` its results are cut off from the tape.
 */
export function row<N extends 1 | 2 | 3 | 4>(
  name: string,
  arity: N,
  expr: string,
  vjp: Vjp<N> | undefined,
  more: Partial<Row<Scalars, N, 1>> & { prelude?: string } = {},
): Row<Scalars, N, 1> {
  const { prelude, ...rest } = more;
  const e: Elementwise = { name, expr, arity, ...(prelude ? { prelude } : {}) };
  return {
    name,
    shape: (inputs) => [broadcastShapes(name, ...inputs)],
    elementwise: (params) => ({ e, scalars: scalarsOf(params) }),
    kernel: ({ inputs, outputs, params }) => elementwise(e, inputs, outputs[0], scalarsOf(params)),
    ...(vjp ? { vjp } : {}),
    ...rest,
  };
}

/** `value` as a tensor on the device of `others`, of which the first tensor counts. */
export function like(value: TensorLike, ...others: readonly TensorLike[]): Tensor {
  if (typeof value !== 'number') return value;
  const other = others.find((t) => typeof t !== 'number');
  return other ? withDevice(other.device, () => full([], value)) : full([], value);
}

/** An elementwise function of one tensor. */
export interface Unary {
  (x: TensorLike): Tensor;
  /** @internal */
  readonly row: Row<Scalars, 1, 1>;
}

/** An elementwise function of two tensors, which broadcast. */
export interface Binary {
  (a: TensorLike, b: TensorLike): Tensor;
  /** @internal */
  readonly row: Row<Scalars, 2, 1>;
}

const ONE = [tensorLike('x')] as const;
/** The arguments of functions of two tensors. */
export const TWO = [tensorLike('a'), tensorLike('b')] as const;

/** `rule`: null where the derivative is 0, undefined where there is none. */
export function unary(
  name: string,
  expr: string,
  rule: Rule<Scalars, 1, 1> | null | undefined,
  prelude?: string,
): Unary {
  const r = row(name, 1, expr, rule === undefined ? undefined : [rule], prelude ? { prelude } : {});
  return Object.assign(
    op(name, ONE, (x): Tensor => apply(r, [like(x)], {})[0]),
    { row: r },
  );
}

/** `scalar` answers the call when one side is a number and there is a cheaper way than a scalar tensor. */
export function binary(
  name: string,
  expr: string,
  vjp: readonly [Rule<Scalars, 2, 1> | null, Rule<Scalars, 2, 1> | null] | undefined,
  scalar?: ((a: TensorLike, b: TensorLike) => Tensor | undefined) | undefined,
  prelude?: string,
): Binary {
  const r = row(name, 2, expr, vjp, prelude ? { prelude } : {});
  return Object.assign(
    op(name, TWO, (a, b): Tensor => scalar?.(a, b) ?? scope(() => apply(r, [like(a, b), like(b, a)], {})[0])),
    { row: r },
  );
}
