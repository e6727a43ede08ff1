/** Programs that use the package as its users do. They import it by name, so they lie here as text. */

/**
 * Checks that can be done by hand. The critic is x·w with w = (3, 4): wherever it is taken, its slope is w, of length 5, so
 * that the penalty is (5 - 1)² = 16, and its gradient 2 · (5 - 1) · w / 5 = (4.8, 6.4).
 */
export const RESULTS = { dx: [2, 4, 6], penalty: 16, dw: [[4.8], [6.4]] };

const PROGRAM = /* js */ `
import { destroy, Rng, grad, init, scope, tensor } from 'wgrad';
import { gradientPenalty } from 'wgrad/gan';
import * as nn from 'wgrad/nn';

export async function run(options) {
  const device = await init(options);
  const x = tensor([1, 2, 3], { requiresGrad: true });
  const [dx] = grad(x.square().sum(), [x]);
  const critic = new nn.Linear(2, 1, { bias: false, init: () => tensor([[3], [4]]) });
  const rng = new Rng(1);
  const [penalty, [dw]] = scope(() => {
    const penalty = gradientPenalty(critic, rng.normal([8, 2]), rng.normal([8, 2]), rng);
    return [penalty, grad(penalty, critic.parameters())];
  });
  const results = { dx: await dx.array(), penalty: await penalty.array(), dw: await dw.array() };
  destroy();
  return { kind: device.kind, dtype: device.dtype, results };
}
`;

/** For Node: plain JavaScript, with the options of \`init\` as its argument; it keeps a checkpoint in a file. */
export const NODE = `${PROGRAM}
import { loadDigitClassifier, openSampleSet, wassersteinLp, writePng } from 'wgrad/gan/node';
import { loadCheckpoint, saveCheckpoint } from 'wgrad/nn/node';
import { readFileSync } from 'node:fs';

const rng = new Rng(7);
rng.hostUniform(5);
await saveCheckpoint('run.safetensors', { rng }, { step: 3 });
const again = new Rng(0);
const { metadata } = await loadCheckpoint('run.safetensors', { rng: again });
const resumed = metadata.step === 3 && again.hostUniform(1)[0] === rng.hostUniform(1)[0];
const { distance } = await wassersteinLp([0, 0, 0, 1], [3, 0, 3, 1], { dimension: 2 });
const { count } = (await openSampleSet('ring', { trainSize: 8 })).train;
await writePng('grey.png', { data: new Uint8Array(4).fill(128), width: 2, height: 2, channels: 1 });
const png = readFileSync('grey.png').toString('latin1', 1, 4);
const checked = await run(JSON.parse(process.argv[2]));
await init({ adapter: 'reference' });
const classifier = await loadDigitClassifier();
console.log(JSON.stringify({ ...checked, resumed, gan: [distance, count, png, typeof classifier] }));
`;

/** For a page: prints to its console. */
export const BROWSER = `${PROGRAM}
run({}).then((result) => console.log(JSON.stringify(result)), (error) => console.log(String(error)));
`;

/** For the compiler: what should be allowed is, with the types that it should have, and what should not is not. */
export const TYPED = /* ts */ `
import { customOp, type Device, grad, init, type Nested, scope, type Tensor, tensor, type Values, withDevice } from 'wgrad';
import { type Networks, Gan } from 'wgrad/gan';
import { type WassersteinTransport, wassersteinLp } from 'wgrad/gan/node';
import { type OpenedRun, openRun } from 'wgrad/cli';
import * as nn from 'wgrad/nn';
import { loadCheckpoint, loadSafetensors, SafetensorsFile, saveCheckpoint } from 'wgrad/nn/node';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <_T extends true>(): void => {};

const device: Device = await init({ adapter: 'swiftshader' });
const x = tensor([[1, 2], [3, 4]], { requiresGrad: true });
const y = x.mul(2).matmul(x, { transposeA: true }).sum([0], { keepDims: true });
const [g] = grad(y.sum(), [x], { createGraph: true });
const values = await x.data();
const nested = await x.array();
const both = scope(() => [x.add(1), x.max()] as const);
const cube = customOp({ name: 'cube', forward: (t) => t.mul(t).mul(t) });
{
  using square = x.square();
  is<Equal<typeof square, Tensor>>();
}
is<Equal<typeof device.kind, 'webgpu' | 'reference'>>();
is<Equal<typeof y, Tensor>>();
is<Equal<typeof g, Tensor | undefined>>();
is<Equal<typeof values, Values>>();
is<Equal<typeof nested, Nested>>();
is<Equal<typeof both, readonly [Tensor, Tensor]>>();
is<Equal<ReturnType<typeof cube>, Tensor>>();
is<Equal<Awaited<ReturnType<Tensor['item']>>, number>>();
is<Equal<Parameters<Tensor['permute']>, [axes: readonly number[]]>>();

class Twice extends nn.Module {
  readonly inner = new nn.Linear(2, 2);
  override forward(t: Tensor): Tensor {
    return this.inner.forward(this.inner.forward(t));
  }
}
const networks: Networks = { generator: new Twice(), critic: new nn.Sequential(new Twice(), new nn.Tanh()), latent: 2 };
const report = new Gan(networks, new (await import('wgrad')).Rng(1)).criticStep(x);
is<Equal<typeof report.penalty, Tensor>>();
const adam = new nn.Adam(new Twice().parameters());
const { generator, critic } = networks;
await saveCheckpoint('run.safetensors', { generator, critic, adam, rng: new (await import('wgrad')).Rng(1) }, { step: 3, loss: [0.5] });
const loaded = await loadCheckpoint('run.safetensors', { adam });
const { tensors } = await loadSafetensors('weights.safetensors');
networks.generator.loadStateDict(nn.fromPyTorch(networks.generator, tensors, { flattened: { inner: { input: [1, 1, 2] } } }));
networks.generator.loadStateDict(tensors);
is<Equal<ReturnType<typeof openRun>, Promise<OpenedRun>>>();
is<Equal<ReturnType<typeof wassersteinLp>, Promise<WassersteinTransport>>>();
await using file = await SafetensorsFile.open('weights.safetensors');
is<Equal<typeof loaded.metadata, nn.Json>>();
is<Equal<Awaited<ReturnType<typeof file.read>>, nn.StoredTensor>>();
// @ts-expect-error a latent size is no state
await saveCheckpoint('run.safetensors', { latent: networks.latent });
withDevice(device, () => new nn.Adam(new Twice().parameters(), { lr: 1e-3 }).step([x]));

// @ts-expect-error text is no data
tensor('1, 2');
// @ts-expect-error the inputs are a list
grad(y, x);
// @ts-expect-error axes are arguments of their own
x.sum({ axis: 0 });
// @ts-expect-error no such adapter
await init({ adapter: 'cuda' });
// @ts-expect-error shapes cannot be changed
x.shape = [4];
// @ts-expect-error the tape's node is the engine's own
x.node;
// @ts-expect-error a module has a forward
new (class extends nn.Module {})();
`;
