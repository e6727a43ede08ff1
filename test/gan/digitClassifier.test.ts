/** The classifier whose features the metrics of digits compare: the weights in the package read digits. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { argmax, scope, tensor } from '../../engine/index.ts';
import { loadMnist } from '../../gan/data/mnist.node.ts';
import { loadDigitClassifier } from '../../gan/metrics/digitClassifier.node.ts';
import { openGpu } from '../support/devices.ts';

const test = suite('digit classifier');
const gpu = await openGpu();
test.after(() => gpu.destroy());

test('it reads at least 98 % of the first 2,000 test digits', async () => {
  const { images, labels } = await loadMnist({ split: 'test' });
  const n = 2000;
  const model = await loadDigitClassifier({ device: gpu });
  const pixels = Float32Array.from(images.subarray(0, n * 784), (v) => v / 127.5 - 1);
  const x = tensor(pixels, { shape: [n, 28, 28, 1], device: gpu });
  const [features, found] = scope(() => {
    const h = model.features(x);
    return [h.data(), argmax(model.head.forward(h), -1).data()];
  });
  const right = Array.from(await found).filter((digit, i) => digit === labels[i]).length;
  assert.ok(right / n >= 0.98, `${right} of ${n}`);
  assert.is((await features).length, n * 64);
  for (const t of [x, model]) t.dispose();
});

test.run();
