/** The fixtures that test/fixtures/optim.py wrote, and what tests of optimizers and schedules share. */
import * as assert from 'uvu/assert';
import { type Tensor, tensor } from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../../nn/io/safetensors.ts';
import json from '../fixtures/optim/optim.json' with { type: 'json' };

type Options = Readonly<Record<string, unknown>>;

interface OptimizerFixture {
  readonly kind: string;
  readonly options: Options;
  /** What the second group has instead. */
  readonly second: Options;
  /** All parameters after each step of `steps`. */
  readonly shown: readonly (readonly number[])[];
  /** The same where some parameters have no gradient in some steps, as `missing` says. */
  readonly skipping: readonly (readonly number[])[];
}

export type ScheduleSpec = readonly [kind: string, options: Options];

interface ScheduleFixture {
  readonly optimizer: string;
  readonly schedules: readonly ScheduleSpec[];
  /** Of both groups, at epochs 0 to 30. */
  readonly lrs: readonly (readonly number[])[];
  readonly momenta?: readonly (readonly number[])[];
}

interface ClipFixture {
  readonly limit: number;
  readonly clipped: readonly number[];
  readonly total?: number;
  readonly normType?: number | string;
}

export const fixture = json as unknown as {
  readonly shapes: readonly (readonly number[])[];
  readonly parameters: readonly number[];
  /** Of each step, those of all parameters. */
  readonly gradients: readonly (readonly number[])[];
  readonly steps: readonly number[];
  /** Of each step of `skipping`, the parameters without a gradient. */
  readonly missing: readonly (readonly number[])[];
  readonly optimizers: readonly OptimizerFixture[];
  readonly schedules: readonly ScheduleFixture[];
  readonly norms: readonly ClipFixture[];
  readonly values: readonly ClipFixture[];
};

/** The optimizers by name, as callers who do not know which one they make. */
export const optimizers = nn as unknown as Readonly<
  Record<string, new (parameters: unknown, options?: Options) => AnyOptimizer>
>;
export type AnyOptimizer = nn.Optimizer<nn.LearningRate>;

/** Tensors of the fixture's shapes, of numbers one behind another. */
export function shaped(values: readonly number[]): Tensor[] {
  let at = 0;
  return fixture.shapes.map((shape) => {
    const size = shape.reduce((n, d) => n * d, 1);
    at += size;
    return tensor(values.slice(at - size, at), { shape });
  });
}

export const parametersOf = (values = fixture.parameters): nn.Parameter[] =>
  shaped(values).map((t, i) => new nn.Parameter(t, `p${i}`));

/** The optimizer of a fixture on fresh parameters, in two groups. */
export function made({ kind, options, second }: Omit<OptimizerFixture, 'shown' | 'skipping'>) {
  const parameters = parametersOf();
  const groups = [{ params: parameters.slice(0, 2) }, { params: parameters.slice(2), ...second }];
  const optimizer = new optimizers[kind]!(groups, options);
  return {
    parameters,
    optimizer,
    dispose: () => {
      for (const t of [optimizer, ...parameters]) t.dispose();
    },
  };
}

/** Overwrites parameters with numbers one behind another. */
export function assign(parameters: readonly Tensor[], values: readonly number[]): void {
  let at = 0;
  for (const p of parameters) {
    p.assign(values.slice(at, at + p.size));
    at += p.size;
  }
}

/** The values of tensors one behind another. */
export const valuesOf = async (tensors: readonly Tensor[]): Promise<number[]> =>
  (await Promise.all(tensors.map((t) => t.data()))).flatMap((v) => [...v]);

/** Within `tolerance` of each wanted number. */
export function close(found: readonly number[], wanted: readonly number[], what: string, tolerance = 1e-12): void {
  assert.is(found.length, wanted.length, what);
  found.forEach((v, i) => {
    const error = Math.abs(v - wanted[i]!) / Math.max(Math.abs(wanted[i]!), Number.MIN_VALUE);
    assert.ok(v === wanted[i] || error <= tolerance, `${what}, number ${i}: ${v}, wanted ${wanted[i]}`);
  });
}

/** A state as a file has it: tensors by safetensors, numbers as text. */
export async function throughFile(
  state: ReadonlyMap<string, Tensor | number>,
): Promise<Map<string, StoredTensor | number>> {
  const tensors = new Map<string, StoredTensor>();
  const numbers: Record<string, string> = {};
  for (const [name, v] of state) {
    if (typeof v === 'number') numbers[name] = JSON.stringify(v);
    else tensors.set(name, { shape: v.shape, data: await v.data() });
  }
  const back = decodeSafetensors(encodeSafetensors(tensors, numbers));
  return new Map<string, StoredTensor | number>([
    ...back.tensors,
    ...Object.entries(back.metadata).map(([name, text]): [string, number] => [name, JSON.parse(text) as number]),
  ]);
}
