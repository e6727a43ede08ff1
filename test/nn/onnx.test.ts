/** ONNX export: files against the modules that they came from, run by onnxruntime. */

import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-web';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  checkpoint,
  cholesky,
  concat,
  conv2d,
  copyFrom,
  customOp,
  depthToSpace,
  diag,
  embedding,
  globalAvgPool,
  groupNorm,
  init,
  keep,
  maxPool2d,
  memory,
  noGrad,
  Rng,
  reference,
  resizeNearest,
  roll,
  scaledDotProductAttention,
  scope,
  spaceToDepth,
  std,
  type Tensor,
  tensor,
  tile,
  trace,
  withDevice,
  zeros,
} from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
import { MAPPINGS } from '../../nn/onnx/ops/table.ts';
import { openGpu } from '../support/devices.ts';
import { agree, countsOf, Fn } from '../support/onnx.ts';
import { onnxCases } from '../support/onnxOps.ts';

const test = suite('onnx');
await init({ adapter: 'reference' });
const rng = new Rng(3);
const opaque = (op: string) => op in MAPPINGS;
const seen = new Set<string>();

for (const [name, { fn, inputs, agreement }] of Object.entries(onnxCases)) {
  test(name, async () => {
    const shapes = inputs.map((x) => ('below' in x ? x.shape : x));
    for (const e of scope(() => trace(() => fn(...shapes.map((s) => zeros(s))), { opaque })).entries)
      seen.add(e.op ?? '');
    await agree(new Fn(fn), inputs, agreement);
    if (shapes[0]!.length !== 4 || 'below' in inputs[0]!) return;
    // Behind a convolution the image lies with its channels first.
    const c = shapes[0]![3]!;
    const w = keep(rng.normal([1, 1, c, c]));
    await agree(new Fn((x, ...rest) => fn(conv2d(x, w), ...rest)), inputs, { tolerance: 3e-5, ...agreement });
  });
}

test('every row of the mapping table has a case', () => {
  const missing = Object.keys(MAPPINGS).filter((op) => !seen.has(op));
  assert.equal(missing, []);
});

const layer = { rng };
const relu = () => new nn.ReLU();
const Block = (from: number, to: number) => [
  new nn.Conv2d(from, to, 4, { stride: 2, padding: 1, bias: false, rng }),
  new nn.BatchNorm2d(to),
  new nn.LeakyReLU(0.2),
];

/** Gives the norms inside statistics and weights that are not those of the start. */
function stir(m: nn.Module): nn.Module {
  for (const [, inner] of m.namedModules()) {
    if (!(inner instanceof nn.BatchNorm2d)) continue;
    const c = inner.weight!.size;
    inner.runningMean!.assign(Array.from({ length: c }, (_, i) => 0.3 * i - 0.5));
    inner.runningVar!.assign(Array.from({ length: c }, (_, i) => 0.4 + 0.2 * i));
    inner.weight!.assign(Array.from({ length: c }, (_, i) => 1 - 0.1 * i));
    inner.bias!.assign(Array.from({ length: c }, (_, i) => 0.1 * i));
  }
  return m;
}

test('MLP: two products, parameters under their names', async () => {
  const mlp = new nn.Sequential(new nn.Linear(3, 8, layer), relu(), new nn.Linear(8, 2, layer));
  const contents = await agree(mlp, [[1, 3]]);
  assert.equal(countsOf(contents), { Gemm: 2, Relu: 1 });
  assert.equal(
    contents.nodes.map((n) => n.name),
    ['layers.0/Gemm', 'layers.1/Relu', 'layers.2/Gemm'],
  );
  assert.equal(Object.fromEntries(contents.initializers), shapes(mlp));
  assert.equal([contents.inputs, contents.outputs], [[['batch', 3]], [['batch', 2]]]);
});

const shapes = (m: nn.Module) => Object.fromEntries([...m.stateDict()].map(([name, t]) => [name, [...t.shape]]));

test('DCGAN: the generator and the discriminator turn images at their ends alone', async () => {
  const up = { stride: 2, padding: 1, rng };
  const generator = stir(
    new nn.Sequential(
      ...[new nn.Linear(5, 2 * 2 * 6, layer), new nn.Reshape([2, 2, 6]), new nn.BatchNorm2d(6), relu()],
      ...[new nn.ConvTranspose2d(6, 4, 4, { ...up, bias: false }), new nn.BatchNorm2d(4), relu()],
      ...[new nn.ConvTranspose2d(4, 3, 4, up), new nn.Tanh()],
    ),
  );
  const made = await agree(generator, [[2, 5]]);
  const body = { BatchNormalization: 2, Relu: 2, ConvTranspose: 2, Tanh: 1, Transpose: 2 };
  assert.equal(countsOf(made), { Gemm: 1, Reshape: 1, ...body });
  assert.is(made.nodes[made.nodes.length - 1]!.opType, 'Transpose');
  assert.equal(made.initializers.get('layers.7.weight'), [4, 3, 4, 4]);
  assert.equal(made.initializers.get('layers.2.runningVar'), [6]);
  const discriminator = stir(
    new nn.Sequential(...Block(3, 4), ...Block(4, 6), new nn.Flatten(), new nn.Linear(24, 1, layer), new nn.Sigmoid()),
  );
  const judged = await agree(discriminator, [[2, 8, 8, 3]]);
  const rest = { Conv: 2, BatchNormalization: 2, LeakyRelu: 2, Reshape: 1, Gemm: 1, Sigmoid: 1 };
  assert.equal(countsOf(judged), { Transpose: 2, ...rest });
});

test('a critic with layer norm over the image and group norm', async () => {
  const [scale, shift] = [new nn.Parameter(rng.normal([6])), new nn.Parameter(rng.normal([6]))];
  const conv = new nn.Conv2d(3, 6, 3, { padding: 1, stride: 2, rng });
  const [norm, head] = [new nn.LayerNorm([4, 4, 6]), new nn.Linear(6, 1, layer)];
  norm.weight!.assign((await rng.normal([96]).data()) as Float64Array);
  const critic = new Fn(
    (x) => {
      const h = norm.forward(conv.forward(x)).leakyRelu(0.2);
      return head.forward(groupNorm(h, 3, { weight: scale, bias: shift }).mean([1, 2]));
    },
    ...[conv, norm, head],
  );
  const contents = await agree(critic, [[2, 8, 8, 3]]);
  assert.is(countsOf(contents).Transpose, 1); // of the images; the mean over places leaves [N,C]
  assert.equal(contents.initializers.get('layers.1.weight'), [6, 4, 4]);
});

test('a classifier with pooling, and a generator that resizes', async () => {
  const conv = new nn.Conv2d(3, 5, 3, { padding: 1, rng });
  const head = new nn.Linear(5, 4, layer);
  const classify = (x: Tensor | undefined) =>
    head.forward(globalAvgPool(maxPool2d(conv.forward(x!).relu(), 2))).softmax();
  const classifier = await agree(new Fn(classify, conv, head), [[2, 8, 8, 3]]);
  assert.equal(countsOf(classifier), {
    Transpose: 1,
    Conv: 1,
    Relu: 1,
    MaxPool: 1,
    ReduceMean: 1,
    Gemm: 1,
    Softmax: 1,
  });
  const last = new nn.Conv2d(5, 3, 3, { padding: 1, rng });
  const paint = (x: Tensor | undefined) => last.forward(resizeNearest(conv.forward(x!).relu(), { scale: 2 })).tanh();
  const painted = await agree(new Fn(paint, conv, last), [[1, 4, 4, 3]]);
  assert.equal(countsOf(painted), { Transpose: 2, Conv: 2, Relu: 1, Resize: 1, Tanh: 1 });
});

test('blocks of pixels are one node', async () => {
  const shuffle = await agree(new Fn((x) => conv2d(depthToSpace(conv2d(x, one), 2), three)), [[1, 2, 3, 8]]);
  assert.equal(countsOf(shuffle), { Transpose: 2, Conv: 2, DepthToSpace: 1 });
  const gather = await agree(new Fn((x) => conv2d(spaceToDepth(conv2d(x, three), 2), one)), [[1, 2, 4, 2]]);
  assert.equal(countsOf(gather), { Transpose: 2, Conv: 2, SpaceToDepth: 1 });
});
const [one, three] = [keep(rng.normal([1, 1, 8, 8])), keep(rng.normal([1, 1, 2, 2]))];

test('an attention block on embeddings, with two inputs and two outputs by name', async () => {
  const table = new nn.Parameter(rng.normal([9, 8]));
  const [q, k, v, out] = [1, 2, 3, 4].map(() => new nn.Linear(8, 8, layer)) as nn.Linear[];
  const norm = new nn.LayerNorm(8);
  const heads = (x: Tensor) => x.reshape([x.shape[0]!, x.shape[1]!, 2, 4]).permute([0, 2, 1, 3]);
  class Block extends nn.Module<[ids: Tensor, places: Tensor], Tensor[]> {
    readonly table = table;
    readonly layers = [q!, k!, v!, out!, norm];
    override forward(ids: Tensor, places: Tensor): Tensor[] {
      const x = norm.forward(embedding(this.table, ids).add(places));
      const [a, b, c] = [q!, k!, v!].map((l) => heads(l.forward(x)));
      const seen = scaledDotProductAttention(a!, b!, c!, { causal: true });
      const y = out!.forward(seen.permute([0, 2, 1, 3]).reshape(x.shape));
      return [y, y.mean(1)];
    }
  }
  const names = { inputNames: ['ids', 'places'], outputNames: ['tokens', 'sentence'] };
  const contents = await agree(new Block(), [{ shape: [2, 5], below: 9 }, [2, 5, 8]], { options: names });
  assert.equal(contents.initializers.get('table'), [9, 8]);
  assert.equal(contents.inputs[0], ['batch', 5]);
});

/** The standard deviation over groups of samples, as a further channel (Karras et al. 2018). */
const minibatchStd = (group: number) => (x: Tensor | undefined) => {
  const [n, h, w] = x!.shape as [number, number, number];
  const spread = std(x!.reshape([group, n / group, -1]), 0).mean([1]);
  const map = tile(spread.reshape([n / group, 1, 1, 1]), [group, h, w, 1]);
  return concat([x!, map], -1);
};

test('a batch of one size where the module asks for it, and an error where it must not be', async () => {
  const grouped = new Fn(minibatchStd(2));
  const contents = await agree(grouped, [[4, 2, 2, 3]], { fixed: true });
  assert.equal(contents.inputs, [[4, 2, 2, 3]]);
  await rejects(
    nn.exportOnnx(grouped, [[4, 2, 2, 3]], { dynamicBatch: true }),
    /^exportOnnx: dynamicBatch cannot be had: a batch of 5 is refused \(reshape: .*; leave it out for a batch of the size given$/,
  );
  const rolled = new Fn((x) => roll(x, 1, 0));
  await rejects(nn.exportOnnx(rolled, [[4, 2]], { dynamicBatch: true }), /slice: a slice along the batch depends/);
  // A branch on the batch, and a tensor that depends on it.
  const branch = new Fn((x) => (x.shape[0]! > 4 ? x.exp() : x.tanh()));
  await rejects(nn.exportOnnx(branch, [[4, 2]], { dynamicBatch: true }), /tanh is exp with another batch/);
  const host = new Fn((x) => x.mul(tensor([x.shape[0]!])));
  await agree(host, [[4, 2]], { fixed: true });
  await rejects(nn.exportOnnx(host, [[4, 2]], { dynamicBatch: true }), /a tensor that forward makes has other values/);
  await rejects(
    nn.exportOnnx(new Fn((x, y) => x.sum().add(y)), [[4, 2], [3]], { dynamicBatch: true }),
    /the inputs have no first axis of one size/,
  );
  // Groups of four samples, or of all where there are fewer: one graph up to a batch of four, and another behind it.
  const few = nn.exportOnnx(new nn.MinibatchStdDev(), [[1, 2, 2, 2]], { dynamicBatch: true });
  await rejects(few, /^exportOnnx: dynamicBatch cannot be had: /);
  await agree(new Fn((x) => x.exp()), [[4, 2]], { fixed: true, options: { dynamicBatch: false } });
  // The mean over the batch is one for every size.
  await agree(new Fn((x) => x.sub(x.mean(0))), [[4, 2]]);
});

test('a result that is given twice is two outputs', async () => {
  const twice = new Fn((x) => {
    const y = x.mul(2);
    return [y, y];
  });
  await agree(twice, [[2, 3]]);
});

test('inputs and outputs that are nothing else: passed through, unused, constant, the same twice', async () => {
  const p = new nn.Parameter(tensor([1, 2, 3]));
  const contents = await agree(new Fn((x) => [x, p, p.mul(2), x.exp(), x]), [
    [2, 3],
    [2, 1],
  ]);
  assert.equal(contents.inputs, [
    ['batch', 3],
    ['batch', 1],
  ]);
  assert.equal(contents.outputs.slice(0, 2), [['batch', 3], [3]]);
});

test('the module is left as it was, and nothing stays in memory', async () => {
  const m = new nn.Sequential(new nn.Linear(2, 3, layer), new nn.BatchNorm1d(3)).train();
  m.layers[0]!.eval();
  const before = memory().tensors;
  await nn.exportOnnx(m, [[2, 2]]);
  assert.is(memory().tensors, before);
  assert.equal([m.training, m.layers[0]!.training, m.layers[1]!.training], [true, false, true]);
  assert.equal(values(m.layers[1] as nn.BatchNorm2d), [0, 0, 0]);
});

const values = (m: nn.BatchNorm2d) => Array.from(reference.values(m.runningMean!.storage));

test('what cannot be exported is named, with its layer and the remedy', async () => {
  const inner = new Fn((x) => cholesky(x.matmul(x, { transposeB: true })) as Tensor);
  const outer = new nn.Sequential(new nn.Linear(2, 2, layer), inner as unknown as nn.Module);
  await rejects(
    nn.exportOnnx(outer, [[2, 2]]),
    /^exportOnnx: cholesky in layers\.1 has no mapping; write the layer in other ops, or export the module up to there$/,
  );
  const noise = new Fn((x) => x.add(rng.normal([2])));
  await rejects(nn.exportOnnx(noise, [[1, 2]]), /^exportOnnx: normal draws random numbers, .*; take them as an input/);
  const apart = new Fn((x) => diag(x.reshape([4])));
  await rejects(nn.exportOnnx(apart, [[2, 2]]), /^exportOnnx: unslice puts elements apart from each other/);
  const state = new nn.Buffer(zeros([2]));
  const writes = new Fn((x) => {
    noGrad(() => copyFrom(state, x.sum(0)));
    return x;
  });
  await rejects(nn.exportOnnx(writes, [[1, 2]]), /^trace: copyFrom writes to a tensor in place/);
  const record = new Fn((x) => ({ y: x }) as unknown as Tensor);
  await rejects(nn.exportOnnx(record, [[1, 2]]), /^exportOnnx: forward must return a tensor or a list of tensors/);
  await rejects(
    nn.exportOnnx(new Fn((x) => x), [[1, 2]], { inputNames: ['a', 'b'] }),
    /^exportOnnx: inputNames must hold 1 different names, not \["a","b"\]$/,
  );
  await rejects(
    nn.exportOnnx(new Fn((x) => x), [[1, 2]], { inputNames: ['a'], outputNames: ['a'] }),
    /^exportOnnx: inputNames and outputNames share "a"/,
  );
});

test('a custom op and a checkpoint are written as what they are made of', async () => {
  const cube = customOp({ name: 'cube', forward: (x) => x.mul(x).mul(x) });
  const contents = await agree(new Fn((x) => checkpoint((t) => cube(t).exp())(x.tanh())), [[2, 3]]);
  assert.is(countsOf(contents).Mul, 2);
});

test('a module on WebGPU: float32 values, fused kernels', async () => {
  const gpu = await openGpu();
  const bytes = withDevice(gpu, () => {
    const conv = new nn.Conv2d(3, 4, 3, { padding: 1, rng: new Rng(1) });
    const [norm, head] = [new nn.BatchNorm2d(4), new nn.Linear(4, 3, { rng: new Rng(2) })];
    const net = new Fn(
      (x) => head.forward(maxPool2d(groupNorm(norm.forward(conv.forward(x)), 2), 2).mean([1, 2])).softmax(),
      ...[conv, norm, head],
    ).eval();
    const x = new Rng(3).normal([2, 4, 4, 3]);
    return { file: nn.exportOnnx(net, [x]), x: x.data(), y: (net.forward(x) as Tensor).data() };
  });
  const session = await InferenceSession.create(await bytes.file, { logSeverityLevel: 3 });
  const found = await session.run({ input: new OrtTensor('float32', await bytes.x, [2, 4, 4, 3]) });
  const wanted = await bytes.y;
  assert.is(wanted.length, 6);
  wanted.forEach((v, i) => {
    const y = found.output!.data[i] as number;
    assert.ok(Math.abs(y - v) < 1e-5, `${y}, not ${v}`);
  });
  await session.release();
  gpu.destroy();
});

test.run();

async function rejects(promise: Promise<unknown>, message: RegExp): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (e: Error) => e,
  );
  assert.ok(error, 'it was exported');
  assert.match(error.message, message);
}
