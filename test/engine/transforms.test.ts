/** Transformations, hooks, backward, the stepping tape, and the convolution matrix. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Conv2dOptions,
  conv2d,
  convMatrix,
  convTranspose2d,
  grad,
  gradcheck,
  hessian,
  hvp,
  init,
  jacobian,
  jvp,
  matmul,
  Rng,
  reference,
  scope,
  type Tensor,
  tape,
  tensor,
  vhp,
  vjp,
  withDevice,
} from '../../engine/index.ts';

const test = suite('transforms');
await init({ adapter: 'reference' });
const values = (t: Tensor): number[] => Array.from(reference.values(t.storage));
const near = (found: readonly number[], wanted: readonly number[], tolerance = 1e-12): void => {
  assert.is(found.length, wanted.length);
  found.forEach((v, i) => {
    assert.ok(
      Math.abs(v - wanted[i]!) <= tolerance * Math.max(1, Math.abs(wanted[i]!)),
      `${i}: ${v}, wanted ${wanted[i]}`,
    );
  });
};

const X = [0.3, -1.2, 0.7];
/** f = sum of x² eˣ: f' = (x² + 2x) eˣ, f'' = (x² + 4x + 2) eˣ, f''' = (x² + 6x + 6) eˣ */
const f = (x: Tensor): Tensor => x.square().mul(x.exp()).sum();
const second = X.map((v) => (v * v + 4 * v + 2) * Math.exp(v));

test('vjp gives the value and a pullback that can be used twice', () => {
  const [y, pullback] = vjp((a, b) => a.mul(b), [tensor(X), tensor([1, 2, 3])]);
  near(values(y), [0.3, -2.4, 2.1]);
  near(values(pullback(tensor([1, 1, 1]))[0]!), [1, 2, 3]);
  near(values(pullback(tensor([0, 2, 0]))[1]!), [0, -2.4, 0]);
});

test('jvp is the derivative along the tangents', () => {
  const [y, t] = jvp((a, b) => a.mul(b).tanh(), [tensor(X), tensor([1, 2, 3])], [tensor([1, 0, 1]), tensor([0, 1, 0])]);
  const s = [0.3, -2.4, 2.1].map(Math.tanh);
  near(values(y), s);
  near(values(t), [(1 - s[0]! ** 2) * 1, (1 - s[1]! ** 2) * -1.2, (1 - s[2]! ** 2) * 3]);
  assert.throws(() => jvp((a) => a, [tensor(X)], [tensor([1])]), /jvp: input 0 is tensor \[3\] and its tangent \[1\]/);
});

test('hvp, vhp and hessian agree with the second derivative', () => {
  near(values(hvp(f, tensor(X), tensor([1, 0, 2]))), [second[0]!, 0, 2 * second[2]!]);
  near(values(vhp(f, tensor(X), tensor([0, 1, 0]))), [0, second[1]!, 0]);
  const h = values(hessian(f, tensor(X)));
  near([h[0]!, h[4]!, h[8]!], second);
  near([h[1]!, h[5]!, h[6]!], [0, 0, 0]);
});

test('transformations nest: the jacobian of a hessian is the third derivative', () => {
  const third = values(jacobian((t) => hessian(f, t), tensor(X)));
  near(
    [third[0]!, third[13]!, third[26]!],
    X.map((v) => (v * v + 6 * v + 6) * Math.exp(v)),
  );
});

test('derivatives of jvp and hvp themselves check out', async () => {
  const inputs = [tensor([0.3, -1.2]), tensor([0.5, 2])];
  await gradcheck((x, v) => jvp((t) => t.exp().mul(t), [x], [v])[1], inputs);
  await gradcheck((x, v) => hvp(f, x, v), inputs);
  await gradcheck((x) => vjp((t) => t.tanh().mul(t), x)[1](tensor([1, 2]))[0]!, [inputs[0]!]);
});

test('backward adds up in the leaves, and zeroGrad forgets', () => {
  const [w, b] = [tensor([2, 3], { requiresGrad: true }), tensor([1], { requiresGrad: true })];
  for (let k = 0; k < 2; k++) scope(() => w.mul(w).sum().add(b).sum().backward());
  near(values(w.grad!), [8, 12]);
  near(values(b.grad!), [2]);
  w.zeroGrad();
  assert.is(w.grad, undefined);
});

test('a hook sees the whole cotangent once, and may replace it', () => {
  const x = tensor([2], { requiresGrad: true });
  const h = x.square();
  const seen: number[][] = [];
  const remove = h.registerHook((g) => {
    seen.push(values(g));
    return g.mul(10);
  });
  near(values(grad(h.mul(3).add(h.mul(4)).sum(), [x], { retainGraph: true })[0]!), [7 * 10 * 4]);
  assert.equal(seen, [[7]]);
  remove();
  near(values(grad(h.sum(), [x])[0]!), [4]);
});

test('backwardSteps walks the tape from its end, with the cotangents of each op', () => {
  const x = tensor([1, 2, 3], { requiresGrad: true, label: 'x' });
  const t = tape(x.mul(x).sum());
  const steps = [...t.backwardSteps()].map((s) => [
    s.op,
    s.id,
    values(s.incoming!),
    s.outgoing.map((o) => [o.id, values(o.cotangent)]),
  ]);
  assert.equal(steps, [
    ['sum', 3, [1], [[2, [1, 1, 1]]]],
    [
      'mul',
      2,
      [1, 1, 1],
      [
        [1, [1, 2, 3]],
        [1, [1, 2, 3]],
      ],
    ],
  ]);
});

test('convMatrix: conv2d is U, convTranspose2d is Uᵀ, with strides and padding', () => {
  const rng = new Rng(3);
  const cases: [number[], number[], Conv2dOptions][] = [
    [[4, 4, 1], [3, 3, 1, 1], {}],
    [[5, 4, 2], [3, 2, 2, 3], { stride: 2, padding: 1 }],
    [[6, 6, 2], [3, 3, 1, 4], { padding: 1, groups: 2 }],
    [[7, 5, 1], [2, 2, 1, 2], { dilation: 2, stride: [1, 2] }],
  ];
  for (const [size, kernel, options] of cases) {
    const w = rng.normal(kernel);
    const x = rng.normal([1, ...size]);
    const y = conv2d(x, w, options);
    const U = convMatrix(w, size, options);
    assert.equal([...U.shape], [y.size, x.size]);
    near(values(matmul(U, x.reshape([x.size]))), values(y));
    if (options.padding !== 'same' && options.dilation === undefined) {
      const p = (options.padding as number | undefined) ?? 0;
      const back = convTranspose2d(y, w, { ...options, padding: p });
      const rows = values(matmul(U.transpose(), y.reshape([y.size])));
      if (back.size === rows.length) near(values(back), rows);
      else assert.ok(back.size < rows.length, 'only a strided transpose may be smaller');
    }
  }
});

test('everything above also runs inside another device', () => {
  withDevice(reference, () => near(values(hessian((t) => t.square().sum(), tensor([1, 2]))), [2, 0, 0, 2]));
});

test.run();
