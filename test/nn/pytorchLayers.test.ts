/**
 * The weights of every layer that PyTorch has too, by its names and in its layout: they load, give PyTorch's outputs, and come
 * back as they were. test/fixtures/weightsLayers.py wrote the cases; whole networks are in pytorchWeights.test.ts.
 */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { init, noGrad, ShapeError, scope, type Tensor, tensor } from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
import { readFixtures } from '../support/fixtures.ts';
import { type LayerSpec, layerNames, makeLayer, specOf, tensorsOf } from '../support/layerOps.ts';

const test = suite('weights of PyTorch, layer by layer');
await init({ adapter: 'reference' });

interface Values {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

interface Case {
  readonly op: string;
  readonly args: readonly unknown[];
  readonly state: Readonly<Record<string, Values & { readonly int?: true }>>;
  /** In wgrad's layout, as are the outputs. */
  readonly inputs: readonly Values[];
  readonly outputs: readonly Values[];
  readonly wrap?: LayerSpec['wrap'];
  /** What `forward` gets, if not the inputs in order. */
  readonly ours?: readonly unknown[];
  readonly flattened?: nn.FlattenedImages;
  /** The state has the names of torch.nn.utils.parametrizations, which `toPyTorch` does not write. */
  readonly newer?: true;
}

const file = new URL('../fixtures/weights/layers.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly Case[] };

/** Layers that have no fixture from which to tell that they have no parameters, or that PyTorch does not have; with the reason. */
const WITHOUT_TWIN: Readonly<Record<string, string>> = {
  Recurrent: 'the base class of RNN, GRU and LSTM',
  RecurrentCell: 'the base class of the cells',
  Sequential: 'has no tensors of its own; test/nn/pytorchWeights.test.ts',
  Residual: 'has no tensors of its own, and no twin',
  Reshape: 'has no tensors',
  PixelNorm: 'has no tensors',
  Maxout: 'of Goodfellow et al. 2013',
  AdaIN: 'of StyleGAN',
  ConditionalBatchNorm: 'of SAGAN and BigGAN',
  MinibatchDiscrimination: 'of Salimans et al. 2016',
  SelfAttention2d: 'of SAGAN',
};

const make = ({ op, args, wrap }: Case): nn.Module<unknown[], unknown> =>
  makeLayer(op, { args, tensors: [], eval: true, ...(wrap ? { wrap } : {}) });

const optionsOf = ({ flattened }: Case): nn.PyTorchOptions => (flattened ? { flattened: { '': flattened } } : {});

const stateOf = ({ state }: Case): Map<string, nn.StoredTensor> =>
  new Map(
    Object.entries(state).map(([name, { shape, values, int }]) => [
      name,
      { shape, data: int ? BigInt64Array.from(values, BigInt) : Float64Array.from(values) },
    ]),
  );

const placed = (v: unknown, inputs: readonly Tensor[]): unknown =>
  Array.isArray(v) ? v.map((inner) => placed(inner, inputs)) : inputs[Number(String(v).slice(1))];

const numbers = ({ data }: nn.StoredTensor): number[] => Array.from<number | bigint, number>(data, Number);

/** The distance of a layer's outputs to PyTorch's. */
async function off(layer: nn.Module<unknown[], unknown>, { op, inputs, outputs, ours }: Case): Promise<number> {
  const found = await scope(() => {
    const given = inputs.map(({ shape, values }) => tensor(Float64Array.from(values), { shape }));
    const all = tensorsOf(noGrad(() => layer.forward(...(ours ? (placed(ours, given) as unknown[]) : given))));
    assert.equal(
      all.map((t) => t.shape),
      outputs.map((t) => t.shape),
      op,
    );
    return Promise.all(all.map((t) => t.data()));
  });
  return Math.max(...found.flatMap((data, i) => Array.from(data, (v, at) => Math.abs(v - outputs[i]!.values[at]!))));
}

cases.forEach((c, i) => {
  const title = [c.wrap?.[0], c.op, JSON.stringify(c.args), c.flattened && 'flattened', c.newer && 'newer names'];
  test(`${i} ${title.filter(Boolean).join(' ')}`, async () => {
    const [layer, state, options] = [make(c), stateOf(c), optionsOf(c)];
    assert.ok((await off(layer, c)) > 1e-3, 'as it was made it gives something else');
    layer.loadStateDict(nn.fromPyTorch(layer, state, options));
    const error = await off(layer, c);
    assert.ok(error <= 1e-10, `off by ${error}`);
    const back = await nn.toPyTorch(layer, options);
    if (c.newer) {
      assert.equal([...back.keys()].sort(), [...state.keys()].map(olderName).sort());
      assert.equal(nn.fromPyTorch(layer, back), nn.fromPyTorch(layer, state));
    } else {
      assert.equal([...back.keys()].sort(), [...state.keys()].sort());
      for (const [name, wanted] of state) {
        const found = back.get(name)!;
        assert.equal([found.shape, numbers(found)], [wanted.shape, numbers(wanted)], name);
      }
    }
    layer.dispose();
  });
});

/** `parametrizations.weight.0._u` as `weight_u`. */
const olderName = (name: string): string =>
  name.replace(/^parametrizations\.(\w+)\.(original|0\._u|0\._v)$/, (_, w: string, part: string) =>
    part === 'original' ? `${w}_orig` : `${w}${part.slice(2)}`,
  );

test('every layer with parameters that PyTorch has too has a case', () => {
  const covered = new Set(cases.map(({ op }) => op));
  const fixtures = readFixtures('layers');
  const withParameters = layerNames.filter((name) => {
    const made = fixtures.filter(({ op }) => op === name).map((f) => makeLayer(name, specOf(f)));
    const some = made.some((layer) => layer.stateDict().size > 0);
    for (const layer of made) layer.dispose();
    // A layer that cannot be made here might have some.
    return some || made.length === 0;
  });
  assert.ok(withParameters.length > 25, `only ${withParameters}`);
  assert.equal(
    withParameters.filter((name) => !covered.has(name) && !(name in WITHOUT_TWIN)),
    [],
    'a layer that PyTorch has too needs a rule, and cases in test/fixtures/weightsLayers.py',
  );
  assert.equal(
    Object.keys(WITHOUT_TWIN).filter((name) => covered.has(name) || !layerNames.includes(name)),
    [],
  );
  assert.equal(
    [...covered].filter((name) => !layerNames.includes(name)),
    [],
  );
});

const caseOf = (op: string, is: (c: Case) => boolean = () => true): Case => cases.find((c) => c.op === op && is(c))!;
const throws = (fn: () => unknown, pattern: RegExp, kind: new (m: string) => Error = Error): void =>
  assert.throws(fn, (e: Error) => {
    assert.match(e.message, pattern);
    return e instanceof kind;
  });

test("weight norm's newer names are read too", () => {
  const c = caseOf('Conv2d', ({ wrap }) => wrap?.[0] === 'weightNorm');
  const layer = make(c);
  const names = new Map([
    ['weight_g', 'parametrizations.weight.original0'],
    ['weight_v', 'parametrizations.weight.original1'],
  ]);
  const renamed = new Map([...stateOf(c)].map(([name, t]) => [names.get(name) ?? name, t]));
  assert.equal(nn.fromPyTorch(layer, renamed), nn.fromPyTorch(layer, stateOf(c)));
  layer.dispose();
});

test('tensors that are joined inside networks: layers in Sequential, one shared, and with flattened features', async () => {
  const attention = caseOf('MultiheadAttention');
  class Twice extends nn.Module {
    readonly blocks = [new nn.MultiheadAttention(4, 2)];
    readonly again = this.blocks[0]!;
    readonly gate = nn.spectralNorm(new nn.Linear(4, 4));

    override forward(x: Tensor): Tensor {
      return this.gate.forward(this.again.forward(x)[0]);
    }
  }
  const module = new Twice();
  const back = await nn.toPyTorch(module);
  const inner = Object.keys(attention.state);
  assert.equal(
    [...back.keys()].sort(),
    [
      ...inner.flatMap((name) => [`blocks.0.${name}`, `again.${name}`]),
      ...['bias', 'weight_orig', 'weight_u', 'weight_v'].map((name) => `gate.${name}`),
    ].sort(),
  );
  const loaded = nn.fromPyTorch(module, back);
  assert.equal([...loaded.keys()].sort(), [...module.stateDict().keys()].sort());
  const flattened = { 'blocks.0.qProj': { input: [2, 1, 2] } };
  const other = await nn.toPyTorch(module, { flattened });
  const rows = (t: nn.StoredTensor): number[][] =>
    Array.from({ length: 12 }, (_, r) => numbers(t).slice(4 * r, 4 * r + 4));
  const [before, after] = [back, other].map((m) => rows(m.get('blocks.0.in_proj_weight')!));
  assert.equal(
    after,
    // Of the queries' rows alone, [h,w,c] = [2,1,2] becomes [c,h,w].
    before!.map((row, r) => (r < 4 ? [row[0], row[2], row[1], row[3]] : row)),
  );
  module.dispose();
});

test("a parametrisation of one's own goes by PyTorch's parametrize, its weight in PyTorch's layout", async () => {
  class Scaled extends nn.Module {
    readonly byHowMuch = new nn.Parameter(tensor([2]));

    override forward(w: Tensor): Tensor {
      return w.mul(this.byHowMuch);
    }
  }
  const layer = nn.registerParametrization(new nn.Linear(2, 3), 'weight', new Scaled());
  const at = 'parametrizations.weight';
  layer.loadStateDict(
    new Map([
      ['bias', tensor([0, 0, 0])],
      [`${at}.original`, tensor([1, 2, 3, 4, 5, 6], { shape: [2, 3] })],
      [`${at}.0.byHowMuch`, tensor([7])],
    ]),
  );
  const back = await nn.toPyTorch(layer);
  assert.equal([...back.keys()].sort(), ['bias', `${at}.0.by_how_much`, `${at}.original`]);
  assert.equal(back.get(`${at}.original`), { shape: [3, 2], data: Float64Array.of(1, 4, 2, 5, 3, 6) });
  assert.equal(nn.fromPyTorch(layer, back).get(`${at}.original`)!.data, Float64Array.of(1, 2, 3, 4, 5, 6));
  nn.spectralNorm(layer);
  throws(
    () => nn.fromPyTorch(layer, back),
    /^weight goes through Scaled and SpectralNorm, for which together PyTorch has no names; use removeParam/,
  );
  layer.dispose();
});

test('what cannot be joined or does not fit is named', () => {
  const attention = caseOf('MultiheadAttention');
  const layer = make(attention) as unknown as nn.MultiheadAttention;
  const state = stateOf(attention);
  const narrow = { shape: [8, 4], data: new Float64Array(32) };
  throws(
    () => nn.fromPyTorch(layer, new Map(state).set('in_proj_weight', narrow)),
    /^fromPyTorch: in_proj_weight is \[8,4\], but qProj\.weight \[4,4\], kProj\.weight \[4,4\], vProj\.weight \[4,4\] need \[12,4\] in/,
    ShapeError,
  );
  const without = new Map([...state].filter(([name]) => name !== 'in_proj_bias'));
  throws(
    () => nn.fromPyTorch(layer, without),
    /^fromPyTorch: in_proj_bias \(qProj\.bias, kProj\.bias, vProj\.bias\) is missing\./,
  );
  nn.weightNorm(layer.kProj);
  throws(
    () => nn.fromPyTorch(layer, state),
    /^PyTorch's in_proj_weight has kProj\.weight in it, which cannot be had: parametrised or left out; use removePar/,
  );
  nn.removeParametrizations(layer.kProj);
  assert.is(nn.fromPyTorch(layer, state).size, 8);
  layer.dispose();

  const embedding = new nn.Embedding(5, 8);
  throws(
    () => nn.fromPyTorch(embedding, new Map(), { flattened: { '': { input: [2, 2, 2] } } }),
    /^flattened: the module has no input features in a row; leave input out$/,
  );
  embedding.dispose();

  class Uneven extends nn.Module {
    readonly parts = [new nn.Linear(2, 3), new nn.Linear(4, 3)];

    override pyTorchRule(): nn.PyTorchRule {
      return { joined: { weight: ['parts.0.weight', 'parts.1.weight'] } };
    }

    override forward(x: Tensor): Tensor {
      return x;
    }
  }
  const uneven = new Uneven();
  throws(
    () => nn.fromPyTorch(uneven, new Map()),
    /^PyTorch's weight is made of parts\.0\.weight \[3,2\], parts\.1\.weight \[3,4\], in its layout, which must agree but/,
    ShapeError,
  );
  uneven.dispose();
});

test.run();
