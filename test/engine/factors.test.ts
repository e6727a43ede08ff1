/** Factorisations: what they must multiply back to, and the corners. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  cholesky,
  diag,
  eigh,
  grad,
  gradcheck,
  gradgradcheck,
  init,
  matmul,
  ones,
  qr,
  Rng,
  ShapeError,
  sub,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import { openGpu, read, reference } from '../support/devices.ts';
import { distance, numbers } from '../support/values.ts';

const test = suite('factors');
await init({ adapter: 'reference' });
const gpu = await openGpu();
const worst = (v: ArrayLike<number>): number => Array.from(v).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
const eye = (n: number): Tensor => diag(ones([n]));

test('eigenvalues in float32, and their gradient, are as good as the gaps between them allow', async () => {
  // Of 600 matrices of this kind that whose gradient suffers most from rotations that round: its smallest gap is 0.0056.
  const n = 17;
  const next = numbers(518);
  const a = new Float32Array(n * n);
  for (let row = 0; row < n; row++)
    for (let col = 0; col <= row; col++) {
      a[row * n + col] = next() * 2 - 1;
      a[col * n + row] = a[row * n + col]!;
    }
  const weights = Array.from({ length: n }, (_, k) => Math.cos(1.7 * k) + 0.3);
  const both = await Promise.all(
    [gpu, reference].map((device) =>
      read(device, () => {
        const x = tensor(a, { shape: [n, n], requiresGrad: true });
        const { values } = eigh(x);
        return [values, ...grad(values.mul(tensor(weights)).sum(), [x])];
      }),
    ),
  );
  const [values, gradient] = both[0]!.map((v, k) => distance(v, both[1]![k]!));
  assert.ok(values! < 5e-7, `eigenvalues are off by ${values} of their scale`);
  assert.ok(gradient! < 1.5e-5, `the gradient is off by ${gradient} of its scale`);
});

test('a NaN below the diagonal reaches the factors of qr', async () => {
  for (const device of [gpu, reference]) {
    const [q, r] = await read(device, () => {
      const factors = qr(tensor([1, 0, Number.NaN, 1], { shape: [2, 2] }));
      return [factors.q, factors.r];
    });
    assert.ok([...q!, ...r!].some(Number.isNaN), `${device.kind}: ${q}; ${r}`);
  }
});

for (const [device, tolerance] of [
  [reference, 1e-13],
  [gpu, 3e-6],
] as const) {
  test(`qr and eigh multiply back to the matrix, on ${device.kind}`, async () => {
    const errors = await read(device, () => {
      const a = new Rng(3).normal([2, 60, 24]);
      const wide = a.transpose();
      const { q, r } = qr(a);
      const w = qr(wide);
      const s = matmul(a, a, { transposeA: true }).mul(1 / 60);
      const { values, vectors } = eigh(s);
      return [
        sub(matmul(q, r), a),
        sub(matmul(q, q, { transposeA: true }), eye(24)),
        r.tril(-1),
        sub(matmul(w.q, w.r), wide),
        sub(matmul(vectors.mul(values.reshape([2, 1, 24])), vectors, { transposeB: true }), s),
        sub(matmul(vectors, vectors, { transposeA: true }), eye(24)),
        values
          .slice([[], [0, 23]])
          .sub(values.slice([[], [1]]))
          .relu(),
      ];
    });
    errors.forEach((e, i) => {
      assert.ok(worst(e) <= tolerance * 10, `${i}: off by ${worst(e)}`);
    });
  });

  test(`equal eigenvalues, zero matrices and a 1 × 1 matrix, on ${device.kind}`, async () => {
    const [same, vectors, zero, one, g] = await read(device, () => {
      const a = eye(3).requireGrad();
      const e = eigh(a);
      const single = tensor([[-4]]);
      return [
        e.values,
        e.vectors,
        eigh(sub(a, a)).values,
        eigh(single).vectors,
        grad(e.values.square().sum(), [a])[0]!,
      ];
    });
    assert.equal(Array.from(same!), [1, 1, 1]);
    assert.equal(Array.from(vectors!), [1, 0, 0, 0, 1, 0, 0, 0, 1]);
    assert.equal(Array.from(zero!), [0, 0, 0]);
    assert.equal(Array.from(one!), [1]);
    // The derivative of the values needs no gaps between them.
    assert.equal(Array.from(g!), [2, 0, 0, 0, 2, 0, 0, 0, 2]);
  });
}

test('the signs of qr are those of LAPACK', async () => {
  const { q, r } = qr(
    tensor([
      [3, 5],
      [4, 0],
    ]),
  );
  const near = (t: Tensor, v: number[]) =>
    Array.from(reference.values(t.storage)).every((x, i) => Math.abs(x - v[i]!) < 1e-15);
  assert.ok(near(r, [-5, -3, 0, -4]));
  assert.ok(near(q, [-0.6, -0.8, -0.8, 0.6]));
});

test('the trace of a matrix root, as in the Fréchet distance, to third order', async () => {
  const x = new Rng(8).normal([4, 3]);
  const root = (t?: Tensor): Tensor =>
    eigh(matmul(t!, t!, { transposeA: true }))
      .values.sqrt()
      .sum();
  const TIGHT = { atol: 1e-6, rtol: 1e-6 };
  await gradcheck(root, [x], TIGHT);
  await gradgradcheck(root, [x], TIGHT);
  const slope = (t?: Tensor): Tensor => grad(root(t), [t!], { createGraph: true })[0]!;
  await gradgradcheck(slope, [x], { atol: 1e-5, rtol: 1e-5 });
});

test('what does not fit is refused by name', () => {
  for (const [fn, message] of [
    [() => qr(tensor([1, 2])), /^qr: \[2\] has no matrix/],
    [() => eigh(ones([2, 3])), /^eigh: \[2,3\] must hold square matrices/],
    [() => cholesky(ones([3])), /^cholesky: \[3\] must hold square matrices/],
  ] as const) {
    assert.throws(fn, (e: Error) => e instanceof ShapeError && message.test(e.message));
  }
});

test.after(() => gpu.destroy());
test.run();
