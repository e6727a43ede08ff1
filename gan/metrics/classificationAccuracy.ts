import {
  compile,
  crossEntropy,
  type Device,
  grad,
  Rng,
  scope,
  sizeOf,
  type Tensor,
  tensor,
  withDevice,
} from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import * as nn from '../../nn/index.ts';
import { classesOf } from './features.ts';
import { deviceFor, readFrom } from './read.ts';
import { bothRows, type MetricSamples, type Rows, sliceSamples, takeSamples } from './samples.ts';

/** Options of {@link classificationAccuracyScore}. */
export interface ClassificationAccuracyOptions {
  /** Seed of the classifier's weights and of the order of the samples. */
  readonly seed: number;
  /** How many classes; one more than the largest label unless given. */
  readonly classes?: number;
  /** Passes over the samples. Default 5. */
  readonly epochs?: number;
  /** Samples in a step. Default 64. */
  readonly batchSize?: number;
  /** The largest learning rate of AdamW's one cycle. Default 0.004. */
  readonly lr?: number;
  /** Makes the classifier, from samples [N, ...] to logits [N,K]; a small network for points or images unless given. */
  readonly model?: (rng: Rng) => nn.Module;
  /** The device that computes; the current device unless given. */
  readonly device?: Device;
}

/** What {@link classificationAccuracyScore} finds. */
export interface ClassificationAccuracy {
  /** The share of real samples that the classifier reads right, 0 to 1; higher is better. */
  readonly value: number;
  /** The same by class; NaN for a class without real samples. Low for classes that the generator draws badly or not at all. */
  readonly byClass: readonly number[];
}

/** Steps between reads of the loss, which keep those that wait for the device few. */
const READ = 20;

/**
 * Classification accuracy score: a classifier learns from generated samples with their labels and is tested on real ones. Judge it
 * beside that of a classifier that learned from as many real samples: what is missing, the samples do not show.
 *
 * Source: Ravuri and Vinyals, "Classification accuracy score for conditional generative models", NeurIPS 2019.
 * @param samples [N, ...] with labels
 * @param reference real samples [M, ...] with labels, which the classifier has not seen
 * @throws TypeError where labels are missing; RangeError for a label out of range or samples that do not fit; Error when the loss or the
 *   logits of the classifier are no longer finite
 */
export async function classificationAccuracyScore(
  samples: MetricSamples,
  reference: MetricSamples,
  options: ClassificationAccuracyOptions,
): Promise<ClassificationAccuracy> {
  const op = 'classificationAccuracyScore';
  const known = ['seed', 'classes', 'epochs', 'batchSize', 'lr', 'model', 'device'] as const;
  const { seed, epochs = 5, batchSize = 64, lr = 4e-3, device: asked, ...rest } = checked(op, options, known);
  const device = deviceFor(asked);
  const [a, b] = bothRows(op, samples, reference, 2);
  const [labels, truth] = [labelsOf(op, 'samples', samples, a), labelsOf(op, 'reference', reference, b)];
  const largest = Math.max(labels.reduce(larger, 0), truth.reduce(larger, 0));
  const classes = checkRange(op, 'classes', ranges.whole(largest + 1), rest.classes ?? largest + 1);
  const batch = Math.min(checkRange(op, 'batchSize', ranges.whole(2), batchSize), a.count);
  const one = samples.shape.slice(1);
  const make = rest.model ?? ((rng: Rng) => smallClassifier(one, classes, rng));
  using model = withDevice(device, () => make(new Rng(seed, 1)));
  await learn(model, samples, { device, batch, lr, labels, epochs, rng: new Rng(seed, 2) });
  model.eval();
  const [right, all] = [new Array<number>(classes).fill(0), new Array<number>(classes).fill(0)];
  for (let from = 0; from < b.count; from += 500) {
    const part = sliceSamples(reference, from, from + 500);
    const logits = await readFrom(device, () => model.forward(tensor(part.data, { shape: part.shape })));
    // The last update may be the one that breaks the weights, and no loss comes after it.
    if (!logits.every(Number.isFinite)) throw diverged(op, 'logits are not finite', lr);
    const count = part.shape[0]!;
    classesOf({ data: logits, shape: [count, logits.length / count] }).forEach((c, i) => {
      const label = truth[from + i]!;
      all[label]!++;
      if (c === label) right[label]!++;
    });
  }
  return { value: right.reduce((s, n) => s + n, 0) / b.count, byClass: right.map((n, c) => n / all[c]!) };
}

const diverged = (op: string, what: string, lr: number): Error =>
  new Error(`${op}: the classifier's ${what}; give a lower lr than ${lr}`);

const larger = (s: number, x: number): number => Math.max(s, x);

interface Lesson {
  readonly device: Device;
  readonly batch: number;
  readonly lr: number;
  readonly labels: Int32Array;
  readonly epochs: number;
  readonly rng: Rng;
}

async function learn(model: nn.Module, samples: MetricSamples, lesson: Lesson): Promise<void> {
  const { device, batch, lr, labels, epochs, rng } = lesson;
  const parameters = model.parameters();
  using optimizer = withDevice(device, () => new nn.AdamW(parameters, { lr }));
  using step = compile((x: Tensor, y: Tensor) => {
    const loss = crossEntropy(model.forward(x), y);
    optimizer.step(grad(loss, parameters));
    return loss;
  });
  const steps = Math.floor(labels.length / batch);
  const op = 'classificationAccuracyScore';
  const totalSteps = checkRange(op, 'epochs', ranges.count, epochs) * steps;
  const schedule = new nn.OneCycleLR(optimizer, { maxLr: lr, totalSteps, cycleMomentum: false });
  for (let done = 0; done < totalSteps; ) {
    const order = rng.hostPermutation(labels.length);
    for (let s = 0; s < steps; s++) {
      const which = order.subarray(s * batch, (s + 1) * batch);
      const { data, shape } = takeSamples(samples, which);
      const targets = Float32Array.from(which, (i) => labels[i]!);
      using loss = withDevice(device, () => scope(() => step(tensor(data, { shape }), tensor(targets))));
      done++;
      if (done % READ === 0 || done === totalSteps) {
        const value = await loss.item();
        if (!Number.isFinite(value)) throw diverged(op, `loss is ${value} after ${done} steps`, lr);
      }
      if (done < totalSteps) schedule.step();
    }
  }
}

function labelsOf(op: string, name: string, { labels }: MetricSamples, { count }: Rows): Int32Array {
  if (labels?.length !== count) throw new TypeError(`${op}: ${name} need a label for each of the ${count} samples`);
  const wrong = Array.from(labels).findIndex((c) => !(Number.isInteger(c) && c >= 0));
  if (wrong >= 0)
    throw new RangeError(`${op}: label ${labels[wrong]} of sample ${wrong} of ${name} is no whole number from 0 on`);
  return Int32Array.from(labels);
}

/** Two hidden layers for points; two strided convolutions with batch norm for images. */
function smallClassifier(shape: readonly number[], classes: number, rng: Rng): nn.Module {
  const plain = { bias: false, init: nn.init.kaimingNormal(), rng };
  if (shape.length !== 3) {
    const width = sizeOf(shape);
    const hidden = { init: nn.init.kaimingNormal(), rng };
    return new nn.Sequential(
      new nn.Flatten(),
      ...[new nn.Linear(width, 64, hidden), new nn.ReLU(), new nn.Linear(64, 64, hidden), new nn.ReLU()],
      new nn.Linear(64, classes, { rng }),
    );
  }
  const [height, width, channels] = shape as [number, number, number];
  const quarter = (n: number): number => Math.floor(Math.floor(n / 2) / 2);
  return new nn.Sequential(
    new nn.Conv2d(channels, 12, 4, { stride: 2, padding: 1, ...plain }),
    new nn.BatchNorm2d(12),
    new nn.ReLU(),
    new nn.Conv2d(12, 24, 4, { stride: 2, padding: 1, ...plain }),
    new nn.BatchNorm2d(24),
    new nn.ReLU(),
    new nn.Flatten(),
    new nn.Linear(quarter(height) * quarter(width) * 24, classes, { rng }),
  );
}
