/** What modules do beside `forward`: names, copies, hooks, stand-ins for parameters, summaries. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  Generator,
  grad,
  memory,
  reference,
  ShapeError,
  scope,
  type Tensor,
  tensor,
  withDevice,
} from '../engine/index.ts';
import * as nn from '../nn/index.ts';

const test = suite('module');
const values = (t: Tensor): number[] => Array.from(reference.values(t.storage));
const on = (name: string, fn: () => void) => test(name, () => withDevice(reference, () => scope(fn)));
const throwsWith = (fn: () => unknown, pattern: RegExp, kind: new (m: string) => Error = Error) =>
  assert.throws(fn, (e: Error) => e instanceof kind && pattern.test(e.message));

class Tied extends nn.Module {
  readonly first = new nn.Linear(2, 2, { rng: new Generator(1), bias: false });
  readonly rest: nn.AnyModule[] = [new nn.BatchNorm2d(2), this.first];
  private readonly scale = 3;

  override forward(x: Tensor): Tensor {
    return this.first.forward(this.first.forward(x)).mul(this.scale);
  }
}

on('what two fields share is named once, and shared in a copy too', () => {
  const m = new Tied();
  assert.equal(
    m.namedModules().map(([name]) => name),
    ['', 'first', 'rest.0'],
  );
  assert.equal([...m.stateDict().keys()].slice(0, 3), ['first.weight', 'rest.0.weight', 'rest.0.bias']);
  const twin = m.copy();
  assert.instance(twin, Tied);
  assert.is(twin.rest[1], twin.first);
  assert.is.not(twin.first, m.first);
  twin.first.weight.assign([1, 0, 0, 2]);
  assert.not.equal(values(m.first.weight), values(twin.first.weight));
  assert.equal(values(twin.forward(tensor([[1, 1]]))), [3, 12]);
  assert.ok(twin.first.weight.requiresGrad && !(twin.rest[0] as nn.BatchNorm2d).runningMean!.requiresGrad);
});

on('loadStateDict takes another module of the same shapes, and in non-strict mode what there is', () => {
  const [a, b] = [1, 2].map((seed) => new nn.Linear(2, 3, { rng: new Generator(seed) })) as [nn.Linear, nn.Linear];
  assert.equal(b.loadStateDict(a.stateDict()), { missing: [], unexpected: [] });
  assert.equal(values(b.weight), values(a.weight));
  const some = new Map([
    ['bias', { shape: [3], data: [7, 8, 9] }],
    ['extra', { shape: [1], data: [0] }],
  ]);
  throwsWith(() => b.loadStateDict(some), /^loadStateDict: weight is missing; extra is unexpected$/);
  assert.equal(b.loadStateDict(some, { strict: false }), { missing: ['weight'], unexpected: ['extra'] });
  assert.equal(values(b.bias!), [7, 8, 9]);
  const wrong = new Map([['bias', { shape: [2], data: [1, 2] }]]);
  throwsWith(() => b.loadStateDict(wrong, { strict: false }), /^loadStateDict: bias is \[2\], not \[3\]$/);
});

on('hooks see and replace inputs and output, in order, until they are removed; copies have none', () => {
  const m = new nn.Sequential(new nn.ReLU(), new nn.Tanh());
  const x = tensor([-1, 2]);
  const seen: string[] = [];
  const remove = [
    m.layers[0]!.registerForwardPreHook((_, [given]) => {
      seen.push(`before ${values(given)}`);
      return [given.neg()];
    }),
    m.layers[0]!.registerForwardHook((layer, [given], y) => {
      seen.push(`${String(layer)} ${values(given)} gave ${values(y)}`);
    }),
    m.registerForwardHook((_, __, y) => y.mul(2)),
  ];
  const y = values(m.forward(x));
  assert.equal(seen, ['before -1,2', 'ReLU() 1,-2 gave 1,0']);
  assert.equal(y, [2 * Math.tanh(1), 0]);
  assert.equal(values(m.copy().forward(x)), [0, Math.tanh(2)]);
  for (const back of remove) back();
  assert.equal(values(m.forward(x)), [0, Math.tanh(2)]);
  assert.is(seen.length, 2);
});

on('functionalCall differentiates through stand-ins for parameters, and leaves the module as it was', () => {
  const m = new nn.Linear(1, 1, { bias: false });
  m.weight.assign([3]);
  const x = tensor([[2]]);
  // Two steps of gradient descent on (2w)²: w' = w (1 - 8·0.1) each, and d(loss after)/dw through both.
  let w: Tensor = m.weight;
  const loss = (p: Tensor) => nn.functionalCall(m, { weight: p }, x).square().sum();
  for (let k = 0; k < 2; k++) w = w.sub(grad(loss(w), [w], { createGraph: true })[0]!.mul(0.1));
  const [slope] = grad(loss(w), [m.weight]);
  assert.ok(Math.abs(values(slope!)[0]! - 8 * 3 * 0.2 ** 4) < 1e-12);
  assert.instance(m.weight, nn.Parameter);
  assert.equal(values(m.weight), [3]);
  throwsWith(() => nn.functionalCall(m, { wieght: w }, x), /no parameter or buffer wieght; it has weight/);
  throwsWith(() => nn.functionalCall(m, { weight: x.reshape([1]) }, x), /weight is \[1,1\], and \[1\]/, ShapeError);
});

on('a copy holds its own tensors and nothing else', () => {
  const m = new Tied();
  const before = memory();
  m.copy().dispose();
  assert.equal([memory().tensors, memory().bytes], [before.tensors, before.bytes]);
});

class Sums extends nn.Module {
  readonly terms = [1, 2].map((v) => new nn.Parameter(tensor([v])));
  readonly shifts: readonly nn.Buffer[] = [new nn.Buffer(tensor([10]))];

  override forward(x: Tensor): Tensor {
    return [...this.terms, ...this.shifts].reduce((sum: Tensor, t) => sum.add(x.mul(t)), x);
  }
}

on('arrays of parameters and buffers are found, copied, counted and stood in for', () => {
  const m = new Sums();
  const x = tensor([2]);
  assert.equal([...m.stateDict().keys()], ['terms.0', 'terms.1', 'shifts.0']);
  assert.equal(String(m), 'Sums(terms.0 [1], terms.1 [1])');
  const twin = m.copy();
  twin.terms[1]!.assign([5]);
  assert.equal([...values(m.forward(x)), ...values(twin.forward(x))], [28, 34]);
  const w = tensor([3], { requiresGrad: true });
  const y = nn.functionalCall(m, { 'terms.1': w }, x);
  assert.equal([...values(y), ...values(grad(y.sum(), [w])[0]!)], [30, 2]);
  assert.equal(m.parameters(), m.terms);
  assert.equal(values(m.forward(x)), [28]);
  assert.is(nn.summary(m, [1]).rows[0]!.parameters, 2);
});

on('requireGrad freezes a module; apply visits every module, innermost first', () => {
  const m = new Tied();
  assert.not(
    m
      .requireGrad(false)
      .parameters()
      .some((p) => p.requiresGrad),
  );
  const order: string[] = [];
  m.apply((inner) => order.push(inner.constructor.name));
  assert.equal(order, ['Linear', 'BatchNorm2d', 'Tied']);
});

/** The networks of PyTorch's DCGAN example: 64 x 64 x 3, nz 100, ngf = ndf = 64. */
const dcgan = () => {
  const rng = new Generator(1);
  const plain = { bias: false, init: nn.init.normal(0.02), rng };
  const half = { ...plain, stride: 2, padding: 1 };
  const up = (from: number, to: number) => [
    new nn.ConvTranspose2d(from, to, 4, half),
    new nn.BatchNorm2d(to),
    new nn.ReLU(),
  ];
  const down = (from: number, to: number) => [
    new nn.Conv2d(from, to, 4, half),
    new nn.BatchNorm2d(to),
    new nn.LeakyReLU(0.2),
  ];
  const generator = new nn.Sequential(
    ...[new nn.ConvTranspose2d(100, 512, 4, plain), new nn.BatchNorm2d(512), new nn.ReLU()],
    ...[...up(512, 256), ...up(256, 128), ...up(128, 64), new nn.ConvTranspose2d(64, 3, 4, half), new nn.Tanh()],
  );
  const discriminator = new nn.Sequential(
    ...[new nn.Conv2d(3, 64, 4, half), new nn.LeakyReLU(0.2), ...down(64, 128), ...down(128, 256), ...down(256, 512)],
    ...[new nn.Conv2d(512, 1, 4, plain), new nn.Sigmoid()],
  );
  return { generator, discriminator };
};

on("a summary of DCGAN counts its paper implementation's parameters, and the multiply-adds worked out by hand", () => {
  const { generator, discriminator } = dcgan();
  const g = nn.summary(generator, [1, 1, 1, 100]);
  const d = nn.summary(discriminator, [1, 64, 64, 3]);
  assert.is(g.parameters, 3_576_704);
  assert.is(d.parameters, 2_765_568);
  assert.equal(g.rows.at(-1)!.output, [[1, 64, 64, 3]]);
  assert.equal(
    g.rows.filter((r) => r.multiplyAdds > 0).map((r) => r.multiplyAdds),
    [100 * 16 * 512, 16 * 16 * 512 * 256, 64 * 16 * 256 * 128, 256 * 16 * 128 * 64, 1024 * 16 * 64 * 3],
  );
  assert.is(d.multiplyAdds, 16 * (1024 * 3 * 64 + 256 * 64 * 128 + 64 * 128 * 256 + 16 * 256 * 512 + 512));
  const text = String(g).split('\n');
  assert.match(text[2]!, /^layers\.0 \(ConvTranspose2d\) +\[1,4,4,512\] +819,200 +819,200$/);
  assert.equal(text.at(-2), 'parameters: 3,576,704');
  assert.ok(generator.training, 'the mode is put back');
});

test.run();
