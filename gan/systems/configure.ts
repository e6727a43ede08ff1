import { Rng } from '../../engine/index.ts';
import { defined } from '../../engine/internal.ts';
import type { DataSource } from '../data/dataSource.ts';
import { refuseMissing } from '../data/needs.ts';
import { type RandomStream, randomStreams } from '../randomStreams.ts';
import { type RunSettings, runSettings } from '../runSettings.ts';
import { type AnySettings, defaultsOf } from '../settings.ts';
import type { Streams, System } from '../system.ts';
import type { DataShape, Show, SystemRow } from './row.ts';

/** The table of all settings of a system: those of every run, with its own defaults, and its own. */
export function rowSettings<O extends object>({ options, run = {} }: Pick<AnyRow<O>, 'options' | 'run'>): AnySettings {
  const common = Object.entries(runSettings as unknown as AnySettings).map(([key, setting]) => [
    key,
    Object.hasOwn(run, key) ? { ...setting, default: run[key as keyof RunSettings] } : setting,
  ]);
  return { ...Object.fromEntries(common), ...(options as unknown as AnySettings) };
}

// biome-ignore lint/suspicious/noExplicitAny: of any streams and any system
type AnyRow<O extends object> = SystemRow<O, any, any>;

/**
 * The whole configuration: what was asked for, else the preset's for that kind of data, else the defaults. A time limit without a
 * number of steps leaves `steps` null.
 * @param kind of the data set
 * @param preset the first of the system's unless given; of a system without presets none
 */
export function rowConfig<O extends object>(
  row: AnyRow<O>,
  kind: DataSource['kind'],
  given: Readonly<Partial<O & RunSettings>>,
  preset?: string,
): O & RunSettings {
  const { settings = undefined } = row.presets?.[preset ?? Object.keys(row.presets)[0]!] ?? {};
  const usual = {
    ...defaultsOf(rowSettings(row)),
    ...settings?.[kind === 'points' ? 'points' : 'images'],
  } as unknown as O & RunSettings;
  const asked = { ...usual, ...defined(given) };
  const config = row.settle?.(asked, given, usual) ?? asked;
  return given.seconds != null && given.steps === undefined ? { ...config, steps: null } : config;
}

/** The picture of a system that is a run's grid: the first of those that it shows. */
export const firstPicture = <T extends System>({
  shows = {},
}: Pick<SystemRow<never, string, T>, 'shows'>): Show<T> | undefined =>
  Object.values(shows).find((show): show is Show<T> => 'draw' in show);

/** The stream of random numbers of a seed. */
const drawing =
  (seed: number) =>
  (stream: RandomStream): Rng =>
    new Rng(seed, randomStreams[stream]);

/** A system with its first weights, on the current device. @param data what its samples are */
export const rowSystem = <O extends object, S extends string, T extends System<S>>(
  row: SystemRow<O, S, T>,
  config: O & RunSettings,
  data: DataShape,
): T => row.create({ ...data, options: config, rng: drawing(config.seed) });

/**
 * The batches that a system learns from, by the seed.
 * @param owner the system's name, for errors
 * @throws Error for data that lack what the system needs, RangeError for a batch larger than the set
 */
export function rowStreams<O extends object, S extends string, T extends System<S>>(
  row: SystemRow<O, S, T>,
  owner: string,
  { batch, seed }: Pick<RunSettings, 'batch' | 'seed'>,
  set: DataSource,
): Streams<S> {
  refuseMissing(owner, row.needs, set);
  if (batch > set.train.count) {
    throw new RangeError(`a batch of ${batch} is larger than the ${set.train.count} samples of ${set.title}`);
  }
  return row.streams(set, batch, drawing(seed));
}
