/**
 * Trains the classifier of handwritten digits that the metrics of generated digits use, and says how many of the 10,000 test
 * digits it reads: `npm run example:classifier -- --help`.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { createProgress } from '../cli/terminal/progress.node.ts';
import { argmax, compile, crossEntropy, destroy, grad, init, Rng, scope, type Tensor } from '../engine/index.ts';
import type { Mnist } from '../gan/data/idxImages.node.ts';
import { loadMnist } from '../gan/data/mnist.node.ts';
import { DIGIT_WEIGHTS } from '../gan/metrics/digitClassifier.node.ts';
import { DigitClassifier } from '../gan/metrics/digitClassifier.ts';
import { tileImages } from '../gan/pictures/grid.ts';
import { writePng } from '../gan/pictures/png.node.ts';
import { saveSafetensors } from '../nn/index.node.ts';
import * as nn from '../nn/index.ts';

const whole = (text: string): number => {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1) throw new InvalidArgumentError('It must be a whole number of 1 or more.');
  return n;
};

interface Options {
  readonly epochs: number;
  readonly batch: number;
  readonly seed: number;
  readonly out: string;
  readonly keep?: true;
}

const BATCH_LOSSES = 20;
/** Of test digits at once: as many as fit into little memory. */
const TEST_BATCH = 500;

/** Images [N,28,28,1] in [-1, 1] with their digits. */
const dataset = ({ images, labels }: Mnist) =>
  new nn.ArrayDataset({
    image: { data: images, shape: [28, 28, 1], scale: 1 / 127.5, shift: -1 },
    label: { data: labels },
  });

async function train(model: DigitClassifier, digits: Mnist, { epochs, batch, seed }: Options): Promise<void> {
  const parameters = model.parameters();
  const optimizer = new nn.AdamW(parameters, { lr: 4e-3 });
  const step = compile((image: Tensor, label: Tensor) => {
    const loss = crossEntropy(model.forward(image), label);
    optimizer.step(grad(loss, parameters));
    return loss;
  });
  const order = { batchSize: batch, shuffle: true, dropLast: true, rng: new Rng(seed, 2) };
  const loader = new nn.DataLoader(dataset(digits), order);
  const total = epochs * loader.length!;
  const schedule = new nn.OneCycleLR(optimizer, { maxLr: 4e-3, totalSteps: total, cycleMomentum: false });
  using progress = createProgress({ total, imagesPerStep: batch });
  let done = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for await (const { image, label } of loader) {
      const loss = scope(() => step(image, label));
      done++;
      // Reading waits for the device; a loss now and then also keeps the steps that wait for it few.
      if (done % BATCH_LOSSES === 0 || done === total) progress.update(done, { loss: await loss.item() });
      loss.dispose();
      if (done < total) schedule.step();
    }
  }
  step.dispose();
  optimizer.dispose();
}

/** What the model reads in each test digit. */
async function read(model: DigitClassifier, digits: Mnist): Promise<number[]> {
  const found: number[] = [];
  for await (const { image } of new nn.DataLoader(dataset(digits), { batchSize: TEST_BATCH })) {
    found.push(...(await scope(() => argmax(model.forward(image), -1).data())));
  }
  return found;
}

/** Up to 64 digits that were misread, as a person may judge them. */
async function drawMistakes(path: string, { images, labels }: Mnist, found: readonly number[]): Promise<void> {
  const wrong = found.flatMap((digit, i) => (digit === labels[i] ? [] : [i])).slice(0, 64);
  if (wrong.length === 0) return;
  const pixels = Float32Array.from(
    wrong.flatMap((i) => [...images.subarray(i * 784, (i + 1) * 784)]),
    (v) => v / 127.5 - 1,
  );
  await writePng(path, tileImages(pixels, [wrong.length, 28, 28, 1]));
  console.log(`misread, in ${path}: ${wrong.map((i) => `${labels[i]} as ${found[i]}`).join(', ')}`);
}

async function main(options: Options): Promise<void> {
  const began = performance.now();
  const device = await init();
  const [digits, test] = await Promise.all([loadMnist({ split: 'train' }), loadMnist({ split: 'test' })]);
  await mkdir(options.out, { recursive: true });
  using model = new DigitClassifier(new Rng(options.seed, 1));
  console.log(`${device.name}\n${nn.summary(model, [1, 28, 28, 1])}`);
  await train(model, digits, options);
  const found = await read(model.eval(), test);
  const right = found.filter((digit, i) => digit === test.labels[i]).length;
  const path = options.keep ? DIGIT_WEIGHTS : join(options.out, 'classifier.safetensors');
  await saveSafetensors(path, model.stateDict(), { accuracy: `${right} of ${found.length} test digits` });
  await drawMistakes(join(options.out, 'misread.png'), test, found);
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(
    `${((100 * right) / found.length).toFixed(2)} % of ${found.length} test digits, ${seconds} s; weights in ${path}`,
  );
  destroy();
}

await new Command('example:classifier')
  .description('Train a classifier of handwritten digits on MNIST and test it on 10,000 others.')
  .option('--epochs <n>', 'passes over the 60,000 digits', whole, 3)
  .option('--batch <n>', 'digits in a batch', whole, 128)
  .option('--seed <n>', 'the same seed on the same adapter gives the same weights', whole, 1)
  .option('--out <folder>', 'for the weights and a picture of misread digits', 'runs/classifier')
  .option('--keep', "put the weights where the package's metrics find them")
  .action(main)
  .parseAsync();
