import { Rng, ranges, sizeOf, type Tensor } from '../../engine/index.ts';
import { Adam, type Module } from '../../nn/index.ts';
import type { DataSource, PairSet } from '../data/dataSource.ts';
import { trainingLoader } from '../data/trainingData.ts';
import { distanceToTruth } from '../metrics/distanceToTruth.ts';
import { retrieval } from '../metrics/retrieval.ts';
import { metricSamples } from '../metrics/samples.ts';
import { strokes } from '../metrics/strokes.ts';
import { patchCritic } from '../networks/patchCritic.ts';
import { translator } from '../networks/translator.ts';
import { minimiseTogether, Player } from '../player.ts';
import type { SampleArray } from '../sampling/draw.ts';
import { mapSamples } from '../sampling/mapSamples.ts';
import { count, number, rate } from '../settings.ts';
import type { Batches, System } from '../system.ts';
import { ReplayPool } from './pool.ts';
import type { Lab, Making, Measure, Show, SystemRow } from './row.ts';

/** What decides a CycleGAN. */
export interface CycleganSettings {
  /** Channels of the translators' residual blocks. */
  readonly width: number;
  /** Residual blocks. */
  readonly blocks: number;
  /** Weight of the way there and back. */
  readonly cycle: number;
  /** Weight of leaving alone what is of the other domain already, as a share of `cycle`. */
  readonly identity: number;
  /** Past translations that the critics see again. */
  readonly pool: number;
  /** Learning rate of all four networks at the start. */
  readonly rate: number;
}

/** Least squares (Mao et al. 2017): patches of real images are to be 1, those of translations 0. */
const [real, fake] = [(s: Tensor) => s.sub(1).square().mean(), (s: Tensor) => s.square().mean()];
const apart = (a: Tensor, b: Tensor): Tensor => a.sub(b).abs().mean();

/** Translation between two domains without pairs: two translators, two critics, and what goes there and back must be the same (Zhu et al. 2017). */
export class Cyclegan implements System<'x' | 'y'> {
  /** The translators, and the critics: each side two networks and one optimizer. */
  readonly players: Readonly<Record<'translators' | 'critics', Player>>;
  /** The pools of past translations, and what draws from them. */
  readonly state: Readonly<Record<'rng' | 'poolX' | 'poolY', Rng | ReplayPool>>;
  /** From the first domain to the second, images [N,H,W,C]. */
  readonly toY: Module;
  /** From the second domain to the first. */
  readonly toX: Module;
  private readonly critics: { readonly x: Module; readonly y: Module };
  private readonly pools: { readonly x: ReplayPool; readonly y: ReplayPool };
  private readonly settings: CycleganSettings;

  /** All four networks with their first weights, and their optimizers. */
  constructor({ options, shape, rng }: Making<CycleganSettings>) {
    const { width, blocks, pool, rate: lr } = options;
    const weights = rng('weights');
    this.settings = options;
    this.toY = translator({ shape, width, blocks, rng: weights });
    this.toX = translator({ shape, width, blocks, rng: weights });
    this.critics = { x: patchCritic({ shape, rng: weights }), y: patchCritic({ shape, rng: weights }) };
    const adam = (parameters: Player['parameters']) => new Adam(parameters, { lr, betas: [0.5, 0.999] });
    this.players = {
      translators: new Player({ toY: this.toY, toX: this.toX }, adam),
      critics: new Player({ criticX: this.critics.x, criticY: this.critics.y }, adam),
    };
    const random = rng('training');
    this.pools = { x: new ReplayPool(shape, random, { size: pool }), y: new ReplayPool(shape, random, { size: pool }) };
    this.state = { rng: random, poolX: this.pools.x, poolY: this.pools.y };
  }

  /** All gradients, then both updates. @param batches `sample` [N, ...] of each domain */
  step(batches: Batches<'x' | 'y'>): Record<string, Tensor> {
    const [fromX, fromY] = [batches.x[0], batches.y[0]];
    const { toX, toY, critics, pools, settings, players } = this;
    const [x, y] = [fromX!.sample!, fromY!.sample!];
    const [likeY, likeX] = [toY.forward(x), toX.forward(y)];
    const adversarial = real(critics.y.forward(likeY)).add(real(critics.x.forward(likeX)));
    const cycle = apart(toX.forward(likeY), x).add(apart(toY.forward(likeX), y));
    const { cycle: weight, identity: share } = settings;
    const identity = share > 0 ? apart(toY.forward(y), y).add(apart(toX.forward(x), x)) : cycle.detach().mul(0);
    const translatorsLoss = adversarial.add(cycle.mul(weight)).add(identity.mul(weight * share));
    const [pastY, pastX] = [pools.y.exchange(likeY.detach()), pools.x.exchange(likeX.detach())];
    const judge = (critic: Module, seen: Tensor, past: Tensor) =>
      real(critic.forward(seen)).add(fake(critic.forward(past)));
    // Halved, so that critics learn more slowly than translators, as in the paper.
    const criticsLoss = judge(critics.y, y, pastY)
      .add(judge(critics.x, x, pastX))
      .mul(0.5);
    minimiseTogether([players.translators, translatorsLoss], [players.critics, criticsLoss]);
    return { adversarial, cycle, identity, criticsLoss };
  }
}

type Images = ReturnType<typeof metricSamples>;

/** Held-out images of the first domain, and what they should become. */
const heldOut = (set: DataSource): readonly [source: Images, truth: Images] => {
  const { test, shape } = set as PairSet;
  return [metricSamples(test.x, shape), metricSamples(test.y, shape)];
};

/** What the held-out images become. All measures and pictures of one look at the system share it. */
const looks = new WeakMap<Lab<Cyclegan>, Promise<SampleArray>>();
function translated(lab: Lab<Cyclegan>): Promise<SampleArray> {
  const there = looks.get(lab) ?? mapSamples((x) => lab.system.toY.forward(x), heldOut(lab.set)[0]);
  looks.set(lab, there);
  return there;
}

/** A measure of translations beside the true ones, and the same of what was not translated. */
function beside(
  title: string,
  better: Measure['better'],
  of: (images: SampleArray, truth: Images, source: Images) => number | Promise<number>,
): Measure<Cyclegan> {
  const copy = async ({ set }: Lab<Cyclegan>) => {
    const [source, truth] = heldOut(set);
    return of(source, truth, source);
  };
  const compute = async (lab: Lab<Cyclegan>) => {
    const [source, truth] = heldOut(lab.set);
    return of(await translated(lab), truth, source);
  };
  return { title, better, quick: true, compute, controls: { copy: { compute: copy } } };
}

/** How far the strokes have come from those of the source to those of the truth: ink and runs, the least of the three, 1 is all the way. */
function strokesReached(images: SampleArray, truth: Images, source: Images): number {
  const [now, to, from] = [images, truth, source].map((samples) => strokes(samples));
  const reached = (['ink', 'across', 'down'] as const).map((key) => (now![key] - from![key]) / (to![key] - from![key]));
  return reached.reduce((least, share) => Math.min(least, share));
}

const translations: Show<Cyclegan> = {
  title: 'held-out images of the first domain, translated, translated back, and what they should become',
  async draw(lab, count = 16) {
    const n = Math.min(count, lab.set.test.count);
    const { shape } = lab.set;
    const size = sizeOf(shape);
    const [source, truth] = heldOut(lab.set);
    const there = { data: (await translated(lab)).data.subarray(0, n * size), shape: [n, ...shape] };
    const back = await mapSamples((y) => lab.system.toX.forward(y), there);
    const columns = [source, there, back, truth];
    const data = new Float32Array(columns.length * n * size);
    for (const [c, images] of columns.entries()) {
      for (let i = 0; i < n; i++) {
        // Row by row: the columns of an image lie next to each other.
        data.set(images.data.subarray(i * size, (i + 1) * size), (i * columns.length + c) * size);
      }
    }
    const [x, y] = (lab.set as PairSet).domains;
    const layout = { columns: columns.length, columnLabels: [x, `as ${y}`, 'back', y], scale: 2 };
    return { samples: { data, shape: [n * columns.length, ...shape] }, layout };
  },
};

/** CycleGAN. */
export const cyclegan: SystemRow<CycleganSettings, 'x' | 'y', Cyclegan> = {
  title: 'CycleGAN',
  paper: 'Zhu et al. 2017; pool: Shrivastava et al. 2017; least squares: Mao et al. 2017',
  about: 'translates between two domains that have no pairs: what goes there and back must be what it was',
  options: {
    width: count(48, "channels of the translators' residual blocks", 1024),
    blocks: count(3, 'residual blocks', 64),
    cycle: number(10, ranges.notNegative, 'weight of the way there and back', { value: 'weight' }),
    identity: number(
      0.5,
      ranges.notNegative,
      'weight, in units of --cycle, of leaving alone what is of the other domain',
      {
        value: 'share',
      },
    ),
    pool: count(50, 'past translations that the critics see again', 10_000),
    rate: rate(4e-4, 'learning rate of all four networks'),
  },
  run: { data: 'glyph-pairs', steps: 600, batch: 8, rateDecay: 0, snapshots: 6 },
  needs: ['pairs'],
  create: (making) => new Cyclegan(making),
  streams(set, batch, rng) {
    const { shape, train, test } = set as PairSet;
    const stream = (domain: 'x' | 'y', own: Rng) =>
      trainingLoader({ kind: 'images', shape, train: train[domain], test: test[domain] }, batch, own);
    // Orders of their own: what is drawn for one domain says nothing of the other.
    return { x: stream('x', rng), y: stream('y', new Rng(rng.seed[0], rng.seed[1] + 1)) };
  },
  method: (_, { cycle, identity, batch }) => ({
    words: `least squares, cycle ${cycle}, identity ${identity}, batch ${batch}`,
  }),
  shows: { translations },
  measures: {
    rightImage: beside('right image among all held-out ones (share)', 'higher', (images, truth) =>
      retrieval(images, truth),
    ),
    distance: beside('distance to the true image (share of the range)', 'lower', (images, truth) =>
      distanceToTruth(images, truth),
    ),
    strokesReached: beside(
      'strokes, of the way from source to truth (least of ink and runs)',
      'higher',
      strokesReached,
    ),
  },
};
