/** arange, linspace, eye, the ones in the shape of another, and random whole numbers: values to the bit, edges, compiled steps. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  arange,
  type CreateOptions,
  compile,
  defaultRng,
  eye,
  fullLike,
  linspace,
  manualSeed,
  memory,
  onesLike,
  Rng,
  rand,
  randint,
  type Shape,
  scope,
  type Tensor,
  tensor,
  zerosLike,
} from '../../engine/index.ts';
import { threefry2x32 } from '../../kernels/random/random.ts';
import { on, openGpu, read, reference } from '../support/devices.ts';

const test = suite('create');
const gpu = await openGpu();
const devices = [gpu, reference];

const numbers = async (device: (typeof devices)[number], fn: () => Tensor): Promise<number[]> => [
  ...(await read(device, () => [fn()]))[0]!,
];

/** Calls, and the values that they have in float64. */
const made: readonly (readonly [name: string, call: () => Tensor, shape: Shape, values: readonly number[]])[] = [
  ['arange(5)', () => arange(5), [5], [0, 1, 2, 3, 4]],
  ['arange(0)', () => arange(0), [0], []],
  ['arange(2.5)', () => arange(2.5), [3], [0, 1, 2]],
  ['arange(3, 3)', () => arange(3, 3), [0], []],
  ['arange(3, 3, -1)', () => arange(3, 3, -1), [0], []],
  ['arange(-2, 3)', () => arange(-2, 3), [5], [-2, -1, 0, 1, 2]],
  ['arange(3, 0, -1)', () => arange(3, 0, -1), [3], [3, 2, 1]],
  ['arange(0, 7, 3)', () => arange(0, 7, 3), [3], [0, 3, 6]],
  ['arange(0, 6, 3)', () => arange(0, 6, 3), [2], [0, 3]],
  ['arange(0, 1, 0.1)', () => arange(0, 1, 0.1), [10], Array.from({ length: 10 }, (_, i) => i * 0.1)],
  ['arange(1, 2, 0.1)', () => arange(1, 2, 0.1), [10], Array.from({ length: 10 }, (_, i) => 1 + i * 0.1)],
  ['arange(1, 1.3, 0.1)', () => arange(1, 1.3, 0.1), [3], [1, 1.1, 1.2]],
  ['arange(1.3, 1, -0.1)', () => arange(1.3, 1, -0.1), [3], [1.3, 1.3 - 0.1, 1.3 - 0.2]],
  ['arange(0, 0.30000000000000004, 0.1)', () => arange(0, 0.1 * 3, 0.1), [3], [0, 0.1, 0.2]],
  ['arange(0, 0.3000001, 0.1)', () => arange(0, 0.3000001, 0.1), [4], [0, 0.1, 0.2, 3 * 0.1]],
  ['arange(0, 0.2999999, 0.1)', () => arange(0, 0.2999999, 0.1), [3], [0, 0.1, 0.2]],
  ['arange(0, 2^52 + 1, 2^52)', () => arange(0, 2 ** 52 + 1, 2 ** 52), [2], [0, 2 ** 52]],
  ['arange(2^24 - 2, 2^24 + 1)', () => arange(2 ** 24 - 2, 2 ** 24 + 1), [3], [2 ** 24 - 2, 2 ** 24 - 1, 2 ** 24]],
  ['linspace(0, 1, 5)', () => linspace(0, 1, 5), [5], [0, 0.25, 0.5, 0.75, 1]],
  ['linspace(1, 0.1, 4)', () => linspace(1, 0.1, 4), [4], [1, 1 - 0.3, 0.1 + 0.3, 0.1]],
  ['linspace(3, 7, 1)', () => linspace(3, 7, 1), [1], [3]],
  ['linspace(3, 7, 2)', () => linspace(3, 7, 2), [2], [3, 7]],
  ['linspace(3, 7, 0)', () => linspace(3, 7, 0), [0], []],
  ['linspace(2, 2, 3)', () => linspace(2, 2, 3), [3], [2, 2, 2]],
  ['eye(2)', () => eye(2), [2, 2], [1, 0, 0, 1]],
  ['eye(2, 3)', () => eye(2, 3), [2, 3], [1, 0, 0, 0, 1, 0]],
  ['eye(3, 2)', () => eye(3, 2), [3, 2], [1, 0, 0, 1, 0, 0]],
  ['eye(0)', () => eye(0), [0, 0], []],
  ['eye(2, 0)', () => eye(2, 0), [2, 0], []],
  ['eye(0, 2)', () => eye(0, 2), [0, 2], []],
];

for (const [name, call, shape, values] of made) {
  test(`${name}: to the bit`, async () => {
    for (const device of devices) {
      assert.equal(
        on(device, () => scope(() => call().shape)),
        shape,
      );
      const wanted = device === gpu ? values.map(Math.fround) : values;
      assert.equal(await numbers(device, call), wanted, device.kind);
    }
  });
}

test('linspace of many steps: both ends, equal gaps, each rounded once', async () => {
  for (const [a, b, n] of [
    [-0.3, 0.9, 1000],
    [1e-3, 1e3, 999],
    [7, -7, 65],
  ] as const) {
    const [single, double] = await Promise.all(devices.map((d) => numbers(d, () => linspace(a, b, n))));
    assert.equal([double![0], double![n - 1], double!.length], [a, b, n]);
    assert.equal(single, double!.map(Math.fround));
    double!.forEach((v, i) => {
      const exact = (a * (n - 1 - i) + b * i) / (n - 1);
      assert.ok(Math.abs(v - exact) <= 2 ** -51 * Math.max(Math.abs(a), Math.abs(b)), `${i}: ${v}, not ${exact}`);
    });
  }
});

test('a large identity has one 1 a row', async () => {
  const rows = await numbers(gpu, () => eye(300, 1000));
  assert.ok(rows.every((v, k) => v === (Math.floor(k / 1000) === k % 1000 ? 1 : 0)));
});

test('zerosLike, onesLike and fullLike have the shape and the device of another, and nothing else of it', async () => {
  for (const device of devices) {
    const x = tensor([[1, 2, Number.NaN]], { device, requiresGrad: true, label: 'x' });
    const y = x.mul(2);
    const all = on(reference, () => [zerosLike(x), onesLike(y), fullLike(x, -1.5), fullLike(y, Number.NaN)]);
    assert.equal(await Promise.all(all.map((t) => t.array())), [
      [[0, 0, 0]],
      [[1, 1, 1]],
      [[-1.5, -1.5, -1.5]],
      [[Number.NaN, Number.NaN, Number.NaN]],
    ]);
    for (const t of all) {
      assert.is(t.device, device);
      assert.equal([t.requiresGrad, t.label, t.node], [false, undefined, undefined]);
    }
    for (const t of [x, y, ...all]) t.dispose();
    assert.throws(() => zerosLike(x), /^x \[1,3\] was freed/);
  }
});

test('all of them take requiresGrad and label, in the place of what may be left out too', () => {
  on(reference, () =>
    scope(() => {
      const options: CreateOptions = { requiresGrad: true, label: 'w' };
      const x = tensor([1]);
      for (const t of [
        arange(3, options),
        arange(0, 3, options),
        arange(0, 3, 1, options),
        arange(0, 3, undefined, options),
        linspace(0, 1, 3, options),
        eye(2, options),
        eye(2, 3, options),
        eye(2, undefined, options),
        zerosLike(x, options),
        onesLike(x, options),
        fullLike(x, 2, options),
        randint(4, [2], options),
        randint(1, 4, [2], options),
        new Rng(1).randint(4, [2], options),
      ]) {
        assert.equal([t.requiresGrad, t.label, t.node], [true, 'w', undefined]);
        assert.is(t.mul(2).requiresGrad, true);
      }
    }),
  );
});

test('what cannot be is refused under the name that was called', () => {
  const refused: readonly (readonly [call: () => unknown, error: string, message: RegExp])[] = [
    [() => arange(0, 1, 0), 'RangeError', /^arange: step must not be 0/],
    [() => arange(-1), 'RangeError', /^arange: a step of 1 leads away from the end: it goes from 0, and not to -1/],
    [() => arange(1, 2, -0.5), 'RangeError', /^arange: a step of -0.5 leads away/],
    [() => arange(0, Number.POSITIVE_INFINITY), 'RangeError', /^arange: end must be a finite number, not Infinity/],
    [() => arange(Number.NaN), 'RangeError', /^arange: end must be a finite number, not NaN/],
    [
      () => arange(0, 1e12, 0.5),
      'RangeError',
      /^arange: from 0 to 1000000000000 by 0.5 are 2000000000000 numbers, more/,
    ],
    [() => linspace(0, 1, -1), 'RangeError', /^linspace: steps must be a whole number from 0/],
    [() => linspace(0, 1, 2.5), 'RangeError', /^linspace: steps must be a whole number from 0/],
    [() => linspace(-1e308, 1e308, 3), 'RangeError', /^linspace: .* too far apart/],
    [() => eye(-1), 'RangeError', /^eye: n must be a whole number, 0 or more, not -1/],
    [() => eye(2, 1.5), 'RangeError', /^eye: m must be a whole number/],
    [() => eye([2, 3] as never), 'TypeError', /^eye: n must be a whole number, 0 or more, not \[2,3\]/],
    [() => randint(0, [2]), 'RangeError', /^randint: low 0 must be less than high 0/],
    [() => randint(5, 5, [2]), 'RangeError', /^randint: low 5 must be less than high 5/],
    [
      () => randint(2.5, [2]),
      'RangeError',
      /^randint: high must be a whole number from -16777215 to 16777217, not 2.5/,
    ],
    [() => randint(2 ** 24 + 2, [2]), 'RangeError', /^randint: high must be/],
    [() => randint(-(2 ** 24) - 1, 0, [2]), 'RangeError', /^randint: low must be/],
    [() => randint(5, [-1]), 'ShapeError', /^randint: \[-1\] is not a shape/],
    [() => randint(1, 5, 3 as never), 'TypeError', /^randint: the shape must be a list such as \[2, 3\], not 3/],
    [
      () => (new Rng(0) as unknown as { randint(high: number): unknown }).randint(5),
      'TypeError',
      /^randint: the shape not given/,
    ],
  ];
  on(gpu, () => {
    for (const [call, name, message] of refused) {
      assert.throws(call, (e: Error) => e.name === name && message.test(e.message), String(message));
    }
  });
});

test('whole numbers that float32 would round are refused, and only those', async () => {
  const big = 2 ** 24;
  on(gpu, () => {
    assert.throws(() => arange(big, big + 2), /^arange: float32 does not hold the whole number 16777217/);
    assert.throws(() => eye(1, big + 2), /^eye: float32 does not hold the whole number 16777217/);
  });
  assert.equal(await numbers(gpu, () => arange(0, 2 ** 30, 2 ** 28)), [0, 2 ** 28, 2 ** 29, 3 * 2 ** 28]);
  assert.equal(await numbers(reference, () => arange(big, big + 3)), [big, big + 1, big + 2]);
});

test('in a compiled step they are what they are outside, and leave nothing behind', async () => {
  const x = on(gpu, () => tensor([[1, 2, 3]]));
  const body = (a: Tensor) => ({
    range: arange(0, 1, 0.1),
    sum: arange(3).add(a),
    space: linspace(-1, 1, 3),
    product: a.matmul(eye(3, 4)),
    eye: eye(2),
    like: zerosLike(a).add(onesLike(a).mul(fullLike(a, 2.5))),
  });
  const step = compile(body);
  const before = on(gpu, memory).tensors;
  const wanted = on(gpu, () => scope(() => Object.values(body(x)).map((t) => t.array())));
  for (let k = 0; k < 3; k++) {
    const found = on(gpu, () => scope(() => Object.values(step(x)).map((t) => t.array())));
    assert.equal(await Promise.all(found), await Promise.all(wanted));
  }
  assert.is(on(gpu, memory).tensors, before);
  step.dispose();
  x.dispose();
});

/** floor(word · count / 2^32) + low, with whole numbers of any size. */
const exact = (word: number, low: number, high: number): number =>
  low + Number((BigInt(word) * BigInt(high - low)) >> 32n);

const RANGES: readonly (readonly [number, number])[] = [
  [0, 1],
  [0, 2],
  [0, 10],
  [-7, 12],
  [-(2 ** 24), 2 ** 24 + 1],
  [0, 2 ** 24],
  [0, 2 ** 16],
  [0, 2 ** 16 + 1],
  [0, 2 ** 24 - 3],
  [2 ** 24 - 1, 2 ** 24 + 1],
];

test('randint is the product of a word and the range, to the bit, on both devices', async () => {
  const words = Array.from({ length: 1000 }, (_, i) => threefry2x32(5, 0, 3 + i, 0)).flat();
  for (const [low, high] of RANGES) {
    const wanted = words.map((w) => exact(w, low, high));
    for (const device of devices) {
      const found = await numbers(device, () => new Rng(5, 0, 3).randint(low, high, [40, 50]));
      assert.equal(found, wanted, `${low} to ${high} on ${device.kind}`);
    }
  }
  assert.equal(
    await numbers(gpu, () => new Rng(1).randint(9, [7])),
    await numbers(gpu, () => new Rng(1).randint(0, 9, [7])),
  );
});

test('randint draws each number as often as the next, and both ends', async () => {
  const n = 120_000;
  const counts = new Array<number>(6).fill(0);
  for (const v of await numbers(gpu, () => new Rng(8).randint(1, 7, [n]))) counts[v - 1]!++;
  const chi2 = counts.reduce((s, c) => s + (c - n / 6) ** 2 / (n / 6), 0);
  assert.ok(chi2 < 25, `${counts}`); // above 20.5 in one of a thousand fair dice
});

test('randint goes on with its stream: state, manualSeed, compiled steps', async () => {
  const rng = new Rng(4);
  const first = await numbers(reference, () => rng.randint(100, [5]));
  assert.is(rng.offset, 3);
  const state = rng.stateDict();
  const second = await numbers(reference, () => rng.randint(100, [5]));
  assert.is.not(String(first), String(second));
  rng.loadStateDict(state);
  assert.equal(await numbers(reference, () => rng.randint(100, [5])), second);

  manualSeed(6);
  const shared = await numbers(gpu, () => randint(-3, 1000, [9]));
  assert.equal(shared, await numbers(gpu, () => new Rng(6).randint(-3, 1000, [9])));
  assert.is(defaultRng().offset, 5);

  const [eager, compiled] = [new Rng(11), new Rng(11)];
  const step = compile(() => [compiled.randint(1000, [6]), rand([1]), compiled.randint(-5, 5, [3]).mul(2)]);
  for (let k = 0; k < 3; k++) {
    const [a, , b] = await read(gpu, () => step());
    assert.equal([...a!], await numbers(gpu, () => eager.randint(1000, [6])));
    assert.equal([...b!], await numbers(gpu, () => eager.randint(-5, 5, [3]).mul(2)));
  }
  assert.is(compiled.offset, eager.offset);
  step.dispose();
});

test.after(() => gpu.destroy());
test.run();
