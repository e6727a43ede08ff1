import { checkRange } from '../../engine/internal.ts';
import type { DataSource } from '../data/dataSource.ts';
import { dataSettings, type RunSettings } from '../runSettings.ts';
import { type AnySettings, checkSettings } from '../settings.ts';
import type { Streams, System } from '../system.ts';
import { cgan } from './cgan.ts';
import { rowConfig, rowSettings, rowStreams, rowSystem } from './configure.ts';
import { cyclegan } from './cyclegan.ts';
import { gan } from './gan.ts';
import { linearAutoencoder } from './linearAutoencoder.ts';
import type { DataShape, SystemRow } from './row.ts';

/** A row of any system. */
export type AnySystemRow = SystemRow<Record<string, unknown>, string, System>;

/** The table of systems. */
export interface Systems {
  /** A generator against a critic, with any objective and any regularisers. */
  readonly gan: typeof gan;
  /** Conditional WGAN-GP. */
  readonly cgan: typeof cgan;
  /** Translation between two domains without pairs. */
  readonly cyclegan: typeof cyclegan;
  /** One linear layer to a code and one back. */
  readonly 'linear-autoencoder': typeof linearAutoencoder;
}

/** Everything that `wgrad train NAME` trains, by its name. */
export const systems: Systems = { gan, cgan, cyclegan, 'linear-autoencoder': linearAutoencoder };

/** What is trained where nothing is named, and what runs from before there were names trained. */
export const USUAL_SYSTEM = 'gan' satisfies keyof Systems;

/** A system by its name. */
export type SystemName = keyof typeof systems;

/** The names of all systems. */
export const systemNames = Object.keys(systems) as readonly SystemName[];

/** The row of a system, its options as they come. */
export const rowOf = (name: SystemName): AnySystemRow => systems[name] as unknown as AnySystemRow;

/** What a run is: everything that decides its numbers, together with the adapter. `config.json` in the run folder holds it. */
export interface RunConfig extends RunSettings, Readonly<Record<string, unknown>> {
  /** What is trained. */
  readonly system: SystemName;
}

/** The table of all settings of a system: those of every run, with its own defaults, and its own. */
export const settingsOf = (name: SystemName): AnySettings => rowSettings(rowOf(name));

/**
 * The whole configuration of a run of a system: what was asked for, else the preset's for that kind of data, else the defaults. A time
 * limit without a number of steps leaves `steps` null.
 * @param kind of the data set
 * @param preset the first of the system's unless given; of a system without presets none
 */
export const configure = (
  system: SystemName,
  kind: DataSource['kind'],
  given: Readonly<Record<string, unknown>>,
  preset?: string,
): RunConfig => ({ system, ...rowConfig(rowOf(system), kind, given, preset) }) as RunConfig;

/**
 * A configuration that is one, every setting in its range.
 * @param owner whose it is, for errors: a file, or what was called
 * @throws RangeError that names the owner, the setting and what it must be
 */
export function checkConfig(owner: string, config: RunConfig): RunConfig {
  checkSettings(owner, settingsOf(config.system) as never, config);
  for (const [name, { range }] of Object.entries(dataSettings)) {
    if (Object.hasOwn(config.dataOptions, name)) {
      checkRange(owner, `dataOptions.${name}`, range, config.dataOptions[name]);
    }
  }
  rowOf(config.system).check?.(owner, config);
  if (config.steps === null && config.seconds === null) {
    throw new RangeError(`${owner}: steps and seconds are both null, and one of them must say when the run ends`);
  }
  return config;
}

/** A system as a configuration says, with its first weights, on the current device. @param data what its samples are */
export const createSystem = (config: RunConfig, data: DataShape): System =>
  rowSystem(rowOf(config.system), config, data);

/**
 * The batches that a configuration's system learns from.
 * @throws Error for data that lack what the system needs, RangeError for a batch larger than the set
 */
export const streamsOf = (config: RunConfig, set: DataSource): Streams =>
  rowStreams(rowOf(config.system), config.system, config, set);
