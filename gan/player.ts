import { grad, scope, type Tensor } from '../engine/index.ts';
import { checked, checkRange, ranges } from '../engine/internal.ts';
import { type AnyModule, type AnyOptimizer, clipGradNorm, EMA, type Parameter, withoutTracking } from '../nn/index.ts';

/** Makes an optimizer for the parameters of one player. */
export type MakeOptimizer = (parameters: readonly Parameter[]) => AnyOptimizer;

/** Options of {@link Player}. */
export interface PlayerOptions {
  /** Decay of the average of the player's weights, from 0 to less than 1, from which samples are drawn. Default 0: no average. */
  readonly emaDecay?: number;
  /** The gradients of an update are scaled down to at most this norm over all of them (Pascanu et al. 2013). Default: as they are. */
  readonly clipNorm?: number;
  /**
   * Whether a loss may leave some of the parameters out, as that of a growing network does: their gradients are zeros then (PyTorch's
   * `allow_unused` gives none), with which an optimizer with momentum still moves them. Default false: an error.
   */
  readonly allowUnused?: boolean;
  /** Called with the parameters after each update, to put them back where they may lie (weight clipping, say). */
  readonly project?: (parameters: readonly Parameter[]) => void;
}

/**
 * One side of a game: some modules and the optimizer that moves them. A player's gradients are taken with respect to its own
 * parameters alone, so that nobody else's weights need to be frozen.
 * @example
 * const critic = new Player({ critic: network }, (parameters) => new Adam(parameters, { lr: 1e-4, betas: [0, 0.9] }));
 * critic.minimise(network.forward(fake).mean().sub(network.forward(real).mean()));
 */
export class Player<M extends Readonly<Record<string, AnyModule>> = Readonly<Record<string, AnyModule>>> {
  /** The modules by the names that checkpoints give them. */
  readonly modules: M;
  /** The parameters of all modules, each once, in the order of the modules. */
  readonly parameters: readonly Parameter[];
  /** Moves the parameters. */
  readonly optimizer: AnyOptimizer;
  /** The average of the weights, if one was asked for. */
  readonly ema: EMA | undefined;
  readonly #options: PlayerOptions;
  /** The learning rate of each group of the optimizer as it was made. */
  readonly #rates: readonly number[];

  /**
   * Makes the optimizer, which takes the parameters into its arena.
   * @param optimizer called once, with all parameters
   * @throws TypeError for options that do not exist, RangeError for numbers out of range
   */
  constructor(modules: M, optimizer: MakeOptimizer, options: PlayerOptions = {}) {
    const { emaDecay = 0, clipNorm } = checked('Player', options, ['emaDecay', 'clipNorm', 'allowUnused', 'project']);
    checkRange('Player', 'emaDecay', ranges.belowOne, emaDecay);
    if (clipNorm !== undefined) checkRange('Player', 'clipNorm', ranges.positive, clipNorm);
    this.modules = modules;
    this.parameters = [...new Set(Object.values(modules).flatMap((module) => module.parameters()))];
    this.optimizer = optimizer(this.parameters);
    this.#rates = this.optimizer.groups.map(({ lr }) => lr);
    this.ema = emaDecay > 0 ? new EMA(this.parameters, emaDecay) : undefined;
    this.#options = options;
  }

  /**
   * The gradients of a scalar loss with respect to the player's parameters, in their order. The loss's graph is freed unless it is retained.
   * @throws GradError for a parameter that the loss leaves out, unless the player says `allowUnused`
   */
  gradients(loss: Tensor, options: { readonly retainGraph?: boolean } = {}): Tensor[] {
    return grad(loss, this.parameters, { ...options, allowUnused: this.#options.allowUnused ?? false });
  }

  /**
   * Sets the learning rates to a share of what they were when the player was made, those of each group of the optimizer to the same share
   * of its own.
   * @param share of the first rates, 0 or more
   */
  schedule(share: number): void {
    checkRange('schedule', 'share', ranges.notNegative, share);
    for (const [i, group] of (this.optimizer.groups as readonly { lr: number }[]).entries()) {
      group.lr = this.#rates[i]! * share;
    }
  }

  /** One step of the optimizer, with the gradients clipped before and the weights projected and averaged after it. */
  update(gradients: readonly Tensor[]): void {
    const { clipNorm, project } = this.#options;
    scope(() => {
      this.optimizer.step(clipNorm === undefined ? gradients : clipGradNorm(gradients, clipNorm).gradients);
      project?.(this.parameters);
      this.ema?.update();
    });
  }

  /** One step of the optimizer down a scalar loss. The loss's graph is freed. */
  minimise(loss: Tensor): void {
    scope(() => this.update(this.gradients(loss)));
  }

  /**
   * Runs `fn` with the averaged weights in the place of the current ones, where there is an average, and moves no running
   * statistics.
   */
  averaged<T>(fn: () => T): T {
    const run = () => withoutTracking(fn);
    return this.ema ? this.ema.apply(run) : run();
  }

  /** Puts the averaged weights, where there are any, in the place of the current ones, for good. */
  settle(): void {
    const all = { parameters: () => [...this.parameters] };
    this.ema?.copyTo(all as unknown as AnyModule);
  }

  /** Frees the optimizer and the average. The modules stay. */
  dispose(): void {
    this.optimizer.dispose();
    this.ema?.dispose();
  }
}

/**
 * Moves several players down their losses: first all gradients, then all updates, so that losses may share a graph and each player
 * sees the others as they were.
 */
export function minimiseTogether(...moves: readonly (readonly [player: Player, loss: Tensor])[]): void {
  scope(() => {
    const gradients = moves.map(([player, loss], i) => player.gradients(loss, { retainGraph: i < moves.length - 1 }));
    for (const [i, [player]] of moves.entries()) player.update(gradients[i]!);
  });
}
