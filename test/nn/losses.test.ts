/**
 * The losses of nn/losses against PyTorch, by way of the fixtures that test/fixtures/makeFixtures.py wrote with it, and against
 * central differences to second order; their shapes, options, memory and compiled form.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  compile,
  concat,
  grad,
  gradcheck,
  gradgradcheck,
  init,
  memory,
  ones,
  reference,
  scope,
  type Tensor,
  tensor,
  zeros,
} from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
import * as losses from '../../nn/losses/index.ts';
import { on, openGpu } from '../support/devices.ts';
import { apart, type Fixture, readFixtures, runFixture, titleOf } from '../support/fixtures.ts';
import type { Op } from '../support/pytorchOps.ts';

const test = suite('losses');
await init({ adapter: 'reference' });
const fixtures = readFixtures('nnLosses');

/** In units of the largest magnitude in a tensor, or of 1. */
const TOLERANCE = 1e-11;

type Loss = (...given: unknown[]) => Tensor;

/** Losses that are ops of the engine; test/engine/pytorch.test.ts holds them to PyTorch. */
const OF_THE_ENGINE = ['binaryCrossEntropy', 'binaryCrossEntropyWithLogits', 'crossEntropy', 'nllLoss'];

const opOf = (name: string): Op => {
  const loss = (losses as unknown as Record<string, Loss>)[name]!;
  // A third tensor of multiMarginLoss is the weight.
  if (name !== 'multiMarginLoss') return (xs, args) => loss(...xs, ...args);
  return ([x, t, weight], [options]) => loss(x, t, weight ? { weight, ...(options as object) } : options);
};

function errorsOf(fixture: Fixture): string[] {
  const errors: string[] = [];
  const check = (part: string, found: Tensor, wanted: Parameters<typeof apart>[1]): void => {
    const error = apart(reference.values(found.storage), wanted);
    if (!(error <= TOLERANCE)) errors.push(`${part} is off by ${error}`);
  };
  runFixture(fixture, opOf(fixture.op), ({ outputs: [y], grads, seconds }) => {
    assert.equal(y!.shape, fixture.outputs[0]!.shape);
    check('output', y!, fixture.outputs[0]!.values);
    grads.forEach((g, i) => void check(`gradient ${i}`, g, fixture.grads![i]!));
    seconds.forEach((g, i) => void check(`second derivative ${i}`, g, fixture.seconds![i]!));
  });
  return errors;
}

/** A fixture's loss as a function of what is differentiated in it. */
async function check(fixture: Fixture): Promise<void> {
  const all = fixture.inputs.map((i) => {
    if (typeof i === 'number') throw new Error('a loss takes tensors');
    return tensor(Float64Array.from(i.values, Number), { shape: i.shape, requiresGrad: !i.fixed });
  });
  const fn = (...xs: Tensor[]) => {
    let at = 0;
    const inputs = all.map((t) => (t.requiresGrad ? xs[at++]! : t));
    return opOf(fixture.op)(inputs, fixture.args ?? []) as Tensor;
  };
  const leaves = all.filter((t) => t.requiresGrad);
  await gradcheck(fn, leaves, { fast: true });
  await gradgradcheck(fn, leaves, { fast: true });
  for (const t of all) t.dispose();
}

for (const op of new Set(fixtures.map((f) => f.op))) {
  const list = fixtures.filter((f) => f.op === op);
  test(`${op}: values, gradients and second derivatives of ${list.length} fixtures`, () => {
    for (const f of list) assert.equal(errorsOf(f), [], titleOf(f));
  });
  test(`${op}: gradcheck and gradgradcheck`, async () => {
    // A kink has no difference quotient.
    for (const f of list.filter((f) => f.cotangents && f.name !== 'of equals')) await check(f);
  });
}

/** The losses that are modules too, and the functions that they are. */
const MODULES: Readonly<Record<string, string>> = {
  MSELoss: 'mseLoss',
  L1Loss: 'l1Loss',
  SmoothL1Loss: 'smoothL1Loss',
  HuberLoss: 'huberLoss',
  PoissonNLLLoss: 'poissonNllLoss',
  GaussianNLLLoss: 'gaussianNllLoss',
  BCELoss: 'binaryCrossEntropy',
  BCEWithLogitsLoss: 'binaryCrossEntropyWithLogits',
  CrossEntropyLoss: 'crossEntropy',
  NLLLoss: 'nllLoss',
  KLDivLoss: 'klDiv',
  MultiMarginLoss: 'multiMarginLoss',
  CosineEmbeddingLoss: 'cosineEmbeddingLoss',
  TripletMarginLoss: 'tripletMarginLoss',
  CosineSimilarity: 'cosineSimilarity',
};
type LossClass = new (options?: object) => nn.Loss<Tensor[]>;
const classOf = (name: string): LossClass => (nn as unknown as Record<string, LossClass>)[name]!;

const made = ({ shape, values }: Exclude<Fixture['inputs'][number], number>): Tensor =>
  tensor(Float64Array.from(values, Number), { shape });

/** What a fixture hands to the constructor, and to `forward`: a third tensor of some is a weight. */
function callOf({ op, args = [], inputs }: Fixture): [options: object, xs: Tensor[]] {
  const { weight, ...options } = (args[0] ?? {}) as { readonly weight?: boolean };
  const xs = inputs.map((i) => made(i as Exclude<typeof i, number>));
  const hasWeight = [...OF_THE_ENGINE, 'multiMarginLoss'].includes(op) && xs.length > 2;
  if (!hasWeight) return [options, xs];
  const name = op === 'binaryCrossEntropyWithLogits' && !weight ? 'posWeight' : 'weight';
  return [{ ...options, [name]: xs.pop()! }, xs];
}

for (const [name, op] of Object.entries(MODULES)) {
  const list = [...fixtures, ...readFixtures()].filter((f) => f.op === op);
  test(`${name} is ${op}, and PyTorch's of its name, in ${list.length} fixtures`, () => {
    assert.ok(list.length > 0);
    for (const f of list) {
      scope(() => {
        const [options, xs] = callOf(f);
        const fn = (losses as unknown as Record<string, Loss>)[op]!;
        const module = new (classOf(name))(options);
        const [y, of] = [module.forward(...xs), fn(...xs, options)];
        assert.is(`${reference.values(y.storage)}`, `${reference.values(of.storage)}`, titleOf(f));
        assert.equal(y.shape, f.outputs[0]!.shape);
        const error = apart(reference.values(y.storage), f.outputs[0]!.values);
        assert.ok(error <= TOLERANCE, `${titleOf(f)} is off by ${error}`);
        module.dispose();
      });
    }
  });
}

test('every loss of PyTorch that is a function here is a module too', () => {
  const modules = Object.entries(nn).filter(([, v]) => typeof v === 'function' && v.prototype instanceof nn.Loss);
  assert.equal(modules.map(([name]) => name).sort(), Object.keys(MODULES).sort());
  const without = ['gaussianKl', 'gaussianKlBetween']; // PyTorch has no class of them
  assert.equal([...Object.values(MODULES), ...without].sort(), Object.keys(losses).sort());
});

test('a loss that is a module says its options, and keeps, saves, copies and frees its weights', async () => {
  assert.is(String(new nn.MSELoss()), 'MSELoss()');
  assert.is(String(new nn.HuberLoss({ delta: 2, reduction: 'sum' })), 'HuberLoss(delta 2, reduction sum)');
  const before = memory().tensors;
  const given = tensor([1, 2, 3], { requiresGrad: true });
  const logits = tensor([
    [1, 0, -1],
    [0, 2, 0],
  ]).requireGrad();
  const targets = tensor([2, 1]);
  const criterion = scope(() => new nn.CrossEntropyLoss({ weight: given, ignoreIndex: 1 }));
  assert.is(String(criterion), 'CrossEntropyLoss(weight [3], ignoreIndex 1)');
  assert.equal([...criterion.stateDict().keys()], ['weight']);
  assert.is(criterion.parameters().length, 0);
  const value = (c: nn.CrossEntropyLoss) => scope(() => c.forward(logits, targets).item());
  const wanted = await scope(() => losses.crossEntropy(logits, targets, { weight: given, ignoreIndex: 1 }).item());
  assert.is(await value(criterion), wanted);
  const copy = criterion.copy();
  given.dispose();
  criterion.weight!.assign([9, 9, 9]);
  assert.is(await value(copy), wanted, 'of the copy');
  criterion.loadStateDict(copy.stateDict());
  assert.is(await value(criterion), wanted, 'restored');
  const two = tensor([2]);
  const binary = new nn.BCEWithLogitsLoss({ posWeight: two });
  assert.equal([...(await nn.toPyTorch(binary)).keys()], ['pos_weight']);
  for (const d of [criterion, copy, binary, two, logits, targets]) d.dispose();
  assert.is(memory().tensors, before);
});

test('every loss has fixtures', () => {
  const held = [...new Set(fixtures.map((f) => f.op)), ...OF_THE_ENGINE];
  assert.equal(held.sort(), Object.keys(losses).sort());
});

test('shapes that do not fit are named, with the rule and what to do', () => {
  const throws = (fn: () => unknown, message: RegExp) =>
    assert.throws(
      () => scope(() => void fn()),
      (e: Error) => e.name === 'ShapeError' && message.test(e.message),
    );
  const [a, b] = [zeros([3, 1]), zeros([3])];
  const wanted = /the target \[3\] must have the shape \[3,1\] of the input; losses do not broadcast: reshape it/;
  for (const loss of [losses.mseLoss, losses.l1Loss, losses.smoothL1Loss, losses.huberLoss, losses.klDiv]) {
    throws(() => loss(a, b), wanted);
    throws(() => loss(a, b), new RegExp(`^${loss.name}: `));
  }
  throws(() => losses.poissonNllLoss(a, b), wanted);
  throws(
    () => losses.gaussianNllLoss(a, a, zeros([2])),
    /the variance \[2\] must be \[3,1\] as the input, \[3,1\] or \[3\]/,
  );
  throws(() => losses.gaussianKl(a, b), /gaussianKl: logVar \[3\] must have the shape \[3,1\] of the mean/);
  throws(() => losses.gaussianKl(zeros([]), zeros([])), /'batchmean' divides by the first axis, and a scalar has none/);
  throws(() => losses.gaussianKlBetween(a, a, a, b), /priorLogVar \[3\] must have the shape/);
  throws(() => losses.multiMarginLoss(a, zeros([2])), /targets \[2\] for scores \[3,1\] must be indices \[3\]/);
  throws(() => losses.multiMarginLoss(a, b, { weight: zeros([3]) }), /weight \[3\] must be \[1\]/);
  throws(() => losses.cosineEmbeddingLoss(a, a, a), /y \[3,1\] for vectors \[3,1\] must be \[3\], 1 or -1/);
  throws(() => losses.tripletMarginLoss(a, a, b), /the negative \[3\] must have the shape \[3,1\] of the anchor/);
  a.dispose();
  b.dispose();
});

test('options that do not fit are named', () => {
  scope(() => {
    const a = zeros([2]);
    const throws = (fn: () => unknown, type: string, message: RegExp) =>
      assert.throws(fn, (e: Error) => e.name === type && message.test(e.message));
    throws(() => losses.mseLoss(a, a, { reduce: 'sum' } as never), 'TypeError', /there is no option reduce/);
    const batch = { reduction: 'batchmean' } as never;
    throws(
      () => losses.mseLoss(a, a, batch),
      'TypeError',
      /reduction must be 'mean', 'sum' or 'none', not "batchmean"/,
    );
    throws(
      () => losses.klDiv(a, a, { reduction: 'avg' } as never),
      'TypeError',
      /'mean', 'batchmean', 'sum' or 'none'/,
    );
    throws(() => losses.huberLoss(a, a, { delta: 0 }), 'RangeError', /delta must be a number above 0, not 0/);
    throws(() => losses.smoothL1Loss(a, a, { beta: -1 }), 'RangeError', /beta must be a number, 0 or more, not -1/);
    throws(() => losses.multiMarginLoss(zeros([2, 3]), a, { p: 3 as never }), 'RangeError', /p must be 1 or 2, not 3/);
  });
});

test('zeros, equal vectors and impossible targets give no NaN', () => {
  scope(() => {
    const values = (t: Tensor) => Array.from(reference.values(t.storage));
    const zero = zeros([1, 3]).requireGrad();
    const other = ones([1, 3]).requireGrad();
    const cosine = losses.cosineSimilarity(zero, other);
    assert.equal(values(cosine), [0]);
    for (const g of grad(cosine.sum(), [zero, other])) assert.ok(values(g).every(Number.isFinite), `${values(g)}`);
    const bare = losses.cosineSimilarity(zero, other, { eps: 0 });
    assert.equal(values(bare), [0]);
    for (const g of grad(bare.sum(), [zero, other])) assert.ok(values(g).every(Number.isFinite), `${values(g)}`);
    const same = losses.tripletMarginLoss(other, other, other);
    assert.equal(values(same), [1]);
    assert.ok(values(grad(same, [other])[0]!).every(Number.isFinite));
    const target = tensor([0, 1], { requiresGrad: true });
    const input = tensor([-1, -2], { requiresGrad: true });
    const kl = losses.klDiv(input, target, { reduction: 'sum' });
    assert.equal(values(kl), [2]);
    for (const g of grad(kl, [input, target])) assert.ok(values(g).every(Number.isFinite));
    // An impossible class without weight: its terms are 0, whichever way the target is given.
    const never = Number.NEGATIVE_INFINITY;
    const likely = tensor([never, 0], { requiresGrad: true });
    for (const [of, logTarget] of [
      [[0, 1], false],
      [[never, 0], true],
    ] as const) {
      const weights = tensor(of, { requiresGrad: true });
      const loss = losses.klDiv(likely, weights, { logTarget, reduction: 'sum' });
      assert.equal(values(loss), [0]);
      const [byInput, byTarget] = grad(loss, [likely, weights]);
      assert.equal(values(byInput!), [-0, -1]);
      assert.ok(values(byTarget!).every(Number.isFinite), `${values(byTarget!)}`);
    }
  });
});

test('losses leave no tensors behind; on WebGPU, at once and compiled, they are those of the reference device', async () => {
  const loss = (a: Tensor, b: Tensor) =>
    scope(() =>
      losses
        .smoothL1Loss(a, b)
        .add(losses.huberLoss(a, b, { delta: 0.3 }))
        .add(losses.klDiv(a, b, { reduction: 'batchmean' }))
        .add(losses.gaussianKl(a, b))
        .add(losses.gaussianKlBetween(a, b, b, a))
        .add(losses.poissonNllLoss(a, b, { full: true }))
        .add(losses.gaussianNllLoss(a, b, b))
        .add(losses.multiMarginLoss(a, tensor([2, 0]), { p: 2 }))
        .add(losses.cosineEmbeddingLoss(a, b, tensor([1, -1])))
        .add(losses.binaryCrossEntropy(a.sigmoid(), b.clamp(0, 1)))
        .add(losses.nllLoss(a.logSoftmax(), tensor([2, 0]), { ignoreIndex: 2 }))
        .add(losses.tripletMarginLoss(a, b, a, { swap: true, p: 1 })),
    );
  const gpu = await openGpu();
  const found: Record<string, readonly number[]> = {};
  for (const device of [reference, gpu]) {
    const before = on(device, memory).tensors;
    const x = tensor([0.5, -1, 2, 0.25, 1, -0.5], { shape: [2, 3], device, requiresGrad: true });
    const y = tensor([0, 1.25, 1, 0.5, 0.75, 2], { shape: [2, 3], device });
    const held = on(device, memory).tensors;
    const step = (b: Tensor) =>
      scope(() => {
        const l = loss(x, b);
        const [g] = grad(l, [x]);
        return concat([l.detach().reshape([1]), g!.reshape([6])]);
      });
    const run = on(device, () => compile(step));
    const results = on(device, () => [step(y), run(y), run(y)]);
    assert.is(on(device, memory).tensors, held + 3);
    for (const [i, t] of results.entries()) found[`${device.kind} ${i}`] = Array.from(await t.data());
    for (const t of [...results, x, y]) t.dispose();
    assert.is(on(device, memory).tensors, before);
  }
  const right = found['reference 0']!;
  assert.is(Object.keys(found).length, 6);
  for (const [name, values] of Object.entries(found)) {
    const error = apart(values, right);
    assert.ok(error <= (name.startsWith('webgpu') ? 1e-5 : 0), `${name} is off by ${error}: ${values}, not ${right}`);
  }
  gpu.destroy();
});

test.run();
