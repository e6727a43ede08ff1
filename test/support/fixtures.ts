/** The fixtures that test/fixtures/makeFixtures.py wrote, and the same calls on the reference device. */
import { readdirSync, readFileSync } from 'node:fs';
import { grad, mul, reference, type Shape, scope, sum, type Tensor, tensor, withDevice } from '../../engine/index.ts';
import type { Op } from './pytorchOps.ts';

/** A double; JSON has no number for 'NaN', 'Infinity' and '-Infinity'. */
type Value = number | string;

interface Values {
  readonly shape: Shape;
  readonly values: readonly Value[];
}

interface FixtureInput extends Values {
  /** No gradient is taken in it. */
  readonly fixed?: true;
}

/** Values in the shape of what they belong to; 0 for zeros everywhere. */
type Derivative = readonly Value[] | 0;

export interface Fixture {
  readonly op: string;
  readonly name?: string;
  /** What the op's function gets behind its tensors. */
  readonly args?: readonly unknown[];
  /** A plain number is passed on as one. */
  readonly inputs: readonly (FixtureInput | number)[];
  readonly outputs: readonly Values[];
  /** For each output; null where PyTorch sends no gradient through it. Absent: through none. */
  readonly cotangents?: readonly (readonly Value[] | null)[];
  /** For each input that is not fixed: the gradient, and the weights with which gradients add up to one number. */
  readonly grads?: readonly Derivative[];
  readonly weights?: readonly (readonly Value[])[];
  /** The derivatives of that number by the same inputs, and then by the cotangents. */
  readonly seconds?: readonly Derivative[];
}

/** The fixtures of all families in a folder. @param path of it, in test/fixtures/ */
export function readFixtures(path = '.'): readonly Fixture[] {
  const folder = new URL(`../fixtures/${path}/`, import.meta.url);
  const files = readdirSync(folder)
    .filter((f) => f.endsWith('.json'))
    .sort();
  return files.flatMap(
    (f) => (JSON.parse(readFileSync(new URL(f, folder), 'utf8')) as { readonly cases: Fixture[] }).cases,
  );
}

export const titleOf = ({ op, name = '', args = [], inputs }: Fixture): string =>
  `${op}(${inputs.map((i) => (typeof i === 'number' ? i : `[${i.shape}]`)).join(', ')}) ${JSON.stringify(args)} ${name}`;

/** What wgrad makes of a fixture, in the fixture's order. */
export interface Found {
  readonly outputs: readonly Tensor[];
  readonly grads: readonly Tensor[];
  readonly seconds: readonly Tensor[];
}

const made = (shape: Shape, values: readonly Value[], requiresGrad: boolean): Tensor =>
  tensor(Float64Array.from(values, Number), { shape, requiresGrad });

/** Runs a fixture's op and its derivatives, and hands them to `see` before they are freed. */
export function runFixture(fixture: Fixture, op: Op, see: (found: Found) => void): void {
  withDevice(reference, () =>
    scope(() => {
      const inputs = fixture.inputs.map((i) => (typeof i === 'number' ? i : made(i.shape, i.values, !i.fixed)));
      const result = op(inputs, fixture.args ?? []);
      const outputs = 'shape' in result ? [result] : [...result];
      const { cotangents = [], weights = [] } = fixture;
      const flowing = outputs.flatMap((y, i) => (cotangents[i] ? [{ y, g: made(y.shape, cotangents[i], true) }] : []));
      if (flowing.length === 0) return see({ outputs, grads: [], seconds: [] });
      const leaves = inputs.filter((t): t is Tensor => typeof t !== 'number' && t.requiresGrad);
      const gs = flowing.map(({ g }) => g);
      const grads = grad(
        flowing.map(({ y }) => y),
        leaves,
        { gradOutputs: gs, createGraph: true, allowUnused: true },
      );
      const weighted = grads.map((g, i) => sum(mul(g, made(g.shape, weights[i]!, false))));
      const seconds = grad(weighted, [...leaves, ...gs], { allowUnused: true });
      see({ outputs, grads, seconds });
    }),
  );
}

/**
 * How far values are from those wanted, in units of the largest one's magnitude, or of 1 if all are smaller. NaN and
 * infinities must be the same.
 */
export function apart(found: ArrayLike<number>, wanted: Derivative): number {
  const numbers = wanted === 0 ? new Array<number>(found.length).fill(0) : wanted.map(Number);
  if (found.length !== numbers.length) return Number.POSITIVE_INFINITY;
  const scale = numbers.reduce((s, v) => (Number.isFinite(v) ? Math.max(s, Math.abs(v)) : s), 1);
  const errors = numbers.map((v, i) => {
    if (Number.isFinite(v) && Number.isFinite(found[i]!)) return Math.abs(found[i]! - v) / scale;
    return Object.is(found[i], v) ? 0 : Number.POSITIVE_INFINITY;
  });
  return errors.reduce((a, b) => Math.max(a, b), 0);
}
