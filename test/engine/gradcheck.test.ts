/** What gradcheck finds, and how it says so. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as engine from '../../engine/index.ts';
import {
  customOp,
  GradcheckError,
  type GradcheckOptions,
  gradcheck,
  gradgradcheck,
  init,
  matmul,
  Rng,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import { initGpu, reference } from '../support/devices.ts';

const test = suite('gradcheck');
await init({ adapter: 'reference' });
const rng = new Rng(5);
const [a, b] = [rng.normal([3, 4]), rng.normal([4, 2])];
a.label = 'a';

async function refused(promise: Promise<unknown>, message: RegExp): Promise<void> {
  try {
    await promise;
  } catch (error) {
    assert.instance(error, GradcheckError);
    return assert.match((error as Error).message, message);
  }
  assert.unreachable('it passed');
}

/** a b with one element of the gradient of a off by 1 %: a sum over all elements hardly shows it. */
const almost = customOp({
  name: 'almost',
  forward: (a, b) => matmul(a, b),
  vjp: [
    (g, { inputs: [, b] }) => {
      const off = tensor(
        Array.from({ length: 12 }, (_, i) => (i === 7 ? 1.01 : 1)),
        { shape: [3, 4] },
      );
      return matmul(g, b!, { transposeB: true }).mul(off);
    },
    (g, { inputs: [a] }) => matmul(a!, g, { transposeA: true }),
  ],
});

for (const options of [{}, { fast: true }] as GradcheckOptions[]) {
  const mode = options.fast ? 'fast' : 'slow';
  test(`a right rule passes, ${mode}`, async () => {
    const product = (x?: Tensor, y?: Tensor) => matmul(x!, y!).square();
    assert.ok((await gradcheck(product, [a, b], options)) < 1e-7);
    assert.ok((await gradgradcheck(product, [a, b], options)) < 1e-7);
    assert.ok((await gradcheck(product, [a, b], { ...options, checkForwardAd: true })) < 1e-7);
  });
  test(`one wrong element is named, with both numbers, ${mode}`, () =>
    refused(
      gradcheck(almost, [a, b], options),
      /^gradcheck: output 0 \[3,2\], element 2, with respect to a \[3,4\], element 7: analytic -?[\d.]+, numeric -?[\d.]+ \(difference [\d.e-]+, allowed [\d.e-]+\)\nthe op whose derivative is wrong: almost of \[3,4\] and \[4,2\]$/,
    ));
  test(`a gradient that is cut off is found at second order, ${mode}`, () => {
    const cut = customOp({
      name: 'cut',
      forward: (x) => x.square(),
      vjp: [(g, { inputs: [x] }) => g.mul(x!.detach()).mul(2)],
    });
    return gradcheck(cut, [a], options).then(() =>
      refused(
        gradgradcheck(cut, [a], options),
        /^gradgradcheck: .* with respect to a \[3,4\], element 0: analytic 0, numeric .*\nthe op whose derivative is wrong: cut of \[3,4\]$/,
      ),
    );
  });
  test(`an output that is cut off is found, ${mode}`, () =>
    refused(
      gradcheck((x) => [x.square(), x.exp().detach()], [a], options),
      /output 1 \[3,4\], element 0, with respect to a \[3,4\], element 0: analytic 0, numeric/,
    ));
}

test('small Jacobians are shown, and the op at fault is named among others', () => {
  const wrong = customOp({
    name: 'wrong',
    forward: (x) => x.square(),
    vjp: [(g, { inputs: [x] }) => g.mul(x!).mul(3)],
  });
  return refused(
    gradcheck((x) => wrong(x.mul(2)).exp().sum(), [tensor([0.25, 0.5], { label: 'x' })]),
    new RegExp(
      [
        /^gradcheck: output 0 \[\], element 0, with respect to x \[2\], element 0: analytic 3.85\d*, numeric 2.56\d* \(.*\)/,
        /analytic, a row for each element of the output:\n {2}3.85208 16.3097\nnumeric:\n {2}2.56805 10.8731/,
        /the op whose derivative is wrong: wrong of \[2\]$/,
      ]
        .map((r) => r.source)
        .join('\\n'),
    ),
  );
});

test('slips are told in words', async () => {
  // biome-ignore lint/suspicious/noExplicitAny: calls as JavaScript makes them, without types
  const check = gradcheck as any;
  const said = (call: () => Promise<unknown>) =>
    call().then(
      () => 'passed',
      (e: Error) => `${e.name}: ${e.message}`,
    );
  const x = tensor([1, 2]);
  assert.match(
    await said(() => check((t: Tensor) => t.exp(), x)),
    /^TypeError: gradcheck: the inputs are a list of tensors, as in gradcheck\(f, \[x\]\), not a Tensor \[2\]/,
  );
  assert.match(
    await said(() => check(x, [x])),
    /^TypeError: gradcheck: the first argument is a function of tensors, not a Tensor/,
  );
  assert.match(
    await said(() => check(() => 3, [x])),
    /^TypeError: gradcheck: the function must return a tensor, or a list of them, not 3/,
  );
  assert.match(await said(() => check(() => [], [x])), /must return a tensor, or a list of them, not \[\]/);
  assert.match(
    await said(() => check(async (t: Tensor) => t.exp(), [x])),
    /^TypeError: gradcheck: the function returned a promise/,
  );
  // biome-ignore lint/suspicious/noExplicitAny: calls as JavaScript makes them, without types
  const second = gradgradcheck as any;
  assert.match(await said(() => second((t: Tensor) => t.exp(), x)), /^TypeError: gradgradcheck: the inputs are a list/);
  assert.match(await said(() => second(() => 3, [x])), /^TypeError: gradgradcheck: the function must return/);
  // biome-ignore lint/suspicious/noExplicitAny: calls as JavaScript makes them, without types
  const e = engine as any;
  const f = (t: Tensor) => t.square().sum();
  const slips: [() => unknown, RegExp][] = [
    [() => e.jvp(f, x, x), /^jvp: inputs must be a list such as \[a, b\], not a Tensor \[2\]/],
    [() => e.jvp(f, [x], x), /^jvp: tangents must be a list such as \[a, b\], not a Tensor \[2\]/],
    [() => e.jvp(f, [x], [3]), /^jvp: number 0 of tangents must be a tensor, not 3/],
    [() => e.jvp(f, [x], [x, x]), /^jvp: 2 tangents for 1 inputs/],
    [() => e.jvp(x, [x], [x]), /^jvp: fn must be a function, not a Tensor/],
    [() => e.jvp(() => 3, [x], [x]), /^jvp: the function must return a tensor, not 3/],
    [
      () => e.jvp(async (t: Tensor) => f(t), [x], [x]),
      /^jvp: the function (must return a tensor, not|returned) a promise/,
    ],
    [() => e.vjp(() => 3, x), /^vjp: the function must return a tensor, not 3/],
    [() => e.vjp(f, 3), /^vjp: inputs must be a tensor or a list of tensors, not 3/],
    [() => e.hvp(f, [x], x), /^hvp: x must be a tensor, not \[a Tensor \[2\]\]/],
    [() => e.hvp(async () => 3, x, x), /^hvp: the function (must return a tensor, not|returned) a promise/],
    [() => e.vhp(() => undefined, x, x), /^vhp: the function must return a tensor, not undefined/],
    [() => e.jacobian(() => [x], x), /^jacobian: the function must return a tensor, not \[a Tensor \[2\]\]/],
    [() => e.hessian(f, 3), /^hessian: x must be a tensor, not 3/],
  ];
  for (const [call, message] of slips) assert.throws(call, message);
});

test('tolerances are those of PyTorch: atol + rtol |numeric|', async () => {
  await gradcheck(almost, [a, b], { rtol: 0.011 });
  const tiny = customOp({ name: 'tiny', forward: (x) => x.mul(1e-6), vjp: [(g) => g.mul(1e-5)] });
  await gradcheck(tiny, [a]);
  await refused(gradcheck(tiny, [a], { atol: 1e-6 }), /allowed 0\.0000010(01|009)/);
});

test('a function that changes between calls is named', () => {
  const noise = new Rng(1);
  return refused(
    gradcheck((x) => x.add(noise.normal([3, 4])), [a]),
    /^gradcheck: output 0, element 0 is .* in one call and .* in the next; the function must be deterministic/,
  );
});

test('no dependence, and a step of 0, are errors of their own', async () => {
  const failed = (promise: Promise<unknown>) =>
    promise.then(
      () => 'passed',
      (e: Error) => `${e.name}: ${e.message}`,
    );
  assert.match(await failed(gradcheck((x) => x.detach(), [a])), /^GradError: gradcheck: no output/);
  assert.match(
    await failed(gradcheck((x) => x.exp(), [a], { eps: 0 })),
    /^RangeError: gradcheck: eps must be more than 0/,
  );
});

test('empty and scalar inputs', async () => {
  await gradcheck((x) => x.square(), [tensor(3)]);
  await gradcheck((x, y) => [x.mul(2), y.square()], [tensor([], { shape: [0, 3] }), tensor([1])]);
  assert.is(reference.kind, 'reference');
});

test('it runs in float64 whatever the current device is', async () => {
  const device = await initGpu();
  assert.is(device.kind, 'webgpu');
  const seen = new Set<string>();
  const error = await gradcheck(
    (t) => {
      seen.add(t.device.kind);
      return t.exp().mul(2);
    },
    [tensor([0.3, -1.2])],
  );
  assert.ok(error < 1e-8);
  assert.equal([...seen], ['reference']);
  const weight = tensor([1, 2], { label: 'weight' });
  const failed = gradcheck((t) => t.mul(weight), [tensor([0.3, -1.2])]);
  await refused(
    failed,
    /^gradcheck: the function uses a tensor of another device: mul: .*weight \[2\].*functionalCall\(module, \{ weight: w \}, x\)/,
  );
  device.destroy();
});

test.run();
