/** What a checkpoint holds: a run that goes on from its bytes is the run that never stopped, to the last bit. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defaultRng, manualSeed, Rng, rand, reference, type Tensor, withDevice } from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
import { openGpu } from '../support/devices.ts';
import { differences, startRun } from '../support/io/gan.ts';

const test = suite('checkpoint state');
const devices = { webgpu: await openGpu(), reference };

const messageOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: Error) => error.message,
  );

for (const [kind, device] of Object.entries(devices)) {
  for (const mode of ['eager', 'compiled'] as const) {
    test(`${kind}, ${mode}: 3 steps, a checkpoint and 3 more are 6 steps, in new objects and in the old`, async () => {
      const straight = startRun(device, mode, 1);
      for (let k = 0; k < 3; k++) straight.step(k);
      const bytes = await nn.encodeCheckpoint(straight.parts, { step: 3 });
      const half = await straight.fingerprint();
      for (let k = 3; k < 6; k++) straight.step(k);
      const wanted = await straight.fingerprint();
      assert.not.equal(wanted, half);

      const fresh = startRun(device, mode, 2);
      assert.equal(await nn.decodeCheckpoint(bytes, fresh.parts), {
        parts: ['generator', 'critic', 'criticOptimizer', 'generatorOptimizer', 'ema', 'draws'],
        metadata: { step: 3 },
      });
      assert.equal(differences(await fresh.fingerprint(), half), []);
      for (let k = 3; k < 6; k++) fresh.step(k);
      assert.equal(differences(await fresh.fingerprint(), wanted), []);

      await nn.decodeCheckpoint(bytes, straight.parts);
      for (let k = 3; k < 6; k++) straight.step(k);
      assert.equal(differences(await straight.fingerprint(), wanted), []);
      fresh.dispose();
      straight.dispose();
    });
  }
}

const on = <T>(fn: () => T): T => withDevice(reference, fn);
const values = (t: Tensor): number[] => Array.from(reference.values(t.storage));
const linear = (seed: number): nn.Linear => on(() => new nn.Linear(2, 3, { rng: new Rng(seed) }));

test('a part can be loaded by itself, and a checkpoint described without any', async () => {
  const [a, b] = [linear(1), linear(2)];
  const rng = new Rng(5);
  rng.hostUniform(3);
  const bytes = await nn.encodeCheckpoint({ a, rng, empty: on(() => new nn.ReLU()) }, ['x', { y: null }]);
  await nn.decodeCheckpoint(bytes, { a: b });
  assert.equal(values(b.weight), values(a.weight));
  const other = new Rng(6);
  await nn.decodeCheckpoint(bytes, { rng: other });
  assert.equal([...other.hostUniform(4)], [...rng.hostUniform(4)]);
  assert.equal(await nn.decodeCheckpoint(bytes), { parts: ['a', 'rng', 'empty'], metadata: ['x', { y: null }] });
});

test('generators in containers of a module are saved with it; an optimizer in a field is asked for as a part', async () => {
  const make = (seed: number) =>
    Object.assign(linear(seed), {
      draws: { by: [new Rng(seed)], map: new Map([['a', new Rng(seed + 1)]]) },
    });
  const [a, b] = [make(1), make(7)];
  a.draws.by[0]!.hostUniform(3);
  const bytes = await nn.encodeCheckpoint({ a });
  await nn.decodeCheckpoint(bytes, { a: b });
  assert.equal([...b.draws.by[0]!.hostUniform(4)], [...a.draws.by[0]!.hostUniform(4)]);
  assert.equal([...b.draws.map.get('a')!.hostUniform(4)], [...a.draws.map.get('a')!.hostUniform(4)]);
  const adam = on(() => new nn.Adam(a.parameters()));
  const model = Object.assign(a, { tools: [adam] });
  assert.is(
    await messageOf(nn.encodeCheckpoint({ model })),
    'model.tools.0 has tensors in its state, which are not saved with the module that holds it: make it a part of the checkpoint too',
  );
  await nn.decodeCheckpoint(await nn.encodeCheckpoint({ model, adam }), { model, adam });
});

test('what does not fit is named, all of it, and nothing is changed', async () => {
  const [a, b] = [linear(1), linear(2)];
  const rng = new Rng(5);
  const bytes = await nn.encodeCheckpoint({ model: a, rng });
  const before = values(b.weight);
  const loading = (parts: nn.CheckpointParts) => messageOf(nn.decodeCheckpoint(bytes, parts));
  assert.is(await loading({ model: b, ema: rng }), 'checkpoint: there is no ema in it; it has model, rng');
  const wide = on(() => new nn.Linear(2, 4, { bias: false }));
  assert.is(
    await loading({ model: wide, rng }),
    'checkpoint: the checkpoint does not fit: model.bias is unexpected; model.weight is [2,3], not [2,4]. Make the objects as they were when it was saved',
  );
  assert.match(
    await loading({ model: on(() => new nn.Sequential(linear(1))) }),
    /model\.layers\.0\.weight is missing; .*model\.weight is unexpected/,
  );
  assert.match(
    await loading({ model: rng }),
    /model is missing; model\.bias is unexpected; model\.weight is unexpected/,
  );
  // A state on the host that is refused puts back those before it.
  const [first, last] = [new Rng(1), new Rng(2)];
  const two = await nn.encodeCheckpoint({
    first: new Rng(7),
    last: { stateDict: () => ({ x: 7 }), loadStateDict: () => {} },
    model: a,
  });
  const message = await messageOf(nn.decodeCheckpoint(two, { first, last, model: b }));
  assert.match(message, /^checkpoint: last: Rng: a state is two whole numbers below 2\^32 and an offset/);
  assert.equal(first.stateDict(), new Rng(1).stateDict());
  assert.equal(values(b.weight), before);
});

test('a checkpoint that is none, or of another version, or torn, is named', async () => {
  const decode = (metadata: Record<string, string>) =>
    messageOf(nn.decodeCheckpoint(nn.encodeSafetensors(new Map(), metadata)));
  assert.match(await decode({}), /^checkpoint: it is no checkpoint of saveCheckpoint; read other/);
  const text = (o: object) => ({ 'wgrad.checkpoint': JSON.stringify(o) });
  assert.match(await decode(text({ version: 2, parts: [] })), /of version 2; this wgrad reads version 1: update it/);
  assert.match(await decode(text({ version: 1, parts: [], numbers: [] })), /is torn; save it again/);
  assert.match(await decode({ 'wgrad.checkpoint': '{' }), /is not JSON; save it again/);
  assert.match(await decode({ 'wgrad.checkpoint': 'null' }), /is torn/);
});

test('metadata keeps every number; what JSON would drop is refused, and so is a name with dots', async () => {
  const metadata = { loss: [1, Number.NaN, -0, Number.NEGATIVE_INFINITY], text: null };
  const { metadata: found } = await nn.decodeCheckpoint(await nn.encodeCheckpoint({}, metadata));
  assert.ok((found as typeof metadata).loss.every((v, i) => Object.is(v, metadata.loss[i])));
  assert.is((found as typeof metadata).text, null);
  const encode = (other: unknown) => messageOf(nn.encodeCheckpoint({}, other as nn.Json));
  assert.match(await encode({ at: [new Date()] }), /^metadata\.at\.0 is an instance of Date, which JSON does not hold/);
  assert.match(await encode({ f: () => 1 }), /^metadata\.f is of type function, which JSON/);
  const a = linear(1);
  assert.match(
    await messageOf(nn.encodeCheckpoint({ 'a.b': a })),
    /cannot be named "a\.b"; choose a name without dots/,
  );
});

test('an optimizer of other parameters, and a number out of range, are named', async () => {
  const make = (n: number) => on(() => new nn.Adam(new nn.Linear(n, 1, { bias: false }).parameters()));
  const adam = make(2);
  const bytes = await nn.encodeCheckpoint({ adam });
  assert.match(
    await messageOf(nn.decodeCheckpoint(bytes, { adam: make(3) })),
    /adam\.state\.0\.expAvg is \[2,1\], not \[3,1\]/,
  );
  adam.steps = -1;
  const wrong = await nn.encodeCheckpoint({ adam });
  const other = make(2);
  assert.match(await messageOf(nn.decodeCheckpoint(wrong, { adam: other })), /-1/);
  assert.is(other.steps, 0);
});

test('weights of the reference device are rounded on WebGPU, and those of WebGPU are read exactly', async () => {
  const a = linear(1);
  a.bias!.assign([1, 0.1, 2 ** -40]);
  const b = withDevice(devices.webgpu, () => new nn.Linear(2, 3));
  await nn.decodeCheckpoint(await nn.encodeCheckpoint({ a }), { a: b });
  assert.equal([...(await b.bias!.data())], [1, Math.fround(0.1), 2 ** -40]);
  await nn.decodeCheckpoint(await nn.encodeCheckpoint({ a: b }), { a });
  assert.equal(values(a.bias!), [1, Math.fround(0.1), 2 ** -40]);
});

test('the streams behind rand and behind layers can be parts', async () => {
  manualSeed(3);
  const bytes = await nn.encodeCheckpoint({ shared: defaultRng(), layers: nn.init.layerGenerator() });
  const draw = () => on(() => [...values(rand([5])), ...values(new nn.Linear(3, 3).weight)]);
  const first = draw();
  assert.not.equal(draw(), first);
  await nn.decodeCheckpoint(bytes, { shared: defaultRng(), layers: nn.init.layerGenerator() });
  assert.equal(draw(), first);
});

test('loadStateDict takes what a file holds, also integers of 64 bits', () => {
  const a = linear(1);
  const data = BigInt64Array.of(1n, -2n, 2n ** 53n);
  a.loadStateDict(new Map([['bias', { shape: [3], data }]]), { strict: false });
  assert.equal(values(a.bias!), [1, -2, 2 ** 53]);
  data[0] = 2n ** 53n + 1n;
  assert.throws(
    () => a.loadStateDict(new Map([['bias', { shape: [3], data }]]), { strict: false }),
    /9007199254740993 is too large/,
  );
});

test.run();
