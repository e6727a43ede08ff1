import { Rng, type Tensor } from '../../engine/index.ts';
import { ranges } from '../../engine/internal.ts';
import { Adam, type Module } from '../../nn/index.ts';
import type { PairSet } from '../data/pairSet.ts';
import { trainingLoader } from '../data/trainingData.ts';
import { patchCritic } from '../networks/patchCritic.ts';
import { translator } from '../networks/translator.ts';
import { minimiseTogether, Player } from '../player.ts';
import { count, number, rate } from '../settings.ts';
import type { Batches, System } from '../system.ts';
import { ReplayPool } from './pool.ts';
import type { Making, SystemRow } from './row.ts';
import { type Translator, translationMeasures, translations } from './translations.ts';

/** What decides a CycleGAN. */
export interface CycleganSettings {
  /** Channels of the translators' residual blocks. */
  readonly width: number;
  /** Residual blocks. */
  readonly blocks: number;
  /** Weight of the cycle loss: the mean absolute difference between an image and its translation there and back. */
  readonly cycle: number;
  /** Weight of the identity loss: the mean absolute difference between an image of the target domain and its translation. */
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
export class Cyclegan implements System<'x' | 'y'>, Translator {
  /** The translators, and the critics: each side two networks and one optimizer. */
  readonly players: Readonly<Record<'translators' | 'critics', Player>>;
  /** The pools of past translations, and what draws from them. */
  readonly state: Readonly<Record<'rng' | 'poolX' | 'poolY', Rng | ReplayPool>>;
  /** The network from the first domain to the second, images [N,H,W,C]. */
  readonly toY: Module;
  /** The network from the second domain to the first. */
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
    const identity = apart(toY.forward(y), y).add(apart(toX.forward(x), x));
    const weighted = cycle.mul(settings.cycle).add(identity.mul(settings.identity));
    const translatorsLoss = adversarial.add(weighted);
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

/** CycleGAN. */
export const cyclegan: SystemRow<CycleganSettings, 'x' | 'y', Cyclegan> = {
  title: 'CycleGAN',
  paper: 'Zhu et al. 2017; pool: Shrivastava et al. 2017; least squares: Mao et al. 2017',
  about: 'translates between two domains that have no pairs: what goes there and back must be what it was',
  options: {
    width: count(48, "channels of the translators' residual blocks", 1024),
    blocks: count(3, 'residual blocks', 64),
    cycle: number(10, ranges.notNegative, 'weight of the way there and back', { value: 'weight' }),
    identity: number(5, ranges.notNegative, 'weight of leaving alone what is of the other domain already', {
      value: 'weight',
    }),
    pool: count(50, 'past translations that the critics see again', 10_000),
    rate: rate(4e-4, 'learning rate of all four networks'),
  },
  run: { data: 'glyph-pairs', steps: 300, batch: 8, rateDecay: 0, snapshots: 6 },
  needs: ['pairs'],
  check(owner, { batch, pool }) {
    if (batch > pool) throw new RangeError(`${owner}: a batch of ${batch} does not fit into a pool of ${pool}`);
  },
  create: (making) => new Cyclegan(making),
  streams(set, batch, rng) {
    const { shape, train, test } = set as PairSet;
    const stream = (domain: 'x' | 'y', own: Rng) =>
      trainingLoader({ kind: 'images', shape, train: train[domain], test: test[domain] }, batch, own);
    // Orders of their own: what is drawn for one domain says nothing of the other.
    const order = rng('data');
    return { x: stream('x', order), y: stream('y', new Rng(order.seed[0], order.seed[1] + 1)) };
  },
  method: (_, { cycle, identity, batch }) => ({
    words: `least squares, cycle ${cycle}, identity ${identity}, batch ${batch}`,
  }),
  shows: { translations: translations<Cyclegan>() },
  measures: translationMeasures<Cyclegan>(),
};
