import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Rng } from '../../engine/index.ts';
import {
  gaussianRing,
  pointSet,
  resizeSet,
  type SampleSet,
  selectClasses,
  stackDigits,
  trainingData,
} from '../../gan/index.ts';
import { DataLoader } from '../../nn/index.ts';
import { openGpu, reference } from '../support/devices.ts';

/** Images of one value, 10 * label + place, with labels 0 to 9 in turn. */
function digits(count = 30, side = 2): SampleSet {
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  const data = new Uint8Array(count * side * side).map((_, i) => {
    const image = Math.floor(i / (side * side));
    return 10 * (image % 10) + Math.floor(image / 10);
  });
  const samples = { count, data, labels };
  const classes = Array.from({ length: 10 }, (_, i) => String(i));
  return { name: 'toy', title: 'Toy', kind: 'images', shape: [side, side, 1], train: samples, test: samples, classes };
}

/** One image of 5 x 5 grey levels. */
const pixels = [
  [0, 10, 20, 255, 7],
  [200, 30, 4, 9, 90],
  [66, 77, 88, 99, 250],
  [1, 128, 254, 3, 17],
  [40, 50, 60, 70, 80],
].flat();
const imageSet = (data: readonly number[], side: number, channels: number): SampleSet => {
  const samples = { count: data.length / (side * side * channels), data: Uint8Array.from(data) };
  return { name: 'toy', title: 'Toy', kind: 'images', shape: [side, side, channels], train: samples, test: samples };
};

test('classes are kept by name and numbered anew in the order given', () => {
  const set = selectClasses(digits(), ['8', '1']);
  assert.equal(set.classes, ['8', '1']);
  assert.is(set.title, 'Toy: 8, 1');
  assert.is(set.train.count, 6);
  assert.equal([...set.train.labels!], [1, 0, 1, 0, 1, 0]);
  const firsts = [...set.train.data].filter((_, i) => i % 4 === 0);
  assert.equal(firsts, [10, 80, 11, 81, 12, 82]);
  assert.is(set.test.count, 6);
  const named = selectClasses({ ...digits(), classes: [...'abcdefghi', 'Ankle boot'] }, ['ankle BOOT']);
  assert.equal([named.classes, named.train.count], [['Ankle boot'], 3]);
});

test('classes that are not there are refused', () => {
  const set = digits();
  assert.throws(
    () => selectClasses(set, ['ten']),
    /^toy: there is no class "ten"; there are 0, 1, 2, 3, 4, 5, 6, 7, 8, 9$/,
  );
  assert.throws(() => selectClasses(set, []), /name one class or more of 0, 1/);
  assert.throws(() => selectClasses(set, ['1', '1']), /the class "1" is named twice/);
  assert.throws(() => selectClasses(set, '8' as never), /classes must be a list such as \['0'\], not "8"/);
  assert.throws(() => selectClasses(digits(5), ['7']), /the train split has no sample of 7/);
  assert.throws(() => selectClasses(pointSet(gaussianRing(), { trainSize: 1 }), ['1']), /ring: the set has no classes/);
  const thousand = { ...set, classes: Array.from({ length: 1000 }, (_, i) => `c${i}`) };
  assert.throws(() => selectClasses(thousand, ['x']), /c19 and 980 more$/);
});

test('four pixels more are a frame of black', () => {
  const set = resizeSet(imageSet([1, 2, 3, 4, 5, 6, 7, 8], 2, 1), 5);
  assert.equal(set.shape, [5, 5, 1]);
  const rows = (image: number) =>
    Array.from({ length: 5 }, (_, y) => [...set.train.data.subarray(image * 25 + y * 5, image * 25 + (y + 1) * 5)]);
  assert.equal(rows(0), [
    [0, 0, 0, 0, 0],
    [0, 1, 2, 0, 0],
    [0, 3, 4, 0, 0],
    [0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0],
  ]);
  assert.equal(rows(1)[2], [0, 7, 8, 0, 0]);
  const colour = resizeSet(imageSet([1, 2, 3], 1, 3), 3);
  assert.equal([...colour.test.data], [...Array(12).fill(0), 1, 2, 3, ...Array(12).fill(0)]);
  const whole = imageSet(pixels, 5, 1);
  assert.is(resizeSet(whole, 5), whole);
});

test("any other size is PyTorch's antialiased bilinear interpolation", () => {
  // torch.nn.functional.interpolate(x, size, mode='bilinear', antialias=True) of PyTorch 1.13 in float64, rounded.
  const expected: Readonly<Record<number, readonly number[]>> = {
    2: [60.553719, 85.456612, 82.142562, 85.179752],
    3: [56.938776, 44.666667, 88.428571, 79.857143, 89.135802, 117.666667, 49.061224, 107.238095, 47.979592],
  };
  for (const [size, values] of Object.entries(expected)) {
    const found = resizeSet(imageSet([...pixels, ...pixels.map((p) => 255 - p)], 5, 1), Number(size)).train;
    assert.equal([...found.data.subarray(0, values.length)], values.map(Math.round));
    assert.equal(
      [...found.data.subarray(values.length)],
      values.map((v) => Math.round(255 - v)),
    );
    const colour = imageSet(
      pixels.flatMap((p) => [p, 0, 255]),
      5,
      3,
    );
    assert.equal(
      [...resizeSet(colour, Number(size)).train.data],
      values.flatMap((v) => [Math.round(v), 0, 255]),
    );
  }
  const large = [...resizeSet(imageSet(pixels, 5, 1), 11).train.data];
  assert.equal(large.slice(0, 11), [0, 2, 6, 11, 15, 20, 127, 234, 165, 52, 7]);
  assert.equal(large.slice(99, 110), [33, 39, 53, 67, 81, 95, 78, 61, 62, 67, 69]);
});

test('sizes and sets that cannot be resized are refused', () => {
  assert.throws(() => resizeSet(digits(), 0), /^toy: size must be a whole number, 1 or more, not 0/);
  assert.throws(
    () => resizeSet(pointSet(gaussianRing(), { trainSize: 1 }), 32),
    /ring: only square images are resized/,
  );
  assert.throws(() => resizeSet({ ...digits(), shape: [1, 4, 1] }, 8), /only square images/);
});

test('stacked digits are three digits, and their class the number that they make', () => {
  const set = stackDigits(digits(), { seed: 3, trainSize: 2000, testSize: 100 });
  assert.equal([set.name, set.shape, set.classes!.length], ['stacked-toy', [2, 2, 3], 1000]);
  assert.equal([set.classes![7], set.classes![123]], ['007', '123']);
  assert.equal([set.train.count, set.train.data.length, set.test.count], [2000, 2000 * 12, 100]);
  const seen = [new Set<number>(), new Set<number>(), new Set<number>()];
  set.train.labels!.forEach((label, i) => {
    for (let p = 0; p < 4; p++) {
      const [red, green, blue] = [...set.train.data.subarray(i * 12 + p * 3, i * 12 + p * 3 + 3)].map((v) =>
        Math.floor(v / 10),
      );
      assert.is(red! * 100 + green! * 10 + blue!, label);
    }
    for (let c = 0; c < 3; c++) seen[c]!.add(set.train.data[i * 12 + c]!);
  });
  assert.equal(
    seen.map((values) => values.size),
    [30, 30, 30],
    'every digit is drawn, in every channel',
  );
  // 2,000 draws of 1,000 equally likely classes hit 1000 (1 - 0.999^2000) = 864.8 of them, with standard deviation 9.
  const classes = new Set(set.train.labels).size;
  assert.ok(Math.abs(classes - 864.8) < 45, `${classes} classes`);
  assert.equal(stackDigits(digits(), { seed: 3, trainSize: 2000, testSize: 100 }), set);
  assert.not.equal(stackDigits(digits(), { seed: 4, trainSize: 2000, testSize: 100 }).train, set.train);
  assert.throws(() => stackDigits(digits(), { trainSize: 1.5 }), /^stacked-toy: trainSize must be a whole number/);
  assert.throws(() => stackDigits(imageSet(pixels, 5, 1)), /grey images in ten classes, not of Toy \[5,5,1\]/);
});

for (const device of [reference, await openGpu()]) {
  test(`a loader takes any set in one line, on ${device.name}`, async () => {
    const loader = new DataLoader(trainingData(digits()), { batchSize: 10, device });
    let batches = 0;
    for await (const { sample, label } of loader) {
      assert.equal(sample.shape, [10, 2, 2, 1]);
      assert.equal([...(await label!.data())], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      const values = await sample.data();
      assert.ok(Math.abs(values[36]! - ((90 + batches) / 127.5 - 1)) < 1e-6);
      batches++;
    }
    assert.is(batches, 3);
    const points = pointSet(gaussianRing(), { trainSize: 8, testSize: 4 });
    const rng = new Rng(1);
    for await (const batch of new DataLoader(trainingData(points, 'test'), {
      batchSize: 4,
      shuffle: true,
      rng,
      device,
    })) {
      assert.equal(Object.keys(batch), ['sample']);
      assert.equal([...(await batch.sample.data())].sort(), [...points.test.data].sort());
    }
  });
}

test.run();
