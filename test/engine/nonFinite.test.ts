/**
 * NaN, infinities, zeros, huge and tiny numbers in one element of every input of every op: what comes out, forward and as first
 * gradients, is NaN, infinite and finite where float64 says so.
 *
 * Two differences are legitimate, both of float32 and only for ±1e30 and ±1e-30: a result in between may overflow, so that the
 * element is what it would be for ±Infinity (or not finite, if float64's is not finite for ±Infinity or beyond float32); or it may
 * be flushed to 0, so that the element is what it would be for ±0.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Device, Values } from '../../engine/device.ts';
import {
  compile,
  concat,
  full,
  grad,
  matmul,
  Rng,
  reshape,
  type Shape,
  scope,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import { gumbelMax } from '../../engine/ops/sampling.ts';
import { sizeOf } from '../../engine/tensor/shape.ts';
import type { KernelFamily } from '../../engine/webgpu/device.ts';
import { type Case, elementsOf } from '../support/builders.ts';
import { cases, compositions } from '../support/cases.ts';
import { on, openGpu, reference, withFamily } from '../support/devices.ts';
import { kernelsOf, PlanningDevice, planCase } from '../support/planning.ts';
import { cotangentsFor, listOf } from '../support/runCase.ts';
import { valuesFor } from '../support/values.ts';

const gpu = await openGpu();
/** The hardware family's matrix shaders take software adapters seconds each. */
const heavy = gpu.software ? ['matmul', 'conv2d', 'convTranspose2d', 'conv2dWeight'] : [];
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const SPECIAL = [nan, inf, -inf, 0, -0, 1e30, -1e30, 1e-30, -1e-30].map(Math.fround);
/**
 * Ops whose kernels add in another order than float64 does, and what may follow. `padding`: products with tiles have no branches,
 * so that pixels outside of the image are zeros that are multiplied, and 0 · Infinity is NaN: also elsewhere in a channel (the last
 * axis) that is not finite. `order`: where float64 meets Infinity - Infinity, a sum in another order may not, and the reverse.
 */
const LOOSE: Readonly<Record<string, 'padding' | 'order'>> = {
  conv2d: 'padding',
  convTranspose2d: 'padding',
  conv2dWeight: 'padding',
  conv1d: 'padding',
  convTranspose1d: 'padding',
  'depthwise conv2d': 'padding',
  'outputPadding of a stride and more, below the dilation': 'padding',
  batchNorm: 'order',
  instanceNorm: 'order',
  groupNorm: 'order',
  normGrad: 'order',
  'the gradient of groupNorm': 'order',
};
const LARGEST = 2 ** 128 * (1 - 2 ** -25); // what rounds to a float32
const MOST_ELEMENTS = 6000;

/** A special number in element `at` of input `input` of a case. */
interface Try {
  readonly input: number;
  readonly at: number;
  readonly value: number;
}

/** The outputs of a case and its first gradients, in one tensor. */
function outcome(c: Case, { input, at, value }: Try): { all: Tensor; shapes: readonly Shape[] } {
  const xs = c.inputs.map((own, k) => {
    const values = valuesFor(own, k);
    if (k === input) values[at] = value;
    return tensor(values, { shape: own.shape, requiresGrad: true });
  });
  const ys = listOf(c.fn(...xs));
  const differentiable = ys.filter((y) => y.requiresGrad && y.node);
  const gradients =
    differentiable.length > 0
      ? grad(differentiable, xs, { gradOutputs: cotangentsFor(differentiable), allowUnused: true })
      : [];
  const list = [...ys, ...gradients];
  const flat = list.map((t) => reshape(t.detach(), [-1]));
  return { all: concat(flat, 0), shapes: list.map((t) => t.shape) };
}

/** What several tries give, read at once. */
async function outcomes(device: Device, c: Case, tries: readonly Try[]) {
  return on(device, () =>
    scope(() => {
      const made = tries.map((t) => outcome(c, t));
      const values = concat(
        made.map(({ all }) => all),
        0,
      ).data();
      return values.then((v) => ({ values: v, shapes: made[0]!.shapes }));
    }),
  );
}

const kindOf = (x: number): string =>
  Number.isNaN(x) ? 'NaN' : x >= LARGEST ? 'Infinity' : x <= -LARGEST ? '-Infinity' : 'finite';

/** Whether a kernel may give `found` where float64 gives `right`, and `atLimit` for the limit of an extreme argument. */
function fits(found: number, right: number, atLimit: number | undefined, scale: number): boolean {
  const [f, r] = [kindOf(found), kindOf(right)];
  if (f === r) return f !== 'finite' || atLimit !== undefined || Math.abs(found - right) <= 1e-4 * scale;
  if (atLimit === undefined) return false;
  const limit = kindOf(atLimit);
  return f === limit || (f !== 'finite' && (r !== 'finite' || limit !== 'finite'));
}

/** The first element of a tensor that does not fit; `row` is its last axis. */
function firstFault(
  found: Values,
  right: Values,
  limits: Values | undefined,
  row: number,
  loose: 'padding' | 'order' | undefined,
): number | undefined {
  let scale = 0.1;
  const spoilt = new Set<number>();
  right.forEach((r, i) => {
    if (Number.isFinite(r)) scale = Math.max(scale, Math.abs(r));
    else spoilt.add(i % row);
  });
  for (const [i, r] of right.entries()) {
    const f = found[i]!;
    if (fits(f, r, limits?.[i], scale)) continue;
    if (loose === 'padding' && Number.isNaN(f) && spoilt.has(i % row)) continue;
    if (loose === 'order' && !Number.isFinite(f) && !Number.isFinite(r)) continue;
    return i;
  }
  return undefined;
}

const limitOf = (v: number): number => (Math.abs(v) > 1 ? Math.sign(v) * inf : Math.sign(v) * 0);

async function faultsOf(op: string, c: Case, family: KernelFamily): Promise<string[]> {
  const tries = c.inputs.flatMap(({ shape }, input) =>
    sizeOf(shape) === 0
      ? []
      : SPECIAL.map((value, k): Try => ({ input, at: (7 * k + 3 * input + 1) % sizeOf(shape), value })),
  );
  const { values: found, shapes } = await withFamily(gpu, family, () => outcomes(gpu, c, tries));
  const { values: right } = await outcomes(reference, c, tries);
  const isExtreme = ({ value }: Try) => value !== 0 && Number.isFinite(value);
  const limits = tries.filter(isExtreme).map((t) => ({ ...t, value: limitOf(t.value) }));
  const { values: atLimits } = await outcomes(reference, c, limits);
  assert.is(found.length, right.length);
  const faults: string[] = [];
  const width = right.length / tries.length;
  let extremes = 0;
  tries.forEach((t, k) => {
    const limit = isExtreme(t) ? extremes++ : undefined;
    let at = k * width;
    for (const [which, shape] of shapes.entries()) {
      const size = sizeOf(shape);
      const [mine, rights] = [found.subarray(at, at + size), right.subarray(at, at + size)];
      const limits = limit === undefined ? undefined : atLimits.subarray(at + (limit - k) * width);
      const bad = firstFault(mine, rights, limits, shape[shape.length - 1] ?? 1, LOOSE[op]);
      if (bad !== undefined) {
        const bounded = limits ? `, nor ${limits[bad]}` : '';
        faults.push(
          `${c.name}: ${t.value} as element ${t.at} of input ${t.input} makes element ${bad} of tensor ${which} ${mine[bad]}, not ${rights[bad]}${bounded}`,
        );
      }
      at += size;
    }
  });
  return faults;
}

/** The smallest cases of an op that launch each of its kernels; kernels that earlier calls saw are left out. */
function telling(list: readonly Case[], family: KernelFamily, seen: Set<string>): Case[] {
  let first = family === 'software';
  return [...list]
    .sort((a, b) => elementsOf(a) - elementsOf(b))
    .filter((c) => {
      if (elementsOf(c) === 0 || elementsOf(c) > MOST_ELEMENTS) return false;
      let fresh = first;
      first = false;
      const planning = new PlanningDevice([{ ...gpu.target, family }], (plan) => {
        for (const { source } of kernelsOf(plan)) {
          fresh ||= !seen.has(source);
          seen.add(source);
        }
      });
      planCase(planning, c, 1);
      return fresh;
    });
}

const seen = new Set<string>();
for (const family of ['software', 'hardware'] as const) {
  for (const [name, list] of Object.entries<readonly Case[]>({ ...cases, ...compositions })) {
    const chosen = family === 'hardware' && heavy.includes(name) ? [] : telling(list, family, seen);
    if (chosen.length === 0) continue;
    test(`${name}: ${family} kernels keep NaN, infinities and what is finite`, async () => {
      const faults = await Promise.all(chosen.map((c) => faultsOf(name, c, family)));
      assert.is(faults.flat().slice(0, 20).join('\n'), '');
    });
  }
}

const SHORTENABLE: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  'x - x + 1': (x) => x.sub(x).add(1),
  'y - y, y = exp(x)': (x) => {
    const y = x.exp();
    return y.sub(y);
  },
  'x² - x · x': (x) => x.square().sub(x.mul(x)),
  '-x + x': (x) => x.neg().add(x),
  '1/x · x': (x) => x.reciprocal().mul(x),
  'the square of √x': (x) => x.sqrt().square(),
  '√x · √x': (x) => {
    const y = x.sqrt();
    return y.mul(y);
  },
  '(x + 1) - x': (x) => x.add(1).sub(x),
  '|x| / |x|': (x) => x.abs().div(x.abs()),
  'behind a product: y - y + 1': (x) => {
    const y = matmul(x.reshape([6, 1]), full([1, 8], 1));
    return y.sub(y).add(1);
  },
};
for (const [name, fn] of Object.entries(SHORTENABLE)) {
  test(`a compiled step does not shorten ${name}: NaN and infinities are as in single ops`, async () => {
    const run = () => tensor([nan, inf, -inf, 0, -0, 3]);
    const single = await on(gpu, () => scope(() => fn(run()).data()));
    const step = compile(fn);
    const [first, second] = await Promise.all([1, 2].map(() => on(gpu, () => scope(() => step(run()).data()))));
    assert.equal([...first!].map(kindOf), [...single].map(kindOf));
    assert.equal([...second!].map(kindOf), [...single].map(kindOf));
    step.dispose();
  });
}

test('a draw from logits with a NaN, or from none above -Infinity, is NaN', async () => {
  const logits = [
    [0, nan, 1],
    [-inf, -inf, -inf],
    [-inf, 0, -inf],
    [0, 1, nan],
  ].flat();
  for (const device of [gpu, reference]) {
    const draw = () => gumbelMax(tensor(logits, { shape: [4, 3] }), new Rng(7).uniform([4, 3])).data();
    const drawn = await on(device, () => scope(draw));
    assert.equal([...drawn], [nan, nan, 1, nan], device.name);
  }
});

test.after(() => gpu.destroy());
test.run();
