import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as engine from '../../engine/index.ts';
import {
  add,
  concat,
  conv2d,
  convTranspose2d,
  copyFrom,
  customOp,
  DeviceError,
  GradError,
  grad,
  init,
  layerNorm,
  leakyRelu,
  matmul,
  memory,
  noGrad,
  ones,
  ShapeError,
  scope,
  type Tensor,
  tape,
  tensor,
  trace,
  where,
  zeros,
} from '../../engine/index.ts';
import { optimizerStep } from '../../engine/internal.ts';
import { openGpu } from '../support/devices.ts';

await init({ adapter: 'reference' });

const leaf = (values: number[], label?: string): Tensor =>
  tensor(values, { requiresGrad: true, ...(label ? { label } : {}) });

/** Checks the class of an error and its message: word for word, or a pattern. */
function throws(fn: () => unknown, kind: new () => Error, message: string | RegExp): void {
  try {
    fn();
  } catch (error) {
    assert.instance(error, kind);
    if (typeof message === 'string') assert.is((error as Error).message, message);
    else assert.match((error as Error).message, message);
    return;
  }
  assert.unreachable(`no error; expected ${message}`);
}

test('the first program of the design prints its gradient and its tape', async () => {
  const x = leaf([1, 2, 3], 'x');
  const y = x.mul(x).sum();
  const [dx] = grad(y, [x]);
  assert.equal(await dx!.array(), [2, 4, 6]);
  assert.is(String(tape(y)), '%1:[3] = x\n%2:[3] = mul(%1, %1)\n%3:[] = sum(%2)');
});

test('a tape shows labels, params and leaves without a name', () => {
  const x = leaf([1, 2, 3], 'x').reshape([3, 1]);
  const y = add(x, tensor([5, 6]))
    .named('shifted')
    .sum(1);
  assert.is(
    String(tape(y)),
    [
      '%1:[3] = x',
      '%2:[3,1] = reshape(%1)',
      '%3:[2] = leaf',
      '%4:[3,2] = add(%2, %3)  # shifted',
      '%5:[3] = sum(%4; [1])',
    ].join('\n'),
  );
  assert.equal(JSON.parse(JSON.stringify(tape(y)))[3], {
    id: 4,
    op: 'add',
    inputs: [2, 3],
    output: 0,
    params: '',
    attributes: {},
    shape: [3, 2],
    label: 'shifted',
  });
  assert.is(String(tape(tensor([1, 2]))), '%1:[2] = leaf');
});

test('a tape gives params as data, and the tensors of its entries', async () => {
  const [x, gamma] = [leaf([1, 2, 3, 4], 'x'), leaf([1, 1], 'gamma')];
  const y = layerNorm(x.mul(2).reshape([2, -1]), gamma, zeros([2]));
  const shown = tape(leakyRelu(y, 0.2).sum(-1));
  const of = (op: string) => shown.entries.filter((e) => e.op === op);
  assert.equal(of('affine')[0]!.attributes, { s0: 2, s1: 0 });
  assert.equal(of('reshape')[0]!.attributes, { shape: [2, 2] });
  assert.equal(of('leakyRelu')[0]!.attributes, { s0: 0.2 });
  assert.equal(of('sum')[0]!.attributes, { axes: [1], keepDims: false, scale: 1 });
  assert.equal(
    of('layerNorm').map((e) => [e.output, e.shape]),
    [
      [0, [2, 2]],
      [1, [2, 2]],
    ],
  );
  assert.equal(shown.entries.find((e) => e.id === shown.idOf(x))!.attributes, {});
  assert.is(shown.tensor(shown.idOf(gamma)!), gamma);
  assert.equal(await shown.tensor(of('affine')[0]!.id).array(), [2, 4, 6, 8]);
  assert.equal(shown.outputs, [shown.entries.length]);
  assert.is(shown.idOf(zeros([1])), undefined);
  throws(() => shown.tensor(99), RangeError, `tape: there is no entry 99; ids run from 1 to ${shown.entries.length}`);
});

test('a trace shows what a tape does not: ops without a derivative, under noGrad, and constants', async () => {
  const x = tensor([1, -2, 3], { label: 'x' });
  const places = ['fill', 'greater', 'where', 'ones', 'mul'];
  const traced = scope(() => {
    const t = trace(() => scope(() => [noGrad(() => where(x.detach().greater(0), x, tensor([7]))).mul(ones([3]))]), {
      inputs: [x],
      module: () => places.shift()!,
    });
    // Inner scopes have ended, and the values are still there.
    return { t, values: t.tensor(t.outputs[0]!).array() };
  });
  assert.is(
    String(traced.t),
    [
      ...['%1:[] = fill()', '%2:[3] = x', '%3:[3] = greater(%2, %1)', '%4:[1] = leaf', '%5:[3] = where(%3, %2, %4)'],
      ...['%6:[3] = fill()', '%7:[3] = mul(%5, %6)'],
    ].join('\n'),
  );
  assert.equal(await traced.values, [1, 7, 3]);
  assert.is(traced.t.idOf(x), 2);
  const said = traced.t.entries.map((e) => e.module);
  assert.equal(said, ['fill', undefined, 'greater', undefined, 'where', 'ones', 'mul']);
  throws(() => [...traced.t.backwardSteps()], GradError, 'backwardSteps: a trace has none; take tape(y)');
});

test('a trace knows what a detached tensor was, if it is told of it', () => {
  const x = tensor([1, 2], { label: 'x' });
  const [told, untold] = [[x], []].map((inputs) => scope(() => trace(() => x.detach().exp(), { inputs })));
  assert.is(told!.idOf(x), 1);
  assert.is(untold!.idOf(x), undefined);
  assert.is(String(told), '%1:[2] = x\n%2:[2] = exp(%1)');
});

test('a trace shows an op as one or as its composition, and refuses writes in place', () => {
  const twice = customOp({ name: 'twice', forward: (x) => x.add(x) });
  const x = leaf([1, 2], 'x');
  const [whole, open] = [undefined, (op: string) => op !== 'twice'].map((opaque) =>
    scope(() => String(trace(() => twice(x).exp(), opaque ? { opaque } : {}))),
  );
  assert.is(whole, '%1:[2] = x\n%2:[2] = twice(%1)\n%3:[2] = exp(%2)');
  assert.is(open, '%1:[2] = x\n%2:[2] = add(%1, %1)\n%3:[2] = reshape(%2)\n%4:[2] = exp(%3)');
  const before = memory().tensors;
  throws(
    () =>
      scope(() =>
        trace(() => {
          noGrad(() => copyFrom(x, zeros([2])));
          return x.exp();
        }),
      ),
    GradError,
    'trace: copyFrom writes to a tensor in place; trace what only reads (a module in eval mode)',
  );
  assert.is(memory().tensors, before);
});

test('with createGraph, the backward pass is on the tape too', () => {
  const x = leaf([1, 2], 'x');
  const y = leakyRelu(x, 0.2).square().sum();
  const [slope] = grad(y, [x], { createGraph: true });
  assert.is(
    String(tape(slope!.sum())),
    [
      '%1:[2] = x',
      '%2:[2] = leakyRelu(%1; 0.2)',
      '%3:[2] = 1', // the cotangent of the sum, which depends on nothing
      '%4:[2] = mul(%3, %2)  # backward of square',
      '%5:[2] = mul(%4; 2)  # backward of square',
      '%6:[2] = gate(%5, %2; 0.2)  # backward of leakyRelu %2', // the output has the sign of the input
      '%7:[] = sum(%6)',
    ].join('\n'),
  );
  assert.ok(slope!.requiresGrad);
  const [plain] = grad(leakyRelu(x, 0.2).square().sum(), [x]);
  assert.is(plain!.node, undefined);
  assert.not(plain!.requiresGrad);
});

test('arithmetic with numbers has the names that it is called by', () => {
  const x = leaf([1, 2], 'x');
  const y = x.mul(2).add(3).sub(1).div(4).pow(3).pow(2).pow(1).pow(-1).neg().square().clone();
  const spoken = String(tape(engine.sub(5, engine.mul(1, y))))
    .split('\n')
    .slice(1)
    .map((l) => l.replace(/^%\d+:\[2\] = /, ''));
  assert.equal(spoken, [
    ...['mul(%1; 2)', 'add(%2; 3)', 'sub(%3; 1)', 'div(%4; 4)', 'pow(%5; 3)', 'pow(%6; 2)', 'pow(%7; 1)'],
    ...['pow(%8; -1)', 'neg(%9)', 'square(%10)', 'clone(%11)', 'mul(%12; 1)', 'sub(%13; from 5)'],
  ]);
  // What runs is told beside.
  assert.equal(
    tape(x.mul(2)).entries.map(({ op, called, attributes }) => [op, called, attributes]),
    [
      [undefined, undefined, {}],
      ['affine', 'mul', { s0: 2, s1: 0 }],
    ],
  );
  assert.equal(
    [...tape(x.mul(2).sum()).backwardSteps()].map((s) => s.op),
    ['sum', 'mul'],
  );
});

test('ops of a recorded backward pass name the op that they come from, and its entry', () => {
  const x = leaf([1, 2], 'x');
  const [slope] = grad(x.exp().mul(x).mean(), [x], { createGraph: true });
  const printed = String(tape(slope!.sum())).split('\n');
  assert.equal(printed, [
    '%1:[2] = x',
    '%2:[2] = exp(%1)',
    '%3:[2] = 0.5',
    '%4:[2] = mul(%3, %1)  # backward of mul',
    '%5:[2] = mul(%3, %2)  # backward of mul',
    '%6:[2] = mul(%4, %2)  # backward of exp %2',
    ...printed.slice(6),
  ]);
  const traced = scope(() => String(trace(() => grad(x.exp().sum(), [x]))));
  assert.match(traced, /= mul\(%\d, %2\) {2}# backward of exp %2/);
});

test('Graphviz and Mermaid sources name every node and edge, and quote labels', () => {
  const y = leaf([1, 2], 'a "quoted" x').exp().sum();
  const { entries } = tape(y);
  const dot = tape(y).toDot();
  assert.match(dot, /^digraph tape \{\n[\s\S]*\n\}$/);
  assert.match(dot, 'n1 [shape=box, label="a \\"quoted\\" x\\n[2]"];');
  const mermaid = tape(y).toMermaid();
  assert.match(mermaid, /^flowchart LR\n/);
  assert.match(mermaid, `n1["a 'quoted' x<br/>[2]"]`);
  for (const e of entries) {
    assert.match(dot, new RegExp(`^  n${e.id} \\[`, 'm'));
    assert.match(mermaid, new RegExp(`^  n${e.id}[\\[(]`, 'm'));
    for (const i of e.inputs) {
      assert.match(dot, `n${i} -> n${e.id};`);
      assert.match(mermaid, `n${i} --> n${e.id}`);
    }
  }
});

test('nothing is recorded under noGrad, nor for constants', () => {
  const x = leaf([1, 2]);
  assert.is(noGrad(() => x.mul(x)).node, undefined);
  assert.is(tensor([1]).exp().node, undefined);
  assert.is(x.detach().exp().node, undefined);
});

test('a graph serves one backward pass, unless it is retained', async () => {
  const x = leaf([3], 'x');
  const y = x.square().sum().named('loss');
  grad(y, [x]);
  throws(
    () => grad(y, [x]),
    GradError,
    'grad: the graph behind loss [] was freed at sum by an earlier backward pass; pass { retainGraph: true } to that one',
  );
  const z = x.square().sum();
  const [first] = grad(z, [x], { retainGraph: true });
  const [second] = grad(z, [x]);
  assert.equal([await first!.array(), await second!.array()], [[6], [6]]);
});

test('what a freed graph does not reach can still be differentiated', async () => {
  const [v, w] = [leaf([2]), leaf([5])];
  const h = v.square();
  grad(h.sum(), [v]);
  const [dw] = grad(h.mul(w).sum(), [w]);
  assert.equal([...(await dw!.data())], [4]);
  throws(() => grad(h.mul(w).sum(), [v]), GradError, /was freed at square by an earlier backward pass/);
});

test('an input that no output reaches is an error, or zeros where allowed', async () => {
  const [x, other, plain] = [leaf([1, 2], 'x'), leaf([1, 2, 3], 'other'), tensor([1], { label: 'plain' })];
  throws(
    () => grad(x.exp().sum(), [x, other]),
    GradError,
    'grad: no output depends on other [3]; pass { allowUnused: true } for zeros',
  );
  throws(
    () => grad(plain.square().sum(), [plain]),
    GradError,
    'grad: plain [1] does not require a gradient; call requireGrad() on it before it is used',
  );
  const [, zero] = grad(x.exp().sum(), [x, other], { allowUnused: true });
  assert.equal([...(await zero!.data())], [0, 0, 0]);
});

test('an output that is not a scalar needs its cotangent', async () => {
  const x = leaf([1, 2], 'x');
  throws(
    () => grad(x.exp().named('y'), [x]),
    GradError,
    'grad: y [2] is not a scalar; reduce it (sum, mean), or pass its cotangent as gradOutputs',
  );
  throws(
    () => grad(x.exp().named('y'), [x], { gradOutputs: [tensor([1])] }),
    GradError,
    'grad: the gradOutput [1] must have the shape of its output y [2]',
  );
  const [dx] = grad(x.square(), [x], { gradOutputs: [tensor([1, 10])] });
  assert.equal([...(await dx!.data())], [2, 40]);
});

test('a value that backward needs and that was overwritten in place is an error, not nonsense', async () => {
  const x = leaf([1, 2], 'x');
  const y = x.mul(x).sum();
  x.assign([3, 4]);
  throws(() => grad(y, [x]), GradError, /^backward of mul: x \[2\] was overwritten in place after mul used it/);

  // Adam on the parameter of a loss that is differentiated afterwards.
  const p = tensor(new Float64Array(64).fill(2), { requiresGrad: true, label: 'p' });
  const loss = p.square().sum();
  const params = { lengths: [64], offsets: [0], lr: 0.1, beta1: 0.5, beta2: 0.9, eps: 1e-8 };
  optimizerStep('adam', p, [zeros([64]), zeros([64])], [tensor(new Float64Array(64).fill(1))], {
    ...params,
    weightDecay: 0,
    l2: 0,
    step: 1,
  });
  throws(
    () => grad(loss, [p]),
    GradError,
    /^backward of square: p \[64\] was overwritten in place after square used it/,
  );

  // A rule that does not need the old value does not mind.
  const q = leaf([1, 2]);
  const sum = q.add(q).sum();
  q.assign([3, 4]);
  assert.equal([...(await grad(sum, [q])[0]!.data())], [2, 2]);
});

test('only leaves can be made to require a gradient', () => {
  throws(
    () => leaf([1]).exp().named('y').requireGrad(),
    GradError,
    'y [1] is the result of exp; detach() it before requireGrad()',
  );
});

const shapeErrors: readonly (readonly [string, () => unknown])[] = [
  [
    "conv2d: x has 3 channels but w expects 4 (x [8,32,32,3], w [4,4,4,64]); the third axis of w is the input's channels",
    () => conv2d(zeros([8, 32, 32, 3]), zeros([4, 4, 4, 64])),
  ],
  [
    'conv2d: the kernel reaches over 5 places of an axis that has 4 with padding (image [2,9], kernel [5,3])',
    () => conv2d(zeros([1, 2, 9, 1]), zeros([5, 3, 1, 1]), { padding: [1, 0] }),
  ],
  [
    'conv3d: the kernel reaches over 5 places of an axis that has 4 with padding (image [4,4,9], kernel [5,3,3])',
    () => zeros([1, 4, 4, 9, 1]).conv3d(zeros([5, 3, 3, 1, 1])),
  ],
  [
    'conv2d: 3 channels do not split into 2 groups; choose groups that divide them',
    () => conv2d(zeros([1, 4, 4, 2]), zeros([1, 1, 1, 3]), { groups: 2 }),
  ],
  [
    'conv2d: stride, dilation and groups must be whole numbers, 1 or more, not 0',
    () => conv2d(zeros([1, 4, 4, 1]), zeros([2, 2, 1, 1]), { stride: 0 }),
  ],
  ['conv2d: x must be [N,H,W,Cin], not [4,4]', () => conv2d(zeros([4, 4]), zeros([2, 2, 1, 1]))],
  [
    "convTranspose2d: y has 2 channels but w expects 3 (y [1,4,4,2], w [2,2,2,3]); the fourth axis of w is the channels of the transpose's input",
    () => convTranspose2d(zeros([1, 4, 4, 2]), zeros([2, 2, 2, 3])),
  ],
  ['matmul: [2,3] times [4,5]: the inner sizes 3 and 4 must be equal', () => matmul(zeros([2, 3]), zeros([4, 5]))],
  [
    'matmul: [2,3] transposed times [3,4]: the inner sizes 2 and 3 must be equal',
    () => matmul(zeros([2, 3]), zeros([3, 4]), { transposeA: true }),
  ],
  ['matmul: a scalar has no matrix product; use mul', () => matmul(zeros([]), zeros([3]))],
  [
    'add: shapes [2,3] and [4] do not broadcast: axis 1 is 3 in one and 4 in another; sizes must be equal, or 1',
    () => zeros([2, 3]).add(zeros([4])),
  ],
  ['reshape: [2,3] has 6 elements, [4] has 4', () => zeros([2, 3]).reshape([4])],
  ['sum: axis 2 is out of range for a tensor of 2 axes (-2 to 1)', () => zeros([2, 3]).sum(2)],
  ['sum: axes [0,0] name an axis twice', () => zeros([2, 3]).sum([0, -2])],
  ['concat: [2,3] and [2,4] differ in an axis other than 0', () => concat([zeros([2, 3]), zeros([2, 4])])],
  ['tensor: 3 values do not fill the shape [2,2] (4 elements)', () => tensor([1, 2, 3], { shape: [2, 2] })],
  ['tensor: nested arrays must be rectangular; the first ones say [2,2]', () => tensor([[1, 2], [3]])],
  ['zeros: [2,-1] is not a shape: every size must be a whole number, 0 or more', () => zeros([2, -1])],
];

for (const [message, fn] of shapeErrors) {
  test(`shape error: ${message}`, () => {
    const before = String(tape(leaf([1])));
    throws(fn, ShapeError, message);
    assert.is(String(tape(leaf([1]))), before);
  });
}

test('tensors of two devices do not mix', async () => {
  const gpu = await openGpu();
  const [a, b] = [tensor([1], { label: 'a' }), tensor([1], { label: 'b', device: gpu })];
  throws(
    () => a.add(b),
    DeviceError,
    `add: b [1] lives on ${gpu.name} and a [1] on float64 reference (JavaScript); make both on one device`,
  );
  b.dispose();
  gpu.destroy();
});

test('a tape can be read after the scope in which it was made', () => {
  const y = scope(() => leaf([1, 2], 'x').exp().sum());
  assert.is(String(tape(y)), '%1:[2] = x\n%2:[2] = exp(%1)\n%3:[] = sum(%2)');
});

test.run();
