import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { grad, gradcheck, init, type Tensor } from '../../engine/index.ts';
import { critic, criticBatch, criticLoss, criticParameters, penalty } from '../support/critic.ts';
import { on, openGpu, read, reference, withFamily } from '../support/devices.ts';
import { distance } from '../support/values.ts';

await init({ adapter: 'reference' });
const gpu = await openGpu();

/** The loss, then its gradient with respect to every parameter of the critic. */
const step = (loss = criticLoss): Tensor[] => {
  const parameters = criticParameters();
  const y = loss(...criticBatch(), parameters);
  return [y, ...grad(y, parameters, { allowUnused: true })];
};

for (const family of ['software', 'hardware'] as const) {
  test(`the gradient penalty's parameter gradient on ${family} kernels agrees with float64`, async () => {
    for (const loss of [penalty, criticLoss]) {
      const found = await withFamily(gpu, family, () => read(gpu, () => step(loss)));
      const expected = await read(reference, () => step(loss));
      assert.ok(Math.abs(expected[0]![0]!) > 1e-3, 'the loss must not vanish');
      expected.forEach((values, i) => {
        const d = distance(found[i]!, values, 1e-3);
        assert.ok(d < 1e-5, `tensor ${i} is off by ${d} of its scale`);
      });
    }
  });
}

test("the penalty depends on the weights, and on the biases only through leaky ReLU's pattern", async () => {
  const [, w1, b1, w2, b2, w3] = await read(reference, () => step(penalty));
  for (const g of [w1!, w2!, w3!]) assert.ok(g.some((v) => Math.abs(v) > 1e-3));
  for (const g of [b1!, b2!]) assert.ok(g.every((v) => v === 0));
});

test('against central differences in float64, in every parameter', () =>
  on(reference, async () => {
    const parameters = criticParameters();
    await gradcheck((...p) => criticLoss(...criticBatch(2), p), parameters, { atol: 1e-6, rtol: 1e-5 });
    await gradcheck((...p) => penalty(...criticBatch(2), p), parameters, { atol: 1e-6, rtol: 1e-5 });
  }));

test("the slope itself agrees with central differences of the critic's score", async () => {
  const parameters = criticParameters();
  await gradcheck((x) => critic(x, parameters), [criticBatch(2)[0]], { atol: 1e-7, rtol: 1e-6 });
});

test.after(() => gpu.destroy());
test.run();
