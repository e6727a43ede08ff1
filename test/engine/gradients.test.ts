import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Row } from '../../engine/autograd/row.ts';
import {
  conv2d,
  type GradcheckError,
  type GradcheckOptions,
  grad,
  gradcheck,
  gradgradcheck,
  init,
  leakyRelu,
  maximum,
  minimum,
  scope,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import { fused, primitives, views } from '../../engine/ops/table.ts';
import { type Case, elementsOf } from '../support/builders.ts';
import { cases, compositions, type RowName } from '../support/cases.ts';
import { reference } from '../support/devices.ts';
import { cotangentsFor, gradientOfSquares, leavesOf, listOf, thirdOrderCases } from '../support/runCase.ts';
import { distance } from '../support/values.ts';

await init({ adapter: 'reference' });

const rows = { ...primitives, ...fused, ...views } as Record<RowName, Row<never>>;
const names = Object.keys(rows) as RowName[];
const differentiable = names.filter((n) => rows[n].vjp || rows[n].composite);

/** Central differences are exact to about 1e-9 relative here; a wrong rule is wrong by far more than this. */
const TIGHT = { atol: 1e-6, rtol: 1e-6 };
const FIRST = 130;
const SECOND = 50;

type Fn = (...xs: Tensor[]) => Tensor[];
const fnOf =
  (c: Case): Fn =>
  (...xs) => [...listOf(c.fn(...xs))];

/** The rows that ran when a case did, on the way forward. */
function rowsOf(c: Case): Set<string> {
  const seen = new Set<string>();
  scope(() => {
    const stack = [...listOf(c.fn(...leavesOf(c)))];
    for (let t = stack.pop(); t; t = stack.pop()) {
      if (!t.node) continue;
      seen.add(t.node.row.name);
      stack.push(...t.node.inputs);
    }
  });
  return seen;
}

test('every case of a differentiable row runs that row', () => {
  for (const name of differentiable) {
    for (const c of cases[name]) assert.ok(rowsOf(c).has(name), `${name}: ${c.name} does not run ${name}`);
  }
});

for (const name of differentiable) {
  const first = cases[name].filter((c) => elementsOf(c) <= FIRST);
  const second = first.filter((c) => elementsOf(c) <= SECOND);
  const { vjp } = rows[name];
  const flat = Array.isArray(vjp) && vjp.every((rule) => rule === null);
  test(`${name}: gradient and second gradient against central differences`, async () => {
    assert.ok(second.filter((c) => elementsOf(c) > 1).length >= 2, `${name} needs two small cases`);
    for (const c of first) await checked(c, gradcheck, { checkForwardAd: elementsOf(c) <= SECOND });
    // A gradient that is 0 everywhere has nothing to check.
    if (!flat) for (const c of second) await checked(c, gradgradcheck);
  });
}

for (const [name, list] of Object.entries(compositions)) {
  test(`${name}, composed: gradient and second gradient against central differences`, async () => {
    const smooth = list.filter((c) => elementsOf(c) > 0 && listOf(c.fn(...leavesOf(c))).some((y) => y.requiresGrad));
    for (const c of smooth.filter((c) => elementsOf(c) <= FIRST)) await checked(c, gradcheck);
    for (const c of smooth.filter((c) => elementsOf(c) <= SECOND)) await checked(c, gradgradcheck);
  });
}

async function checked(c: Case, check: typeof gradcheck, more: GradcheckOptions = {}): Promise<void> {
  const inputs = leavesOf(c);
  try {
    await check(fnOf(c), inputs, { ...TIGHT, ...more });
  } catch (error) {
    throw new Error(`${c.name}: ${(error as GradcheckError).message}`);
  } finally {
    for (const t of inputs) t.dispose();
  }
}

/** Ops of every kind to third order: elementwise, kinked, linear, normalising, selecting. */
const THIRD = [
  ...[
    'tanh',
    'sigmoid',
    'exp',
    'sqrt',
    'mul',
    'div',
    'pow',
    'maximum',
    'leakyRelu',
    'softplus',
    'gelu',
    'elu',
    'prelu',
  ],
  ...['sum', 'variance', 'prod', 'cumprod', 'logSumExp', 'norm', 'sort', 'slice', 'gather', 'pad'],
  ...[
    'matmul',
    'einsum',
    'cholesky',
    'qr',
    'eigh',
    'conv2d',
    'convTranspose2d',
    'conv2dWeight',
    'conv3d',
    'conv3dWeight',
  ],
  ...['maxPool2d', 'avgPool2d', 'resizeBilinear', 'resizeNearest', 'gridSample'],
  ...['softmax', 'logSoftmax', 'batchNorm', 'layerNorm', 'groupNorm', 'scaledDotProductAttention', 'crossEntropy'],
];

for (const name of THIRD) {
  test(`${name}: third gradient`, async () => {
    const small = thirdOrderCases({ ...compositions, ...cases }[name] ?? []);
    assert.ok(small.length > 0, `${name} has no small case`);
    for (const c of small) await gradgradcheck(gradientOfSquares(c), leavesOf(c), { atol: 1e-5, rtol: 1e-5 });
  });
}

test('gradcheck checks a function that differentiates inside, as a gradient penalty does', async () => {
  const penalty: Fn = (x, w) => {
    const y = leakyRelu(conv2d(x, w), 0.2).square().sum();
    const [slope] = grad(y, [x], { createGraph: true });
    return [slope!.square().sum().sqrt().sub(1).square()];
  };
  const x = tensor([0.3, -1.2, 2, 0.7], { shape: [1, 2, 2, 1] });
  const w = tensor([1.5, -0.4], { shape: [1, 2, 1, 1] });
  await gradcheck(penalty, [x, w], TIGHT);
  await gradgradcheck(penalty, [x, w], { atol: 1e-5, rtol: 1e-5 });
});

/** Values, gradients and second gradients of a function, flat, in one list. */
function orders(fn: Fn, c: Case): Float64Array[] {
  return scope(() => {
    const xs = leavesOf(c);
    const ys = fn(...xs);
    const weights = cotangentsFor(ys);
    const options = { createGraph: true, allowUnused: true };
    const g = grad(ys, xs, { gradOutputs: weights, ...options });
    const connected = g.filter((t) => t.node);
    const gg = connected.length > 0 ? grad(connected, xs, { gradOutputs: cotangentsFor(connected), ...options }) : [];
    return [...ys, ...g, ...gg].map((t) => reference.values(t.storage).slice());
  });
}

for (const name of Object.keys(fused) as (keyof typeof fused)[]) {
  test(`${name} equals its composition in value, gradient and second gradient`, () => {
    for (const c of cases[name].filter((c) => elementsOf(c) < 2000)) {
      const whole = orders(fnOf(c), c);
      const composed = withComposite(name, () => orders(fnOf(c), c));
      assert.is(whole.length, composed.length, c.name);
      whole.forEach((values, i) => {
        const d = distance(values, composed[i]!, 1);
        assert.ok(d < 1e-10, `${c.name}: tensor ${i} differs by ${d}`);
      });
    }
  });
}

/** Runs `fn` while a row is differentiated through its composition instead of by its own rule. */
function withComposite<T>(name: keyof typeof fused, fn: () => T): T {
  const row = rows[name] as { vjp?: unknown };
  const before = row.vjp;
  delete row.vjp;
  try {
    return fn();
  } finally {
    if (before) row.vjp = before;
  }
}

test('at kinks the derivatives are those that the documentation names', async () => {
  const at = async (f: (x: Tensor) => Tensor, x = 0) => {
    const leaf = tensor([x], { requiresGrad: true });
    return (await grad(f(leaf).sum(), [leaf])[0]!.data())[0];
  };
  assert.is(await at((x) => x.relu()), 0);
  assert.is(await at((x) => x.abs()), 0);
  assert.is(await at((x) => leakyRelu(x, 0.2)), 0.2);
  assert.is(await at((x) => x.sign().add(x.mul(0))), 0);
  assert.is(await at((x) => maximum(x, tensor([0]))), 0.5);
  assert.is(await at((x) => minimum(x, tensor([0]))), 0.5);
  assert.is(await at((x) => x.sqrt()), Number.POSITIVE_INFINITY);
});

test('gradcheck finds a wrong rule, and says where', async () => {
  const row = primitives.tanh as { vjp?: unknown };
  const right = row.vjp;
  row.vjp = [(g: Tensor) => g];
  try {
    await gradcheck((x) => x.tanh(), [tensor([0.01, 1], { label: 'x' })]);
    assert.unreachable('a wrong rule passed');
  } catch (error) {
    assert.is((error as Error).name, 'GradcheckError');
    assert.match(
      (error as Error).message,
      /^gradcheck: output 0 \[2\], element 1, with respect to x \[2\], element 1: analytic 1, numeric 0.41997/,
    );
  } finally {
    row.vjp = right;
  }
});

test.run();
