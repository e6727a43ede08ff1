/** Weights that PyTorch wrote, in networks built here: the same images; and written back, the same files. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { noGrad, reference, ShapeError, scope, type Tensor, tensor, withDevice } from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
import { openGpu, read } from '../support/devices.ts';

const test = suite('weights of PyTorch');
const devices = { webgpu: await openGpu(), reference };
const bytes = (name: string): Uint8Array =>
  readFileSync(new URL(`../fixtures/weights/${name}.safetensors`, import.meta.url));
const load = (name: string): nn.TensorMap => nn.decodeSafetensors(bytes(name), name).tensors;
const results = load('results');

/** A result, [N,C,H,W] as [N,H,W,C]. */
function resultOf(name: string): Tensor {
  const { shape, data } = results.get(name)!;
  const t = tensor(data as Float64Array, { shape });
  return shape.length === 4 ? t.permute([0, 2, 3, 1]) : t;
}

const plain = { bias: false };
const half = { ...plain, stride: 2, padding: 1 };

/** The networks of test/fixtures/weights.py. */
class Generator extends nn.Module {
  readonly main = new nn.Sequential(
    ...[new nn.ConvTranspose2d(8, 32, 4, plain), new nn.BatchNorm2d(32), new nn.ReLU()],
    ...[new nn.ConvTranspose2d(32, 16, 4, half), new nn.BatchNorm2d(16), new nn.ReLU()],
    ...[new nn.ConvTranspose2d(16, 8, 4, half), new nn.BatchNorm2d(8), new nn.ReLU()],
    ...[new nn.ConvTranspose2d(8, 3, 4, half), new nn.Tanh()],
  );

  override forward(z: Tensor): Tensor {
    return this.main.forward(z);
  }
}

class Discriminator extends nn.Module {
  readonly main = new nn.Sequential(
    ...[new nn.Conv2d(3, 8, 4, half), new nn.LeakyReLU(0.2)],
    ...[new nn.Conv2d(8, 16, 4, half), new nn.BatchNorm2d(16), new nn.LeakyReLU(0.2)],
    ...[new nn.Conv2d(16, 32, 4, half), new nn.BatchNorm2d(32), new nn.LeakyReLU(0.2)],
    ...[new nn.Conv2d(32, 1, 4, plain), new nn.Sigmoid()],
  );

  override forward(x: Tensor): Tensor {
    return this.main.forward(x);
  }
}

class Mixed extends nn.Module {
  readonly fcIn = new nn.Linear(5, 24);
  readonly up = new nn.ConvTranspose2d(4, 6, 3, { stride: 2, groups: 2 });
  readonly layerNorm = new nn.LayerNorm([5, 7, 6]);
  readonly down = new nn.Conv2d(6, 4, [3, 2], { groups: 2, bias: false });
  readonly fcOut = new nn.Linear(72, 3);
  readonly sameAgain = this.fcOut;

  override forward(z: Tensor): Tensor {
    const h = this.layerNorm.forward(this.up.forward(this.fcIn.forward(z).reshape([-1, 2, 3, 4]))).relu();
    return this.sameAgain.forward(this.down.forward(h).reshape([-1, 72]));
  }
}

const flattened = { fcIn: { output: [2, 3, 4] }, fcOut: { input: [3, 6, 4] } };

/** The largest distance of results to PyTorch's. */
async function apart(
  device: (typeof devices)['webgpu' | 'reference'],
  name: string,
  fn: () => Tensor,
): Promise<number> {
  const [found] = await read(device, () => [noGrad(() => scope(fn))]);
  const [wanted] = await read(reference, () => [scope(() => resultOf(name))]);
  assert.is(found!.length, wanted!.length);
  return Math.max(...found!.map((v, i) => Math.abs(v - wanted![i]!)));
}

for (const [kind, device] of Object.entries(devices)) {
  const tolerance = kind === 'webgpu' ? 1e-5 : 1e-10;
  const make = <M extends nn.Module>(Class: new () => M, name: string, options = {}): M =>
    withDevice(device, () => {
      const m = new Class();
      m.loadStateDict(nn.fromPyTorch(m, load(name), options));
      m.eval();
      return m;
    });

  test(`${kind}: PyTorch's DCGAN draws the same images, scores them alike, and goes back to the same file`, async () => {
    const [generator, discriminator] = [make(Generator, 'generator'), make(Discriminator, 'discriminator')];
    const images = await apart(device, 'images', () => generator.forward(resultOf('z')));
    const scores = await apart(device, 'scores', () => discriminator.forward(resultOf('images')));
    assert.ok(images <= tolerance && scores <= tolerance, `images are off by ${images}, scores by ${scores}`);
    for (const [name, module] of Object.entries({ generator, discriminator })) {
      const back = await nn.toPyTorch(module);
      const own = load(name);
      assert.equal([...back.keys()].sort(), [...own.keys()].sort());
      for (const [key, { shape, data }] of own) {
        const found = back.get(key)!;
        assert.equal(
          [found.shape, Array.from(found.data as Float32Array)],
          [shape, Array.from(data as Float32Array)],
          key,
        );
      }
      if (kind === 'webgpu') assert.equal(nn.encodeSafetensors(back, { format: 'pt' }), new Uint8Array(bytes(name)));
      module.dispose();
    }
  });

  test(`${kind}: flattened images, groups, norms over images and shared layers too`, async () => {
    const mixed = make(Mixed, 'mixed', { flattened });
    const off = await apart(device, 'mixed', () => mixed.forward(resultOf('codes')));
    // Sums of 72 products of numbers about 1: float32 has seven digits of them.
    assert.ok(off <= tolerance, `off by ${off}`);
    if (kind === 'reference') {
      const back = await nn.toPyTorch(mixed, { flattened });
      assert.equal(nn.encodeSafetensors(back, { format: 'pt' }), new Uint8Array(bytes('mixed')));
    }
    mixed.loadStateDict(nn.fromPyTorch(mixed, load('mixed')));
    assert.ok((await apart(device, 'mixed', () => mixed.forward(resultOf('codes')))) > 0.1, 'the order matters');
    mixed.dispose();
  });
}

const on = <T>(fn: () => T): T => withDevice(reference, fn);
const throws = (fn: () => unknown, pattern: RegExp, kind: new (m: string) => Error = Error): void =>
  assert.throws(fn, (e: Error) => {
    assert.match(e.message, pattern);
    return e instanceof kind;
  });

test("a rule of one's own: names, layouts, and what PyTorch has besides", async () => {
  class Own extends nn.Module {
    readonly weightIhL0 = new nn.Parameter(tensor([[1, 2, 3]]));
    readonly gain = new nn.Parameter(tensor([7]));
    readonly inner = [new nn.Linear(1, 1), new nn.Sequential(new nn.BatchNorm2d(1))];

    override pyTorchRule(): nn.PyTorchRule {
      return { names: { gain: 'weight_g', inner: 'blocks' }, axes: { weightIhL0: nn.channelsFirst(2) } };
    }

    override forward(x: Tensor): Tensor {
      return x;
    }
  }
  const own = on(() => new Own());
  const back = await nn.toPyTorch(own);
  const norm = ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'].map((n) => `blocks.1.0.${n}`);
  assert.equal(
    [...back.keys()].sort(),
    ['weight_ih_l0', 'weight_g', 'blocks.0.weight', 'blocks.0.bias', ...norm].sort(),
  );
  assert.equal(back.get('weight_ih_l0'), { shape: [3, 1], data: Float64Array.of(1, 2, 3) });
  assert.equal(back.get('blocks.1.0.num_batches_tracked'), { shape: [], data: BigInt64Array.of(0n) });
  assert.equal(nn.fromPyTorch(own, back).get('weightIhL0'), { shape: [1, 3], data: Float64Array.of(1, 2, 3) });
});

test("DataParallel's prefix is dropped, and a file of before num_batches_tracked is read", () => {
  const generator = on(() => new Generator());
  const own = [...load('generator')].filter(([name]) => !name.endsWith('tracked'));
  const prefixed = new Map(own.map(([name, t]) => [`module.${name}`, t]));
  assert.equal(nn.fromPyTorch(generator, prefixed), nn.fromPyTorch(generator, load('generator')));
});

test('what wrappers put into the names is taken off, or the prefix to give is said', () => {
  const generator = on(() => new Generator());
  const own = [...load('generator')];
  const wanted = nn.fromPyTorch(generator, load('generator'));
  const renamed = (rename: (name: string) => string, others: string[] = []) =>
    new Map([
      ...own.map(([name, t]) => [rename(name), t] as const),
      ...others.map((name) => [name, { shape: [1], data: new Float32Array(1) }] as const),
    ]);
  const prefixes = [
    '_orig_mod.',
    'module._orig_mod.',
    '_orig_mod.module.',
    'model.',
    'generator.',
    'state_dict.',
    'params_ema.',
  ];
  for (const prefix of [...prefixes, 'state_dict.module.generator._orig_mod.']) {
    assert.equal(
      nn.fromPyTorch(
        generator,
        renamed((name) => prefix + name),
      ),
      wanted,
      prefix,
    );
    const inner = renamed((name) => prefix + name.replace(/(\.)(\w+)$/, '$1_orig_mod.$2'));
    assert.equal(nn.fromPyTorch(generator, inner), wanted, `${prefix} with compiled layers`);
  }
  const both = renamed((name) => `net.generator.${name}`, ['net.critic.0.weight', 'step']);
  throws(
    () => nn.fromPyTorch(generator, both),
    /net\.critic\.0\.weight is unexpected.* All that is missing is there behind "net\.generator\.": give \{ prefix: 'net\.generator\.' \}$/,
  );
  assert.equal(nn.fromPyTorch(generator, both, { prefix: 'net.generator.' }), wanted);
  assert.equal(
    nn.fromPyTorch(
      generator,
      renamed((n) => `net.${n}`, ['a.b']),
      { prefix: 'net.' },
    ),
    wanted,
  );
  // One that is missing is named as it would be without the prefix.
  const short = renamed((name) => `model.${name}`);
  short.delete('model.main.0.weight');
  throws(
    () => nn.fromPyTorch(generator, short),
    /^fromPyTorch: main\.0\.weight \(main\.layers\.0\.weight\) is missing\. Build the module/,
  );

  const linear = on(() => new nn.Linear(2, 2));
  const state = new Map([...linear.stateDict()].map(([name, t]) => [`module.${name}`, t]));
  for (const strict of [true, false]) {
    throws(
      () => linear.loadStateDict(state, { strict }),
      /^loadStateDict: weight is missing; .* behind "module\.": take it off, as in new Map\(.*replace\('module\.', ''\)/,
    );
  }
});

test('fromPyTorch warns of a Linear beside convolutions whose features are those of an image', () => {
  const warned = (module: nn.Module, options?: nn.PyTorchOptions) => {
    const real = console.warn;
    let said = '';
    console.warn = (text: string) => {
      said += text;
    };
    try {
      nn.fromPyTorch(module, new Map(), options);
    } catch (error) {
      assert.match((error as Error).message, /is missing/);
    } finally {
      console.warn = real;
    }
    return /flattened: \{ ("?.*\}) \} \}, with/.exec(said)?.[1] ?? said;
  };
  const seq = (...layers: nn.Stage[]) => new nn.Sequential(...layers);
  on(() => {
    const critic = seq(
      new nn.Conv2d(1, 4, 3),
      new nn.BatchNorm2d(4),
      new nn.Flatten(),
      new nn.Linear(36, 8),
      new nn.Linear(8, 4),
    );
    assert.is(warned(critic), '"layers.3": { input: [3,3,4] }');
    assert.is(warned(critic, { flattened: {} }), '');
    assert.is(warned(critic, { flattened: { 'layers.3': { input: [3, 3, 4] } } }), '');
    const pooled = seq(new nn.Conv2d(1, 4, 3), new nn.Flatten(), new nn.Linear(4, 8), new nn.Linear(8, 16));
    assert.is(warned(pooled), '', 'one place: the orders are one');
    const odd = seq(new nn.Conv1d(1, 4, 3), new nn.Linear(20, 8));
    assert.is(warned(odd), '"layers.1": { input: [H,W,C] }');
    const generator = seq(new nn.Linear(2, 24), new nn.Unflatten(1, [2, 3, 4]), new nn.ConvTranspose2d(4, 1, 3));
    assert.is(warned(generator), '"layers.0": { output: [2,3,4] }');
    assert.is(warned(seq(new nn.Linear(2, 24), new nn.Linear(24, 2))), '');
  });
});

test('a kernel of one dimension and of three is laid out as one of two', () => {
  class Kernel extends nn.Module {
    readonly weight: nn.Parameter;

    constructor(shape: number[]) {
      super();
      const n = shape.reduce((a, b) => a * b, 1);
      this.weight = new nn.Parameter(
        tensor(
          Array.from({ length: n }, (_, i) => i),
          { shape },
        ),
      );
    }

    override pyTorchRule(): nn.PyTorchRule {
      return { axes: { weight: nn.channelsFirst(this.weight.rank) } };
    }

    override forward(x: Tensor): Tensor {
      return x;
    }
  }
  for (const kernel of [[5], [2, 3, 4]]) {
    const m = on(() => new Kernel([...kernel, 2, 3]));
    const theirs = [3, 2, ...kernel];
    const volume = kernel.reduce((a, b) => a * b, 1);
    // PyTorch's element [o,i,k...] is ours at [k...,i,o], numbered (k · 2 + i) · 3 + o.
    const data = Float64Array.from({ length: 6 * volume }, (_, at) => {
      const [k, i, o] = [at % volume, Math.floor(at / volume) % 2, Math.floor(at / volume / 2)];
      return (k * 2 + i) * 3 + o;
    });
    const { data: found } = nn.fromPyTorch(m, new Map([['weight', { shape: theirs, data }]])).get('weight')!;
    assert.equal(Array.from<number | bigint>(found), Array.from(data.keys()));
  }
});

test('what does not fit is named, by both names', () => {
  const mixed = on(() => new Mixed());
  const weights = load('mixed');
  const without = new Map([...weights].filter(([name]) => name !== 'layer_norm.bias'));
  throws(
    () => nn.fromPyTorch(mixed, without.set('fc_in.gain', weights.get('fc_in.bias')!)),
    /^fromPyTorch: layer_norm\.bias \(layerNorm\.bias\) is missing; fc_in\.gain is unexpected\. Build the module/,
  );
  const narrow = new Map(weights).set('down.weight', { shape: [4, 3, 2, 3], data: new Float64Array(72) });
  throws(
    () => nn.fromPyTorch(mixed, narrow),
    /^fromPyTorch: down\.weight is \[4,3,2,3\], but down\.weight \[3,2,3,4\] needs \[4,3,3,2\] in PyTorch's layout$/,
    ShapeError,
  );
  const untied = new Map(weights).set('same_again.bias', { shape: [3], data: new Float64Array(3) });
  throws(() => nn.fromPyTorch(mixed, untied), /fcOut\.bias is one tensor here, which same_again\.bias shares, but/);
  throws(
    () => nn.fromPyTorch(mixed, weights, { flattened: { fcin: {} } }),
    /there is no layer fcin; the module has fcIn, up/,
  );
  throws(
    () => nn.fromPyTorch(mixed, weights, { flattened: { up: { input: [1, 1, 4] } } }),
    /up has no features in a row; name/,
  );
  throws(
    () => nn.fromPyTorch(mixed, weights, { flattened: { fcIn: { output: [2, 3, 5] } } }),
    /fcIn has 24 output features, but an image \[2,3,5\] has 30 values; give \[H,W,C\]/,
    ShapeError,
  );
});

test.run();
