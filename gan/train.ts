import { compile, scope, tensor } from '../engine/index.ts';
import { checked, checkRange, type OptionRange, ranges } from '../engine/internal.ts';
import { byName, inOneVector, type Scalars } from './scalars.ts';
import type { Batches, Columns, Progress, Stream, Streams, System } from './system.ts';

/** The numbers of one step by name, `step` first: a row of `metrics.jsonl`. */
export type StepRow = Readonly<Record<string, number>>;

/** What asks a training to stop: an `AbortSignal`, or anything that says so. */
export interface StopSignal {
  /** Whether to stop after the step under way. */
  readonly aborted: boolean;
}

/** Options of {@link train}. */
export interface TrainOptions {
  /** Trains until so many steps are done, counted from the very beginning. */
  readonly until: number;
  /** Steps that are done already, of a training that goes on. Default 0. */
  readonly from?: number;
  /** Steps of the whole training, for what depends on how much is done. Default `until`. */
  readonly of?: number;
  /** Ends the loop after the step under way, whose row is still given. */
  readonly signal?: StopSignal;
  /**
   * What the learning rates that the players were made with are multiplied with, by how much is done, from 0 to 1. Default: the
   * optimizers keep the rates that they have. {@link linearDecay} makes one.
   */
  readonly rates?: (done: number) => number;
  /**
   * Whether the loop waits at a step: its row is given before the next step begins, so that the weights are those of this
   * step. Elsewhere the next step runs already while a row is read. Default: nowhere.
   */
  readonly pauses?: (step: number) => boolean;
  /** Captures the step of each phase once and replays it (`compile`). Default true. */
  readonly compiled?: boolean;
}

/** Falls in a straight line from 1 to `last` at the end. */
export const linearDecay =
  (last: number) =>
  (done: number): number =>
    1 - done * (1 - last);

const wholeOrInfinite: OptionRange = {
  holds: (v) => v === Number.POSITIVE_INFINITY || ranges.whole(0).holds(v),
  says: 'a whole number, 0 or more, or Infinity',
};

/**
 * Trains a system, a row for each step. The device is never waited for inside a step, and the numbers of a step are read while the next one
 * runs, except where it `pauses`. Streams go on where they are, so that one training may be several loops. To leave a loop early,
 * pause at that step or give a signal: `break` may leave the system a step further than its last row.
 * @param streams batches of one size by the names that the system's step takes
 * @throws TypeError for options that do not exist, and for streams that are missing; RangeError for numbers out of range
 * @example
 * const data = new DataLoader(trainingData(set), { batchSize: 64, shuffle: true, dropLast: true, rng });
 * for await (const row of train(gan, { data }, { until: 1000 })) console.log(row.step, row.wasserstein);
 */
export async function* train<S extends string>(
  system: System<S>,
  streams: Streams<S>,
  options: TrainOptions,
): AsyncGenerator<StepRow, void, undefined> {
  const given = checked('train', options, ['until', 'from', 'of', 'signal', 'rates', 'pauses', 'compiled']);
  const { until, from = 0, of = until, signal, rates, pauses, compiled = true } = given;
  for (const [name, value] of Object.entries({ until, from, of })) checkRange('train', name, wholeOrInfinite, value);
  const next = feed(system, streams);
  const captures = new Map<string, Step<S>>();
  const captured = (phase: string): Step<S> => {
    const known = captures.get(phase) ?? stepOf(system, compiled);
    captures.delete(phase);
    captures.set(phase, known); // those that ran last come last
    const [oldest] = captures.keys();
    if (captures.size > MOST_PHASES) {
      captures.get(oldest!)!.dispose?.();
      captures.delete(oldest!);
    }
    return known;
  };
  let step = from;
  let ahead: Promise<StepRow> | undefined;
  // What a step may know of those before it is the same wherever the loop waits: the row of the step before the last.
  let [known, paused]: (StepRow | undefined)[] = [];
  try {
    while (step < until && !signal?.aborted) {
      const at: Progress = { step, done: step / of, ...(known && { row: known }) };
      if (rates) for (const player of Object.values(system.players)) player.schedule(rates(at.done));
      const work = system.between?.(at);
      if (work) await work;
      const numbers = launch(captured(system.phase?.(at) ?? ''), next, system.knobs?.(at) ?? {});
      step++;
      const row = readRow(system, step, numbers);
      row.catch(() => {}); // told where it is awaited; an error that comes first must not leave it unhandled
      known = ahead ? await ahead : paused;
      if (ahead) yield known!;
      [ahead, paused] = [row, undefined];
      if (!pauses?.(step)) continue;
      paused = await row;
      ahead = undefined;
      yield paused;
    }
    if (ahead) yield await ahead;
    ahead = undefined;
  } catch (error) {
    // What was done before the step that failed is told first.
    if (ahead) yield await ahead;
    throw error;
  } finally {
    for (const run of captures.values()) run.dispose?.();
  }
}

/** Phases whose captures are kept: going back to one of them costs nothing. */
const MOST_PHASES = 16;

/** The step of a phase. */
type Step<S extends string> = ((batches: Batches<S>, knobs: Columns) => Scalars) & { dispose?: () => void };

function stepOf<S extends string>(system: System<S>, compiled: boolean): Step<S> {
  const once = (batches: Batches<S>, knobs: Columns): Scalars => inOneVector(system.step(batches, knobs));
  return compiled ? compile(once) : once;
}

/** A step on its way, and the promise of its scalars. @throws what the step throws, before anything is read */
function launch<S extends string>(
  step: Step<S>,
  next: () => Batches<S>,
  knobs: Readonly<Record<string, number>>,
): { readonly names: readonly string[]; readonly read: Promise<ArrayLike<number>> } {
  return scope(() => {
    const scalars = Object.entries(knobs).map(([name, value]) => [name, tensor(value)] as const);
    const { names, values } = step(next(), Object.fromEntries(scalars));
    return { names, read: values.data() };
  });
}

async function readRow(
  system: System,
  step: number,
  { names, read }: { readonly names: readonly string[]; readonly read: Promise<ArrayLike<number>> },
): Promise<StepRow> {
  const values = byName(names, await read);
  return { step, ...(system.report?.(values) ?? values) };
}

/** Takes from each stream the batches of one step. */
function feed<S extends string>(system: System<S>, streams: Streams<S>): () => Batches<S> {
  const strange = Object.keys(system.takes ?? {}).find((name) => !Object.hasOwn(streams, name));
  if (strange !== undefined) {
    throw new TypeError(
      `train: the system takes batches of ${strange}, and the streams are ${Object.keys(streams).join(', ') || 'none'}`,
    );
  }
  const sources = (Object.entries(streams) as [S, Stream][]).map(([name, stream]) => {
    // A loader that is asked again would begin its next epoch; one that was put where it is goes on there.
    stream.loadStateDict(stream.stateDict() as never);
    return { name, from: stream.epochs()[Symbol.iterator](), takes: system.takes?.[name] ?? 1 };
  });
  return () =>
    Object.fromEntries(
      sources.map(({ name, from, takes }) => [
        name,
        Array.from({ length: takes }, () => {
          const { value, done } = from.next();
          if (done) throw new RangeError(`train: the stream ${name} has ended; a stream gives batches without end`);
          return value as Columns;
        }),
      ]),
    ) as unknown as Batches<S>;
}
