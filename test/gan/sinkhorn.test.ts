import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compile, grad, gradcheck, gradgradcheck, init, Rng, type Tensor, tensor } from '../../engine/index.ts';
import {
  energyDistance,
  pointCosts,
  type SinkhornLossOptions,
  sinkhorn,
  sinkhornDivergence,
  sinkhornLoss,
  slicedWasserstein,
  slicedWassersteinLoss,
  wasserstein1d,
} from '../../gan/index.ts';
import { on, openGpu, read, reference } from '../support/devices.ts';
import { near } from '../support/near.ts';
import { distance, valuesFor } from '../support/values.ts';

await init({ adapter: 'reference' });
const gpu = await openGpu();

const [N, M] = [5, 4];
const xs = valuesFor({ shape: [N, 2] }, 1);
const ys = valuesFor({ shape: [M, 2] }, 2);
const cloudX = () => tensor(xs, { shape: [N, 2] });
const cloudY = () => tensor(ys, { shape: [M, 2] });
const masses = (values: readonly number[]) => tensor(values.map((v) => v / values.reduce((s, w) => s + w)));
const item = async (fn: () => Tensor): Promise<number> => (await read(reference, () => [fn()]))[0]![0]!;

/** In plain numbers, with factors in place of logarithms: right for large ε only. */
function plainSinkhorn(costs: Float64Array, a: Float64Array, b: Float64Array, epsilon: number, rounds: number) {
  const m = b.length;
  const kernel = costs.map((c) => Math.exp(-c / epsilon));
  const [u, v] = [a.map(() => 1), b.map(() => 1)];
  for (let k = 0; k < rounds; k++) {
    u.forEach((_, i) => {
      u[i] = 1 / b.reduce((s, mass, j) => s + mass * kernel[i * m + j]! * v[j]!, 0);
    });
    v.forEach((_, j) => {
      v[j] = 1 / a.reduce((s, mass, i) => s + mass * kernel[i * m + j]! * u[i]!, 0);
    });
  }
  const plan = kernel.map((k, at) => a[Math.floor(at / m)]! * b[at % m]! * u[Math.floor(at / m)]! * v[at % m]! * k);
  const entropy = plan.reduce((s, q, at) => s + q * Math.log(q / (a[Math.floor(at / m)]! * b[at % m]!)), 0);
  return { plan, value: plan.reduce((s, q, at) => s + q * costs[at]!, 0) + epsilon * entropy };
}

test('plan and value are those of the scaling algorithm in plain numbers, with unequal masses', async () => {
  const [a, b] = [Float64Array.of(0.1, 0.3, 0.2, 0.15, 0.25), Float64Array.of(0.4, 0.1, 0.2, 0.3)];
  const costs = pointCosts(xs, ys, { dimension: 2, p: 2 });
  for (const epsilon of [0.5, 2, 20]) {
    const expected = plainSinkhorn(costs, a, b, epsilon, 2000);
    const [value, plan, f, g, error] = await read(reference, () => {
      const found = sinkhorn(tensor(costs, { shape: [N, M] }), {
        epsilon,
        iterations: 800,
        unroll: 0,
        a: tensor(a),
        b: tensor(b),
      });
      return [found.value, found.plan, found.f, found.g, found.marginalError];
    });
    near(value![0]!, expected.value, 1e-9);
    assert.ok(distance(plan!, expected.plan) < 1e-8);
    near(f!.reduce((s, v, i) => s + a[i]! * v, 0) + g!.reduce((s, v, j) => s + b[j]! * v, 0), value![0]!, 1e-9);
    assert.ok(error![0]! < 1e-8);
  }
});

test('of masses only the ratios count, in value, plan, error and derivatives, and in compiled steps', async () => {
  const values = [1, 2, 3, 1, 2];
  const costs = () => tensor(pointCosts(xs, ys, { dimension: 2, p: 2 }), { shape: [N, M] });
  const outcome = (scale: number) =>
    read(reference, () => {
      const a = masses(values).mul(scale).requireGrad();
      const b = masses([1, 3, 2, 2]).mul(2 * scale);
      const { value, plan, f, g, marginalError } = sinkhorn(costs(), { epsilon: 0.5, iterations: 200, a, b });
      const options = { epsilon: 0.5, iterations: 20, xWeights: a, yWeights: b };
      const losses = [sinkhornLoss(cloudX(), cloudY(), options), sinkhornDivergence(cloudX(), cloudY(), options)];
      const slopes = losses.map((loss) => grad(loss, [a], { retainGraph: true })[0]!.mul(scale));
      return [value, plan, f, g, marginalError, ...losses, ...slopes, plan.sum()];
    });
  const [once, often] = [await outcome(1), await outcome(7)];
  once.forEach((expected, i) => {
    assert.ok(distance(often[i]!, expected) < 1e-9, `tensor ${i}: ${often[i]} and ${expected}`);
  });
  near(often.at(-1)![0]!, 1, 1e-9);
  assert.ok(often[4]![0]! < 1e-6, `the rows are off by ${often[4]}`);

  const step = compile((a: Tensor) => {
    const { value, marginalError } = sinkhorn(costs(), { epsilon: 0.5, iterations: 60, a });
    return { value, marginalError };
  });
  const compiled = (scale: number) =>
    on(gpu, async () => {
      const { value, marginalError } = step(masses(values).mul(scale));
      return [await value.item(), await marginalError.item()];
    });
  const [one, seven] = [await compiled(1), await compiled(7)];
  near(seven[0]!, one[0]!, 1e-4);
  assert.ok(seven[1]! < 0.01, `the rows are off by ${seven[1]}`);
});

test('as ε goes to 0 it goes to the exact distance to the power p', async () => {
  const [x, y] = [valuesFor({ shape: [6] }, 3), valuesFor({ shape: [6] }, 4)];
  for (const p of [1, 2] as const) {
    const exact = wasserstein1d(x, y, { p }) ** p;
    const errors: number[] = [];
    for (const epsilon of [0.3, 0.1, 0.03, 0.01]) {
      const options = { epsilon, p, iterations: 600, unroll: 0 };
      const loss = await item(() => sinkhornLoss(tensor(x, { shape: [6, 1] }), tensor(y, { shape: [6, 1] }), options));
      assert.ok(loss > exact - 1e-6, 'the entropy only adds');
      // KL(plan | a ⊗ b) is at most log n.
      assert.ok(loss - exact <= epsilon * Math.log(6) + 1e-6);
      const debiased = await item(() =>
        sinkhornDivergence(tensor(x, { shape: [6, 1] }), tensor(y, { shape: [6, 1] }), options),
      );
      errors.push(Math.abs(debiased - exact));
    }
    errors.slice(1, 3).forEach((error, k) => {
      assert.ok(error < errors[k]!, `${errors}`);
    });
    assert.ok(errors[3]! < (p === 1 ? 1e-2 : 2e-3) * exact, `${errors}`);
  }
});

test('ε-scaling reaches small ε in fewer iterations, and small ε does not overflow', async () => {
  const [x, y] = [valuesFor({ shape: [30, 2] }, 7), valuesFor({ shape: [30, 2], from: 0, to: 4 }, 8)];
  const error = (scaling: number) =>
    item(() => {
      const costs = tensor(pointCosts(x, y, { dimension: 2, p: 2 }), { shape: [30, 30] });
      return sinkhorn(costs, { epsilon: 0.01, iterations: 100, scaling, unroll: 0 }).marginalError;
    });
  const [annealed, constant] = [await error(0.8), await error(0)];
  assert.ok(annealed < 0.1 && constant > 0.5 && constant <= 2, `${annealed} and ${constant}`);
});

test('the divergence: 0 for the same cloud in any order, positive else, symmetric; a shift costs |shift|² more', async () => {
  const turned = () => tensor([...xs.subarray(2), ...xs.subarray(0, 2)], { shape: [N, 2] });
  for (const p of [1, 2] as const) {
    const options: SinkhornLossOptions = { epsilon: 0.5, p, iterations: 400, unroll: 0 };
    near(await item(() => sinkhornDivergence(cloudX(), turned(), { ...options, iterations: 40 })), 0, 1e-9);
    const [there, back] = [
      await item(() => sinkhornDivergence(cloudX(), cloudY(), options)),
      await item(() => sinkhornDivergence(cloudY(), cloudX(), options)),
    ];
    assert.ok(there > 0.01);
    near(there, back, 1e-8);
    // Costs and ε scaled alike.
    const scaled = await item(() =>
      sinkhornDivergence(cloudX().mul(3), cloudY().mul(3), { ...options, epsilon: 0.5 * 3 ** p }),
    );
    near(scaled, 3 ** p * there, 1e-7);
  }
  const options = { epsilon: 0.5, iterations: 400, unroll: 0 };
  const shifted = await item(() => sinkhornDivergence(cloudX(), cloudX().add(tensor([3, -4])), options));
  near(shifted, 25, 1e-6);
});

test('between its limits: the squared distance of the means for large ε (p = 2), half the energy distance (p = 1)', async () => {
  const mean = (points: Float64Array, axis: number) =>
    (2 * points.filter((_, k) => k % 2 === axis).reduce((s, c) => s + c, 0)) / points.length;
  const squared = (mean(xs, 0) - mean(ys, 0)) ** 2 + (mean(xs, 1) - mean(ys, 1)) ** 2;
  near(await item(() => sinkhornDivergence(cloudX(), cloudY(), { epsilon: 1e5 })), squared, 1e-3);
  const average = (a: Float64Array, b: Float64Array) => {
    const costs = pointCosts(a, b, { dimension: 2 });
    return costs.reduce((s, c) => s + c, 0) / costs.length;
  };
  const energy = 2 * average(xs, ys) - average(xs, xs) - average(ys, ys);
  const limit = await item(() => sinkhornDivergence(cloudX(), cloudY(), { epsilon: 1e5, p: 1 }));
  near(limit, energy / 2, 1e-3);
  // The package's leaves out the pairs of a sample with itself, which hardly count where each point is there 100 times.
  const often = (points: Float64Array) => {
    const data = Float64Array.from({ length: 100 * points.length }, (_, i) => points[i % points.length]!);
    return { data, shape: [data.length / 2, 2] };
  };
  const unbiased = await energyDistance(often(xs), often(ys), { device: reference });
  near(limit / unbiased, 0.5, 0.01);
});

test('many coordinates: the matrix product gives what differences give, far from the origin too', async () => {
  const shape = [6, 3, 7];
  const [a, b] = [valuesFor({ shape }, 5), valuesFor({ shape }, 6)];
  const costs = pointCosts(a, b, { dimension: 21, p: 2 });
  const options = { epsilon: 1, iterations: 50 };
  const expected = await item(() => sinkhorn(tensor(costs, { shape: [6, 6] }), options).value);
  near(await item(() => sinkhornLoss(tensor(a, { shape }), tensor(b, { shape }), options)), expected, 1e-9);
  const far = (values: Float64Array) => tensor(values, { shape }).add(64);
  const [onGpu] = await read(gpu, () => [sinkhornLoss(far(a), far(b), options)]);
  near(onGpu![0]! / expected, 1, 1e-4);
});

test('gradients of first and second order, to points and masses, through all iterations', async () => {
  const weight = masses([1, 2, 3, 1, 2]);
  for (const p of [1, 2] as const) {
    const options = { epsilon: 0.7, iterations: 6, p };
    await gradcheck((x, y) => sinkhornLoss(x, y, options), [cloudX(), cloudY()], { atol: 1e-7, rtol: 1e-6 });
    await gradcheck((x, y) => sinkhornDivergence(x, y, options), [cloudX(), cloudY()], { atol: 1e-7, rtol: 1e-6 });
    await gradgradcheck((x) => sinkhornDivergence(x, cloudY(), { ...options, iterations: 3 }), [cloudX()]);
  }
  await gradcheck((a) => sinkhornLoss(cloudX(), cloudY(), { epsilon: 0.7, iterations: 5, xWeights: a }), [weight]);
  const square = tensor(pointCosts(xs, ys, { dimension: 2 }), { shape: [N, M] });
  await gradgradcheck((costs) => sinkhorn(costs, { epsilon: 0.5, iterations: 3 }).value, [square]);
  await gradcheck((costs) => sinkhorn(costs, { epsilon: 0.5, iterations: 3 }).plan, [square]);
});

test('the envelope gradient, few taped iterations and all of them agree once converged', async () => {
  const gradient = (unroll: number) =>
    read(reference, () => {
      const [x, a] = [cloudX().requireGrad(), masses([1, 2, 3, 1, 2]).requireGrad()];
      const options = { epsilon: 2, iterations: 120, unroll, xWeights: a };
      const [byX, byA] = grad(sinkhornDivergence(x, cloudY(), options), [x, a]);
      // On the simplex, the gradient to the masses counts up to a constant.
      return [byX!, byA!.sub(byA!.mean())];
    });
  const all = await gradient(120);
  for (const unroll of [0, 1, 5]) {
    const some = await gradient(unroll);
    all.forEach((expected, i) => {
      assert.ok(distance(some[i]!, expected) < 1e-6, `unroll ${unroll}, input ${i}`);
    });
  }
});

test('second derivatives with few taped iterations come closer with each', async () => {
  const second = async (unroll: number) => {
    const [h] = await read(reference, () => {
      const x = cloudX().requireGrad();
      const [g] = grad(sinkhornLoss(x, cloudY(), { epsilon: 2, iterations: 30, unroll }), [x], { createGraph: true });
      return grad(g!.square().sum(), [x]);
    });
    return h!;
  };
  const all = await second(30);
  const errors: number[] = [];
  for (const unroll of [0, 2, 6]) errors.push(distance(await second(unroll), all));
  assert.ok(errors[0]! > 1e-2 && errors[1]! < errors[0]! && errors[2]! < 1e-3, `${errors}`);
});

test('the sliced loss: value, gradients to second order, unequal numbers', async () => {
  for (const p of [1, 2] as const) {
    const rng = () => new Rng(3);
    const loss = (x: Tensor, y: Tensor) => slicedWassersteinLoss(x, y, { rng: rng(), projections: 8, p });
    await gradcheck(loss, [cloudX(), cloudY()], { atol: 1e-7, rtol: 1e-6 });
    await gradcheck(loss, [cloudX(), cloudX().add(1)], { atol: 1e-7, rtol: 1e-6 });
    if (p === 2) await gradgradcheck(loss, [cloudX(), cloudY()]);
    const many = { projections: 4000, p };
    const found = await item(() => slicedWassersteinLoss(cloudX(), cloudY(), { rng: rng(), ...many }));
    const expected = slicedWasserstein(Float32Array.from(xs), Float32Array.from(ys), { dimension: 2, ...many }) ** p;
    near(found / expected, 1, 0.05);
    const line = await item(() =>
      slicedWassersteinLoss(tensor(xs, { shape: [10, 1] }), tensor(ys, { shape: [8, 1] }), { rng: rng(), p }),
    );
    near(line, wasserstein1d(xs, ys, { p }) ** p, 1e-12);
    near(await item(() => loss(cloudX(), cloudX())), 0, 0);
    near(
      (await item(() => loss(cloudX().mul(2), cloudY().mul(2)))) / (await item(() => loss(cloudX(), cloudY()))),
      2 ** p,
      1e-12,
    );
  }
});

test('on the GPU they agree with float64, gradients too', async () => {
  const step = (): Tensor[] => {
    const x = cloudX().requireGrad();
    const losses = [
      sinkhornDivergence(x, cloudY(), { epsilon: 0.5, iterations: 12 }),
      sinkhornDivergence(x, cloudY(), { epsilon: 0.5, iterations: 12, p: 1, unroll: 0 }),
      slicedWassersteinLoss(x, cloudY(), { rng: new Rng(5), projections: 16 }),
    ];
    return losses.flatMap((loss) => [loss, ...grad(loss, [x])]);
  };
  const [found, expected] = [await read(gpu, step), await read(reference, step)];
  expected.forEach((values, i) => {
    const d = distance(found[i]!, values);
    assert.ok(d < 1e-4, `tensor ${i} is off by ${d} of its scale`);
  });
});

test('inside a compiled step they give what they give outside, and move points onto the target', async () => {
  const run = async (compiled: boolean): Promise<number[]> =>
    on(gpu, async () => {
      const [x, y] = [cloudX(), cloudY()];
      const rng = new Rng(6);
      const body = (at: Tensor, target: Tensor) => {
        const moving = at.detach().requireGrad();
        const sinkhornPart = sinkhornDivergence(moving, target, { epsilon: 0.1, iterations: 8, unroll: 0 });
        const slicedPart = slicedWassersteinLoss(moving, target, { rng, projections: 8 });
        const loss = sinkhornPart.add(slicedPart);
        const [g] = grad(loss, [moving]);
        return { loss, next: at.sub(g!.mul(0.5)) };
      };
      const step = compiled ? compile(body) : body;
      const losses: Tensor[] = [];
      for (let k = 0, at = x; k < 8; k++) {
        const { loss, next } = on(gpu, () => step(at, y));
        losses.push(loss);
        at = next;
      }
      return Promise.all(losses.map((loss) => loss.item()));
    });
  const [eager, replayed] = [await run(false), await run(true)];
  assert.ok(distance(replayed, eager) < 1e-4, `${replayed} and ${eager}`);
  assert.ok(eager.at(-1)! < 0.3 * eager[0]!, `${eager}`);
});

test('wrong input is refused, and named', () => {
  const [x, y] = [cloudX(), cloudY()];
  assert.throws(() => sinkhornLoss(x, y, {} as never), /epsilon must be a number above 0, not undefined/);
  assert.throws(() => sinkhornLoss(x, y, { epsilon: -1 }), /epsilon must be .*, not -1/);
  assert.throws(() => sinkhornLoss(x, y, { epsilon: 1, iterations: 0 }), /iterations must be .*, not 0/);
  assert.throws(() => sinkhornLoss(x, y, { epsilon: 1, scaling: 1 }), /scaling must be .*, not 1/);
  assert.throws(
    () => sinkhornLoss(x, y, { epsilon: 1, iterations: 3, unroll: 4 }),
    /unroll must be a whole number from 0 to 3, not 4/,
  );
  assert.throws(() => sinkhornLoss(x, y, { epsilon: 1, p: 3 } as never), /p must be one of 1, 2, not 3/);
  assert.throws(() => sinkhornLoss(x, y, { epsilon: 1, eps: 3 } as never), /no option eps/);
  assert.throws(
    () => sinkhornLoss(x, y, { epsilon: 1, xWeights: masses([1, 1]) }),
    /xWeights has a mass for each of 5/,
  );
  assert.throws(() => sinkhornDivergence(x, tensor([1, 2]), { epsilon: 1 }), /samples of one shape/);
  assert.throws(() => sinkhorn(tensor([1, 2]), { epsilon: 1 }), /costs are a matrix/);
  assert.throws(
    () => slicedWassersteinLoss(x, y, { rng: new Rng(0), projections: 0 }),
    /projections must be a whole number, 1 or more, not 0/,
  );
  assert.throws(() => slicedWassersteinLoss(x, tensor([[1]]), { rng: new Rng(0) }), /samples of one shape/);
});

test.after(() => gpu.destroy());
test.run();
