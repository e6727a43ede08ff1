/** What modules do beside `forward`: names, copies, hooks, stand-ins for parameters, summaries. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  grad,
  jvp,
  memory,
  ones,
  Rng,
  reference,
  ShapeError,
  scope,
  type Tensor,
  tensor,
  withDevice,
} from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';

const test = suite('module');
const values = (t: Tensor): number[] => Array.from(reference.values(t.storage));
const on = (name: string, fn: () => void) => test(name, () => withDevice(reference, () => scope(fn)));
const throwsWith = (fn: () => unknown, pattern: RegExp, kind: new (m: string) => Error = Error) =>
  assert.throws(fn, (e: Error) => e instanceof kind && pattern.test(e.message));

class Tied extends nn.Module {
  readonly first = new nn.Linear(2, 2, { rng: new Rng(1), bias: false });
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
  const [a, b] = [1, 2].map((seed) => new nn.Linear(2, 3, { rng: new Rng(seed) })) as [nn.Linear, nn.Linear];
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

on('a layer refuses by its name what is no tensor, and an argument more', () => {
  const given = (layer: unknown, ...inputs: unknown[]) => {
    const { forward } = layer as { forward: (...inputs: unknown[]) => unknown };
    return () => forward.apply(layer, inputs);
  };
  const x = ones([2, 2]);
  for (const layer of [
    new nn.ReLU(),
    new nn.Softmax(),
    new nn.BatchNorm1d(2),
    new nn.Dropout(0),
    new nn.Linear(2, 2),
    new nn.LayerNorm(2),
    new nn.Flatten(),
    new nn.Residual(new nn.Identity()),
    new nn.Sequential(new nn.GELU()).at(0),
  ]) {
    const { name } = layer.constructor;
    throwsWith(
      given(layer, [[1, 2]]),
      new RegExp(`^${name}: x must be a tensor, not .*; make one of it with tensor`),
      TypeError,
    );
    throwsWith(given(layer), new RegExp(`^${name}: x not given`), TypeError);
    throwsWith(given(layer, x, true), new RegExp(`^${name}: too many arguments.* no place for true`), TypeError);
    given(layer, x)();
  }
  const conv = new nn.Conv2d(1, 1, 3);
  throwsWith(given(conv, 'a.png'), /^Conv2d: x must be a tensor, not "a\.png"/, TypeError);
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
  const odd = (tensors: unknown) => () => nn.functionalCall(m, tensors as [], x);
  throwsWith(odd([w]), /^functionalCall: the tensors are pairs by name, .* not a Tensor \[1,1\]$/, TypeError);
  throwsWith(odd(w), /^functionalCall: the tensors are an object or pairs by name, not a Tensor/, TypeError);
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

/** Parts at all depths of arrays, plain objects and Maps. */
class Nested extends nn.Module {
  readonly blocks = [
    [new nn.Linear(1, 1), new nn.Dropout(0.5)],
    { deep: new Map([['a', new nn.Linear(1, 1)]]) },
  ] as const;
  readonly heads: Record<string, nn.Module> = { small: new nn.BatchNorm1d(1), large: new nn.Linear(1, 1) };
  readonly scales = { by: [new nn.Parameter(tensor([2]))], shifts: new Map([['b', new nn.Buffer(tensor([3]))]]) };
  readonly again = this.heads;
  readonly loop: unknown[] = [this.scales];
  readonly sizes = new Map([[1, [2, 3]]]);

  constructor() {
    super();
    this.loop.push(this.loop);
  }

  override forward(x: Tensor): Tensor {
    const deep = this.blocks[1].deep.get('a')!;
    return deep.forward(this.blocks[0][0].forward(x)).mul(this.scales.by[0]!).add(this.scales.shifts.get('b')!);
  }
}

test('an exported model names what it has in containers', async () => {
  const m = withDevice(reference, () => new Nested());
  const text = new TextDecoder('latin1').decode(await nn.exportOnnx(m.eval(), [[2, 1]]));
  for (const name of ['blocks.0.0.weight', 'blocks.1.deep.a.bias', 'scales.by.0', 'scales.shifts.b']) {
    assert.ok(text.includes(name), name);
  }
});

on('arrays, plain objects and Maps are looked through to any depth', () => {
  const m = new Nested();
  const tensors = ['scales.by.0', ...['blocks.0.0', 'blocks.1.deep.a'].flatMap((n) => [`${n}.weight`, `${n}.bias`])];
  const heads = ['heads.small.weight', 'heads.small.bias', 'heads.large.weight', 'heads.large.bias'];
  const names = [...tensors, ...heads];
  assert.equal(
    m.namedParameters().map(([name]) => name),
    names,
  );
  assert.equal(
    m.namedBuffers().map(([name]) => name),
    ['scales.shifts.b', 'heads.small.runningMean', 'heads.small.runningVar'],
  );
  const modules = ['blocks.0.0', 'blocks.0.1', 'blocks.1.deep.a', 'heads.small', 'heads.large'];
  assert.equal(
    m.children().map(([name]) => name),
    modules,
  );
  m.eval();
  assert.not(m.children().some(([, c]) => c.training));
  assert.match(String(m), /blocks\.1\.deep\.a: Linear/);
  assert.is(nn.summary(m, [1, 1]).rows.length, 3, 'the module itself, and the two layers that it uses');

  const x = tensor([[1]]);
  const before = values(m.forward(x));
  const twin = m.copy();
  assert.equal(values(twin.forward(x)), before);
  assert.is(twin.again, twin.heads, 'a container that is shared stays so');
  assert.is(twin.loop[1], twin.loop);
  assert.is(twin.sizes, m.sizes, 'what holds no part is not copied');
  const both = new Set([...m.stateDict().values(), ...twin.stateDict().values()]);
  assert.is(both.size, 2 * m.stateDict().size, 'a copy has all tensors of its own');
  for (const t of twin.stateDict().values()) t.assign(new Float64Array(t.size).fill(7));
  assert.equal(values(m.forward(x)), before);

  const w = tensor([[5]], { requiresGrad: true });
  const shift = tensor([100]);
  for (const t of [m.blocks[0][0], m.blocks[1].deep.get('a')!]) t.bias!.assign([0]);
  m.blocks[1].deep.get('a')!.weight.assign([3]);
  const y = nn.functionalCall(m, { 'blocks.0.0.weight': w, 'scales.shifts.b': shift }, x);
  assert.equal([...values(y), ...values(grad(y.sum(), [w])[0]!)], [130, 6]);
  assert.is(m.scales.shifts.get('b')!.constructor, nn.Buffer, 'what stood there is back');
  nn.registerParametrization(
    m.heads.large as nn.Linear,
    'weight',
    new (class extends nn.Module {
      override forward(t: Tensor): Tensor {
        return t.mul(2);
      }
    })(),
  );
  assert.ok(m.stateDict().has('heads.large.parametrizations.weight.original'));
});

on('parts that no name leads to are refused once the module is used, by the name of the field', () => {
  const layer = () => new nn.Linear(1, 1);
  class Helper {
    readonly inner = [layer()];
  }
  const key = Symbol('hidden');
  const holding = (make: () => object) => {
    class Net extends nn.Module {
      readonly child: nn.Module = Object.assign(new nn.ReLU(), make());
      override forward(x: Tensor): Tensor {
        return x;
      }
    }
    return new Net();
  };
  const cases: [RegExp, () => object][] = [
    [/^Net: the field child\.f holds a Linear in a Set, where it has no name/, () => ({ f: new Set([layer()]) })],
    [/child\.f holds a Parameter \[1\] in a Set/, () => ({ f: new Set([[new nn.Parameter(tensor([1]))]]) })],
    [/child\.f\.0 holds a Linear in a Map whose keys are not text/, () => ({ f: [new Map([[0, layer()]])] })],
    [
      /child\.f holds a Linear in a Map whose/,
      () => ({
        f: new Map<unknown, unknown>([
          ['a', 1],
          [layer(), 2],
        ]),
      }),
    ],
    [/child\.f holds a Linear inside a Helper, which is no module/, () => ({ f: new Helper() })],
    [/child\.f\.a holds a Linear inside a Helper/, () => ({ f: { a: new Helper() } })],
    [/child\.f\.extra holds a Linear beside its entries/, () => ({ f: Object.assign([layer()], { extra: layer() }) })],
    [/child\.f\.0\.Symbol\(hidden\) holds a Linear beside its entries/, () => ({ f: [{ [key]: layer() }] })],
    [/child\.Symbol\(hidden\) holds a Linear under a symbol/, () => ({ [key]: layer() })],
    [
      /^ReLU: f holds a Linear under the name "a\.b"; a name is not empty and has no dots/,
      () => ({ f: { 'a.b': layer() } }),
    ],
    [/^ReLU: f holds a Linear under the name ""/, () => ({ f: new Map([['', layer()]]) })],
    [/^ReLU: the module holds a Linear under the name "f\.g"/, () => ({ 'f.g': layer() })],
  ];
  for (const [pattern, make] of cases) {
    const m = holding(make);
    const uses: (() => unknown)[] = [
      () => m.parameters(),
      () => m.buffers(),
      () => m.stateDict(),
      () => m.eval(),
      () => m.copy(),
      () => m.requireGrad(false),
      () => nn.summary(m, [1]),
      () => nn.functionalCall(m, {}, tensor([1])),
    ];
    for (const use of uses)
      assert.throws(use, (e: Error) => /copy: /.test(e.message) || pattern.test(e.message), `${use} ${pattern}`);
  }
  const outer = holding(() => ({}));
  Object.assign(outer.child, { parent: outer });
  throwsWith(() => outer.parameters(), /^Net: child\.parent is a module that it is inside of/, TypeError);
  // What has a name elsewhere is not lost there.
  const m = holding(() => ({}));
  Object.assign(m, { all: new Set([m.child]) });
  assert.equal(m.parameters(), []);
  throwsWith(() => m.copy(), /^copy: all of Net holds a ReLU in a Set; the copy would share it/, TypeError);
});

on('functionalCall nests: both sets of values apply, and what is listed inside are the stand-ins', () => {
  const layer = new nn.Linear(1, 1);
  layer.weight.assign([2]);
  layer.bias!.assign([10]);
  class Outer extends nn.Module {
    readonly layers = [layer];
    names: string[] = [];
    override forward(x: Tensor): Tensor {
      this.names = [...this.stateDict().keys()];
      const [weight, bias] = this.parameters() as [Tensor, Tensor];
      const shifted = nn.functionalCall(layer, { bias: bias.mul(2) }, x);
      const scaled = nn.functionalCall(layer, { weight: weight.mul(10) }, x);
      assert.is(layer.weight as Tensor, weight);
      const copy = layer.copy();
      assert.equal([...values(copy.weight), ...values(copy.bias!)], [3, 5]);
      return shifted.add(scaled).add(layer.forward(x));
    }
  }
  const [weight, bias] = [tensor([[3]], { requiresGrad: true }), tensor([5], { requiresGrad: true })];
  const m = new Outer();
  const given = { 'layers.0.weight': weight, 'layers.0.bias': bias };
  const y = nn.functionalCall(m, given, tensor([[1]]));
  // (3 + 2·5) + (30 + 5) + (3 + 5)
  assert.equal(values(y), [56]);
  assert.equal(
    grad(y.sum(), [weight, bias]).map((g) => values(g)[0]),
    [12, 4],
  );
  assert.equal(m.names, ['layers.0.weight', 'layers.0.bias']);
  assert.equal(
    layer.parameters().map((p) => p.constructor),
    [nn.Parameter, nn.Parameter],
  );
  const [, slope] = jvp(
    (w) => nn.functionalCall(m, { ...given, 'layers.0.weight': w }, tensor([[1]])),
    [weight],
    [tensor([[1]])],
  );
  assert.equal(values(slope as Tensor), [12]);
  throwsWith(
    () =>
      nn.functionalCall(
        layer,
        [
          ['weight', weight],
          ['weight', weight],
        ],
        tensor([[1]]),
      ),
    /weight is given twice/,
  );
  throwsWith(
    () => nn.functionalCall(layer, { weight: 3 as never }, tensor([[1]])),
    /weight is 3; give a tensor/,
    TypeError,
  );
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
  const rng = new Rng(1);
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
