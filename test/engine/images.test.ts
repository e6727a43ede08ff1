/** Pooling, resizing and sampling: values as PyTorch defines them, ties, NaN, infinity, and what is refused. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  adaptiveAvgPool1d,
  adaptiveMaxPool1d,
  avgPool1d,
  conv1d,
  conv2d,
  conv3d,
  grad,
  gridSample,
  maxPool1d,
  maxPool2d,
  resizeBilinear,
  resizeNearest,
  ShapeError,
  scope,
  type Tensor,
  tensor,
  withDevice,
  zeros,
} from '../../engine/index.ts';
import { openGpu, read, reference } from '../support/devices.ts';

const gpu = await openGpu();
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** What `fn` gives is `expected`, on both devices, to float32. */
async function gives(fn: () => Tensor, expected: readonly number[]): Promise<void> {
  for (const d of [reference, gpu]) {
    const [values] = await read(d, () => [fn()]);
    const close = values!.length === expected.length && expected.every((e, i) => same(values![i]!, e));
    assert.ok(close, `${d.kind}: [${values}], not [${expected}]`);
  }
}

const same = (a: number, b: number): boolean => Object.is(a, b) || Math.abs(a - b) <= 1e-6;
const row = (...values: number[]): Tensor => tensor(values, { shape: [1, values.length, 1] });
const image = (...values: number[]): Tensor => tensor(values, { shape: [1, 1, values.length, 1] });

test('resizing', async () => {
  await gives(() => resizeNearest(image(1, 2, 3), { size: [1, 5] }), [1, 1, 2, 2, 3]);
  await gives(() => resizeNearest(image(1, 2, 3, 4, 5), { size: [2, 2] }), [1, 3, 1, 3]);
  await gives(() => resizeNearest(image(1, 2), { scale: [1, 2.5] }), [1, 1, 1, 2, 2]);
  await gives(() => resizeBilinear(image(0, 1), { size: [1, 4] }), [0, 0.25, 0.75, 1]);
  await gives(() => resizeBilinear(image(0, 1), { size: [1, 4], alignCorners: true }), [0, 1 / 3, 2 / 3, 1]);
  await gives(() => resizeBilinear(image(0, 1, 2, 3), { scale: [1, 0.5] }), [0.5, 2.5]);
  await gives(() => resizeBilinear(image(5, 1, 2, 3), { size: 1, alignCorners: true }), [5]);
  // The ratio of places to the largest index is where rounding would show.
  const n = 40_001;
  const ramp = Float64Array.from({ length: n }, (_, i) => i % 251);
  const expected = Float64Array.from({ length: 3 * n }, (_, i) => ramp[Math.floor(i / 3)]!);
  await gives(() => resizeNearest(tensor(ramp, { shape: [1, 1, n, 1] }), { scale: [1, 3] }), [...expected]);
});

test('average pooling', async () => {
  const options = { stride: 2, padding: 1, ceilMode: true };
  await gives(() => avgPool1d(row(1, 1, 1, 1), 3, options), [2 / 3, 1, 1 / 2]);
  await gives(() => avgPool1d(row(1, 1, 1, 1), 3, { ...options, countIncludePad: false }), [1, 1, 1]);
  await gives(() => adaptiveAvgPool1d(row(1, 2, 3, 4, 6), 3), [1.5, 3, 5]);
});

test('maximum pooling: padding, NaN, infinity and indices', async () => {
  await gives(() => maxPool1d(row(-3, -1, -2), 2, { stride: 1, padding: 1 }), [-3, -1, -1, -2]);
  await gives(() => maxPool1d(row(1, nan, 3, 4, 5, 2), 2), [nan, 4, 5]);
  await gives(() => maxPool1d(row(-inf, -inf, inf, 4), 2), [-inf, inf]);
  await gives(() => maxPool1d(row(1, 5, 2, 9, 3), 2, { stride: 1, dilation: 3 }), [9, 5]);
  await gives(() => maxPool1d(row(1, 5, 2, 9, 3), 2, { ceilMode: true }), [5, 9, 3]);
  await gives(() => adaptiveMaxPool1d(row(1, 9, 3, 4, 6), 3), [9, 9, 6]);
});

test('the gradient of a maximum goes to the first of equals, and all of it', async () => {
  const slope = (x: Tensor, f: (x: Tensor) => Tensor): Tensor => grad(f(x).sum(), [x])[0]!;
  const leaf = (...values: number[]) => row(...values).requireGrad();
  await gives(() => slope(leaf(7, 7, 7, 7), (x) => maxPool1d(x, 2)), [1, 0, 1, 0]);
  await gives(() => slope(leaf(0, 7, 7, 0), (x) => maxPool1d(x, 3, { stride: 1 })), [0, 2, 0, 0]);
  await gives(() => slope(leaf(-inf, -inf), (x) => maxPool1d(x, 2)), [1, 0]);
});

test('three derivatives of a squared maximum and of a squared resizing', async () => {
  const derivative = (x: Tensor, f: (x: Tensor) => Tensor): Tensor => {
    let y = f(x);
    for (let k = 0; k < 3; k++) y = grad(y.sum(), [x], { createGraph: true })[0]!;
    return y.detach();
  };
  const leaf = () => image(1, 2, 3, 4).requireGrad();
  await gives(() => derivative(leaf(), (x) => maxPool2d(x, [1, 2]).square().square()), [0, 48, 0, 96]);
  await gives(
    () =>
      derivative(leaf(), (x) =>
        resizeNearest(x, { scale: [1, 2] })
          .square()
          .square(),
      ),
    [48, 96, 144, 192],
  );
});

test('grid sampling: inside, outside, at the border and at infinity', async () => {
  const at = (...xs: number[]): Tensor =>
    tensor(
      xs.flatMap((x) => [x, 0]),
      { shape: [1, 1, xs.length, 2] },
    );
  const x = () => image(1, 2, 4);
  const corners = { alignCorners: true };
  const border = { paddingMode: 'border' } as const;
  await gives(() => gridSample(x(), at(-1, 0, 0.5, 1), corners), [1, 2, 3, 4]);
  await gives(() => gridSample(x(), at(-1, 0, 1)), [0.5, 2, 2]);
  await gives(() => gridSample(x(), at(-1, 0, 1), border), [1, 2, 4]);
  await gives(() => gridSample(x(), at(-9, inf, -inf, 1e30)), [0, 0, 0, 0]);
  await gives(() => gridSample(x(), at(-9, inf, -inf, 1e30), border), [1, 4, 1, 4]);
  const slope = () => {
    const grid = at(-1, -0.5, 1).requireGrad();
    return grad(gridSample(x(), grid, { ...corners, ...border }).sum(), [grid])[0]!;
  };
  await gives(slope, [0, 0, 1, 0, 0, 0]);
});

test('what does not fit is refused by name', () => {
  const refused = (fn: () => Tensor, message: RegExp) =>
    assert.throws(
      () => withDevice(reference, () => scope(fn)),
      (e: Error) => e instanceof ShapeError && message.test(e.message),
    );
  const x = withDevice(reference, () => zeros([1, 4, 4, 2]));
  refused(() => maxPool2d(row(1, 2), 2), /^maxPool2d: x must be \[N,H,W,C\], not \[1,2,1\]/);
  refused(() => maxPool2d(x, 5), /^maxPool2d: a window of 5 places does not fit into 4 along axis 1 of \[1,4,4,2\]/);
  refused(() => maxPool2d(x, 2, { padding: 2 }), /^maxPool2d: .*padding 2 along axis 1.* at most half/);
  refused(() => maxPool1d(row(1, 2), 2, { dilation: 5, padding: 3 }), /^maxPool1d: .*nothing but padding/);
  refused(() => resizeNearest(x, {}), /^resizeNearest: give a size or a scale/);
  refused(() => resizeBilinear(x, { size: [0, 3] }), /^resizeBilinear: cannot resize \[1,4,4,2\] to \[0,3\]/);
  refused(() => gridSample(x, zeros([1, 2, 2, 3])), /^gridSample: .* not \[1,4,4,2\] and \[1,2,2,3\]/);
  refused(() => maxPool1d(row(1, 2), 3), /^maxPool1d: a window of 3 places does not fit into 2/);
  refused(() => conv1d(x, x), /^conv1d: x must be \[N,L,Cin\]/);
  refused(() => conv3d(zeros([1, 3, 3, 3, 2]), zeros([2, 2, 2, 3, 4])), /^conv3d: x has 2 channels but w expects 3/);
  x.dispose();
});

test('a depthwise convolution is one of each channel alone', async () => {
  const x = () => tensor([1, 10, 2, 20, 3, 30], { shape: [1, 1, 3, 2] });
  const w = () => tensor([1, 2, 3, 4], { shape: [1, 2, 1, 2] });
  await gives(() => conv2d(x(), w(), { groups: 2 }), [7, 100, 11, 160]);
});

test.after(() => gpu.destroy());
test.run();
