import { compile, concat, destroy, Generator, init, memory, scope, type Tensor, type Values } from '../engine/index.ts';
import { ArrayDataset, DataLoader } from '../nn/index.ts';
import { saveCheckpoint } from '../nn/io/checkpoint.node.ts';
import type { TrainOptions } from './cli/options.ts';
import { loadMnist } from './data/mnist.node.ts';
import { slicedWassersteinTo } from './metrics/slicedWasserstein.ts';
import { mnistNetworks } from './models/mnist.ts';
import { createRunFolder, type Row, type RunFolder } from './run/folder.node.ts';
import { tileImages } from './run/grid.ts';
import { plotCurves, wassersteinPanels } from './run/plot.node.ts';
import { writePng } from './run/png.node.ts';
import { createProgress } from './run/progress.node.ts';
import { Gan as WganGp } from './gan.ts';

/** Images of 28 x 28 grey levels. */
const IMAGE = [28, 28, 1] as const;
const PIXELS = 784;
/** Pictures in a grid, and samples behind each sliced Wasserstein distance. */
const GRID = 64;
const SAMPLES = 1024;
/** How often in a run a grid is drawn, the distance measured and a checkpoint written. */
const SNAPSHOTS = 8;
/** Steps between two rows of timing.jsonl. */
const TIMING = 10;

/** What makes the default run good within minutes on two cores; found by search, see CONTRIBUTING. */
const RECIPE = {
  criticSteps: 2,
  criticRate: 4e-3,
  generatorRate: 4e-3,
  /** The learning rates fall linearly to this share at the last step. */
  rateDecay: 0.02,
  betas: [0.5, 0.9],
  lambda: 10,
  emaDecay: 0.99,
  criticWidth: 8,
  generatorWidth: 16,
  latent: 64,
} as const;

/**
 * Trains a WGAN-GP on MNIST from nothing and keeps samples, curves, metrics and weights in a run folder.
 * @param signal stops the run after the step under way; what was learnt is kept
 */
export async function train(options: TrainOptions, signal?: AbortSignal): Promise<void> {
  const folder = options.dataFolder === undefined ? {} : { folder: options.dataFolder };
  const [digits, heldOut] = await Promise.all([
    loadMnist({ split: 'train', ...folder }),
    loadMnist({ split: 'test', ...folder }),
  ]);
  if (options.batch * PIXELS > digits.images.length) {
    throw new Error(
      `a batch of ${options.batch} is larger than the data set of ${digits.images.length / PIXELS} images`,
    );
  }
  const device = await init({ adapter: options.adapter });
  try {
    const run = createRunFolder(options.out === undefined ? {} : { out: options.out });
    try {
      await learn(options, run, device.name, digits.images, heldOut.images, signal);
    } finally {
      run.close();
    }
  } finally {
    destroy();
  }
}

async function learn(
  options: TrainOptions,
  run: RunFolder,
  adapter: string,
  digits: Uint8Array,
  heldOut: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { steps, batch, seed, quiet } = options;
  const say = (text: string): void => {
    if (!quiet) process.stdout.write(`${text}\n`);
  };
  // Separate streams: what one part draws does not move the others.
  const networks = mnistNetworks(new Generator(seed, 1), RECIPE);
  const trainer = new WganGp(networks, new Generator(seed, 2), RECIPE);
  const train = compiledStep(trainer);
  const real = { data: digits, shape: IMAGE, scale: 1 / 127.5, shift: -1 };
  const order = { batchSize: batch, shuffle: true, dropLast: true, rng: new Generator(seed, 3) };
  const data = new DataLoader(new ArrayDataset({ image: real }), order).epochs()[Symbol.iterator]();
  const codes = new Generator(seed, 4).normal([SAMPLES, networks.latent]);
  const truth = toUnitRange(heldOut);
  const distance = slicedWassersteinTo(truth, { dimension: PIXELS });

  say(`${adapter}\nwriting to ${run.path}`);
  await run.write('config.json', `${JSON.stringify({ ...options, ...RECIPE, adapter }, null, 2)}\n`);
  let images = await sample(trainer, codes);
  const before = distance(images);
  await writePng(run.file(gridName(0)), grid(images));

  const began = performance.now();
  using progress = createProgress({ total: steps, imagesPerStep: batch * RECIPE.criticSteps, quiet });
  const rows: Row[] = [];
  let done = 0;
  /** The step of the last grid and checkpoint. */
  let shown = -1;
  let pending: { step: number; numbers: Promise<Values> } | undefined;
  const settle = async (extra: Row = {}): Promise<void> => {
    if (!pending) return;
    const { step, numbers } = pending;
    pending = undefined;
    const [criticLoss, wasserstein, penalty, generatorLoss] = Array.from(await numbers) as [
      number,
      number,
      number,
      number,
    ];
    const row = { step, criticLoss, wasserstein, penalty, generatorLoss, ...extra };
    rows.push(row);
    run.metrics.append(row);
    if (step % TIMING === 0) run.timing.append({ step, seconds: (performance.now() - began) / 1000, ...memory() });
    progress.update(step, { W: wasserstein, critic: criticLoss, generator: generatorLoss });
    if (!Number.isFinite(criticLoss + generatorLoss)) {
      throw new Error(
        `training diverged at step ${step}: a loss is not a number; lower the learning rates or try another seed${shown >= 0 ? ` (weights of step ${shown}: ${run.file(CHECKPOINT)})` : ''}`,
      );
    }
  };

  const snapshot = async (): Promise<void> => {
    images = await sample(trainer, codes);
    await settle({ slicedWasserstein: distance(images) });
    await writePng(run.file(gridName(done)), grid(images));
    await saveCheckpoint(run.file(CHECKPOINT), partsOf(trainer), { step: done, seed });
    shown = done;
  };
  while (done < steps && !signal?.aborted) {
    const decay = 1 - (done / steps) * (1 - RECIPE.rateDecay);
    trainer.criticOptimizer.lr = RECIPE.criticRate * decay;
    trainer.generatorOptimizer.lr = RECIPE.generatorRate * decay;
    done++;
    const numbers = trainStep(train, data);
    numbers.catch(() => {}); // reported by settle(); an error that comes first must not leave it unhandled
    // The numbers of the step before are read while this one runs, so that the device never waits for the host.
    await settle();
    pending = { step: done, numbers };
    if (Math.floor((done * SNAPSHOTS) / steps) > Math.floor(((done - 1) * SNAPSHOTS) / steps)) await snapshot();
  }
  if (shown !== done) await snapshot();
  progress.stop();

  await writePng(run.file('samples.png'), grid(images));
  if (rows.length > 0) {
    const title = 'WGAN-GP on MNIST';
    const x = { key: 'step', label: 'generator step' };
    const subtitle = `batch ${batch}, ${RECIPE.criticSteps} critic steps to one of the generator, seed ${seed}, ${adapter}`;
    await run.write('curves.svg', plotCurves({ title, subtitle, x, panels: wassersteinPanels, rows }));
  }
  const after = distance(images);
  const floor = distance(toUnitRange(spread(digits)));
  say(
    [
      `${done} steps in ${((performance.now() - began) / 1000).toFixed(0)} s`,
      `sliced Wasserstein distance of ${SAMPLES} samples to the ${truth.length / PIXELS} held-out digits:`,
      `  before ${before.toFixed(4)}, after ${after.toFixed(4)}: ${(before / after).toFixed(1)} times closer (training digits: ${floor.toFixed(4)})`,
      `samples ${run.file('samples.png')}${rows.length > 0 ? `, curves ${run.file('curves.svg')}` : ''}`,
    ].join('\n'),
  );
}

const CHECKPOINT = 'checkpoint.safetensors';

const gridName = (step: number): string => `samples-${String(step).padStart(6, '0')}.png`;

/** A generator step after its critic steps, recorded once: real images, a batch for each critic step, to its numbers. */
const compiledStep = (trainer: WganGp) =>
  compile((...batches: Tensor[]) => {
    const { loss, wasserstein, penalty } = batches.map((real) => trainer.criticStep(real)).at(-1)!;
    const { shape } = batches[0]!;
    return concat([loss, wasserstein, penalty, trainer.generatorStep(shape[0]!)].map((t) => t.reshape([1])));
  });

/** One step. @returns critic loss, Wasserstein estimate, penalty, generator loss */
const trainStep = (train: (...batches: Tensor[]) => Tensor, data: Iterator<{ readonly image: Tensor }>) =>
  scope(() => {
    const next = () => (data.next().value as { readonly image: Tensor }).image;
    return train(...Array.from({ length: RECIPE.criticSteps }, next)).data();
  });

/** Samples for all codes, read in parts that bound the memory. */
async function sample(trainer: WganGp, codes: Tensor): Promise<Float32Array> {
  const n = codes.shape[0]!;
  const out = new Float32Array(n * PIXELS);
  for (let first = 0; first < n; first += GRID) {
    const part = codes.slice([[first, Math.min(n, first + GRID)]]);
    out.set(await scope(() => trainer.sample(part).data()), first * PIXELS);
    part.dispose();
  }
  return out;
}

/** Everything that training changes, by name. */
const partsOf = ({ networks, criticOptimizer, generatorOptimizer, ema, rng }: WganGp) => ({
  generator: networks.generator,
  critic: networks.critic,
  generatorOptimizer,
  criticOptimizer,
  ...(ema && { ema }),
  rng,
});

const grid = (images: Float32Array) => tileImages(images.slice(0, GRID * PIXELS), [GRID, ...IMAGE], { scale: 2 });

/** As many images as there are samples, from all over the set: its first ones are not like the rest. */
function spread(images: Uint8Array): Uint8Array {
  const out = new Uint8Array(SAMPLES * PIXELS);
  for (let i = 0; i < SAMPLES; i++) {
    const from = Math.floor((i * images.length) / PIXELS / SAMPLES) * PIXELS;
    out.set(images.subarray(from, from + PIXELS), i * PIXELS);
  }
  return out;
}

const toUnitRange = (bytes: Uint8Array): Float32Array => Float32Array.from(bytes, (v) => v / 127.5 - 1);
