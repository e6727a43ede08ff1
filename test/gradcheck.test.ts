/** What gradcheck finds, and how it says so. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  customOp,
  Generator,
  GradcheckError,
  type GradcheckOptions,
  gradcheck,
  gradgradcheck,
  init,
  matmul,
  type Tensor,
  tensor,
} from '../engine/index.ts';
import { adapter, reference } from './support/devices.ts';

const test = suite('gradcheck');
await init({ device: 'reference' });
const rng = new Generator(5);
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
      /^gradcheck: output 0 \[3,2\], element 2, with respect to a \[3,4\], element 7: analytic -?[\d.]+, numeric -?[\d.]+ \(difference [\d.e-]+, allowed [\d.e-]+\)$/,
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
        /^gradgradcheck: .* with respect to a \[3,4\], element 0: analytic 0, numeric/,
      ),
    );
  });
  test(`an output that is cut off is found, ${mode}`, () =>
    refused(
      gradcheck((x) => [x!.square(), x!.exp().detach()], [a], options),
      /output 1 \[3,4\], element 0, with respect to a \[3,4\], element 0: analytic 0, numeric/,
    ));
}

test('tolerances are those of PyTorch: atol + rtol |numeric|', async () => {
  await gradcheck(almost, [a, b], { rtol: 0.011 });
  const tiny = customOp({ name: 'tiny', forward: (x) => x.mul(1e-6), vjp: [(g) => g.mul(1e-5)] });
  await gradcheck(tiny, [a]);
  await refused(gradcheck(tiny, [a], { atol: 1e-6 }), /allowed 0\.0000010(01|009)/);
});

test('a function that changes between calls is named', () => {
  const noise = new Generator(1);
  return refused(
    gradcheck((x) => x!.add(noise.normal([3, 4])), [a]),
    /^gradcheck: output 0, element 0 is .* in one call and .* in the next; the function must be deterministic/,
  );
});

test('no dependence, and a step of 0, are errors of their own', async () => {
  const failed = (promise: Promise<unknown>) =>
    promise.then(
      () => 'passed',
      (e: Error) => `${e.name}: ${e.message}`,
    );
  assert.match(await failed(gradcheck((x) => x!.detach(), [a])), /^GradError: gradcheck: no output/);
  assert.match(
    await failed(gradcheck((x) => x!.exp(), [a], { eps: 0 })),
    /^RangeError: gradcheck: eps must be more than 0/,
  );
});

test('empty and scalar inputs', async () => {
  await gradcheck((x) => x!.square(), [tensor(3)]);
  await gradcheck((x, y) => [x!.mul(2), y!.square()], [tensor([], { shape: [0, 3] }), tensor([1])]);
  assert.is(reference.kind, 'reference');
});

test('it runs in float64 whatever the current device is', async () => {
  const device = await init({ device: 'webgpu', adapter });
  assert.is(device.kind, 'webgpu');
  const seen = new Set<string>();
  const error = await gradcheck(
    (t) => {
      seen.add(t!.device.kind);
      return t!.exp().mul(2);
    },
    [tensor([0.3, -1.2])],
  );
  assert.ok(error < 1e-8);
  assert.equal([...seen], ['reference']);
  device.destroy();
});

test.run();
