/**
 * The seam between what trains and everything around it: a paper is a {@link System}, and loops, checkpoints, logs, pictures and the
 * command line know of it what its names say.
 * @module
 */
import type { Rng, Tensor } from '../engine/index.ts';
import type { CheckpointParts, Stateful } from '../nn/index.ts';
import type { Player } from './player.ts';
import type { SampleArray, Statistics } from './sampling/draw.ts';

/** A batch of a stream: its columns by name, each [N, ...], as a `DataLoader` of records gives them. */
export type Columns = Readonly<Record<string, Tensor>>;

/** What one step is given: of each stream as many batches as {@link System.takes} says. */
export type Batches<S extends string = string> = Readonly<Record<S, readonly Columns[]>>;

/** Batches without end, such as those of a `DataLoader` with `dropLast`. Its state goes into checkpoints. */
export interface Stream extends Stateful {
  /** Batches of one size, epoch after epoch. */
  epochs(): Iterable<Columns>;
}

/** How far a training has come. */
export interface Progress {
  /** Steps done. */
  readonly step: number;
  /** The share of the whole training that lies behind, from 0 to 1. */
  readonly done: number;
  /**
   * The numbers of the step before the last one, the newest that are sure to have been read: for phases and knobs that follow the training.
   * Absent in the first two steps of a loop, so that a system which decides by them keeps in its state what it has decided.
   */
  readonly row?: Readonly<Record<string, number>>;
}

/** How samples are drawn, where it is not as a system does by itself. A system refuses what it cannot do. */
export interface DrawingOptions {
  /** Draws the codes from the normal distribution truncated at ±psi (Brock et al. 2019), above 0. */
  readonly psi?: number;
  /**
   * 'running': each sample by itself, with standing statistics of many batches in place of those of the codes that are drawn together
   * (`standingStatistics`), which replaces the running statistics of the layers. Default 'batch'.
   */
  readonly statistics?: Statistics;
}

/** Samples that a system has drawn. */
export interface Drawing {
  /** The samples, [N, ...]. */
  readonly samples: SampleArray;
  /** The class that was asked for of each sample, of a system that is told classes. */
  readonly labels?: readonly number[];
}

/** What trains: some players, and the step that moves them. It runs in a browser as well as in Node. */
export interface System<S extends string = string> {
  /** Who learns. Checkpoints and messages call the players' modules, optimizers and averages by these names. */
  readonly players: Readonly<Record<string, Player>>;
  /** What else a step changes or depends on: streams of random numbers, pools, frozen networks. Saved with the players. */
  readonly state?: CheckpointParts;
  /**
   * The batches of each stream that one step takes. Default 1. Batches have one size throughout: a phase that wants fewer samples takes a
   * slice of each, and one that wants more several batches.
   */
  readonly takes?: Readonly<Partial<Record<S, number>>>;
  /**
   * One step: forward passes, losses, updates. It is captured once for each phase and replayed, so that it reads no values and branches
   * on none; numbers that move come in as knobs.
   * @param knobs the numbers of {@link System.knobs}, as scalars
   * @returns scalars by name
   */
  step(batches: Batches<S>, knobs: Columns): Readonly<Record<string, Tensor>>;
  /** Numbers that move while it trains (fade-in, temperature, weights of losses). The same names each time. */
  knobs?(at: Progress): Readonly<Record<string, number>>;
  /** The name of the capture that the next step is: 'grow-16', 'rest', ... One unless given. */
  phase?(at: Progress): string;
  /** Work of the host before a step: schedules of its own, scoring, growing. A promise is waited for. */
  between?(at: Progress): void | Promise<void>;
  /**
   * The columns of the log that a step's scalars, as they were read, make. Default: the scalars themselves. For what the host
   * computes of them, such as a divergence from a loss.
   */
  report?(values: Readonly<Record<string, number>>): Readonly<Record<string, number>>;
  /** Draws n samples that need nothing but random codes. The same stream of `rng` gives the same codes. */
  draw?(n: number, rng: Rng, options?: DrawingOptions): Promise<Drawing>;
}

/** The streams of a system by name. */
export type Streams<S extends string = string> = Readonly<Record<S, Stream>>;

/**
 * Everything that a training changes, by name: the parts of a checkpoint. The players' modules have their own names, the optimizer of
 * a player is `NAMEOptimizer`, its average `NAMEEma` (`ema` where one player alone has one); state and streams follow.
 * @throws Error for a name that stands for two things
 */
export function partsOf(system: System, streams: Streams = {}): CheckpointParts {
  const averaged = Object.values(system.players).filter(({ ema }) => ema).length;
  const entries = Object.entries(system.players).flatMap(([name, { modules, optimizer, ema }]) => [
    ...Object.entries(modules),
    [`${name}Optimizer`, optimizer] as const,
    ...(ema ? [[averaged === 1 ? 'ema' : `${name}Ema`, ema] as const] : []),
  ]);
  const parts: Record<string, CheckpointParts[string]> = {};
  for (const [name, part] of [...entries, ...Object.entries(system.state ?? {}), ...Object.entries(streams)]) {
    if (Object.hasOwn(parts, name)) throw new Error(`system: two parts are called ${name}; give one another name`);
    parts[name] = part as CheckpointParts[string];
  }
  return parts;
}

/** Frees everything that a system holds: modules, optimizers and averages of its players, and its state. */
export function disposeSystem(system: System): void {
  for (const part of Object.values(partsOf(system))) (part as { dispose?(): void }).dispose?.();
}

/** Frees optimizers and averages of all players. Modules and state stay. */
export function disposePlayers({ players }: Pick<System, 'players'>): void {
  for (const player of Object.values(players)) player.dispose();
}
