import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type AdapterName, adapterNames } from '../../engine/index.ts';
import { checkRange, defined, type OptionRange, ranges, shown } from '../../engine/internal.ts';
import { fileError } from '../../engine/platform/atomicWrite.node.ts';
import { dataSets } from '../../gan/data/datasets.node.ts';
import type { RunSettings } from '../../gan/runSettings.ts';
import { orNull, withEarlier } from '../../gan/settings.ts';
import {
  checkConfig,
  type RunConfig,
  type SystemName,
  settingsOf,
  systemNames,
  USUAL_SYSTEM,
} from '../../gan/systems/table.ts';
import { commandNow } from './commandNow.ts';
import type { RunFolder } from './folder.node.ts';
import { readJson } from './readJson.node.ts';
import { CHECKPOINT, CONFIG } from './runFiles.ts';
import { commit, version } from './version.node.ts';

/** What else `config.json` says of a run. */
export interface RunAbout {
  /** The command that makes the run again as it is now; null where a program started it. */
  readonly command: string | null;
  /** The shape of one sample: with it a run can be sampled from without its data. */
  readonly shape: readonly number[];
  /** Names of the classes of the data; absent where there are none, and in older runs. */
  readonly classes?: readonly string[];
  /** The name of the device. */
  readonly adapter: string;
  /** The version of wgrad. */
  readonly version: string;
  /** The commit of wgrad, with + where files were changed since; null for an installed package. */
  readonly commit: string | null;
  /** When, as ISO 8601. */
  readonly started: string;
  /** Where another device or version of wgrad went on. */
  readonly resumed?: readonly Resumption[];
}

/** The device and version of wgrad with which a run went on after a step. */
export interface Resumption extends Pick<RunAbout, 'adapter' | 'version' | 'commit' | 'started'> {
  /** The step of the checkpoint that it went on from. */
  readonly step: number;
}

/** A run as its folder describes it. */
export interface StoredRun {
  readonly config: RunConfig;
  readonly about: RunAbout;
  readonly folder: string;
}

/** What there is to say of a run that begins now. */
export const aboutNow = (about: Pick<RunAbout, 'command' | 'shape' | 'classes' | 'adapter'>): RunAbout => ({
  ...about,
  version: version(),
  commit: commit(),
  started: new Date().toISOString(),
});

/**
 * What there is to say of a run that goes on after a step: as before, with who goes on where that is another.
 * @param config what the run is now, which the command follows
 */
export function resumedBy(
  about: RunAbout,
  { adapter, version, commit, started }: RunAbout,
  step: number,
  config: RunConfig,
): RunAbout {
  const again = { ...about, command: commandNow(about.command, config) };
  const last = about.resumed?.at(-1) ?? about;
  if (last.adapter === adapter && last.version === version && last.commit === commit) return again;
  return { ...again, resumed: [...(about.resumed ?? []), { step, adapter, version, commit, started }] };
}

/** Writes `config.json`. */
export const writeConfig = (run: RunFolder, config: RunConfig, about: RunAbout): Promise<void> =>
  run.write(CONFIG, `${JSON.stringify({ ...config, ...about }, null, 2)}\n`);

/** The folder of a run, named by itself or by its checkpoint. @throws Error if there is none */
export async function runFolderOf(path: string): Promise<string> {
  try {
    const folder = (await stat(path)).isDirectory() ? path : dirname(path);
    if (folder === path || basename(path) === CHECKPOINT) return resolve(folder);
  } catch (error) {
    throw fileError('open the run', path, error);
  }
  throw new Error(`${path} is no run: name a run folder, or the ${CHECKPOINT} in one`);
}

/**
 * The configuration of a run that goes on.
 * @param given what the command line asks for: only `steps`, `seconds` and the folder of the data may differ from what the run was
 * @throws Error naming the file, or the option that would make it another run
 */
export async function readConfig(path: string, given: Partial<RunConfig> = {}): Promise<StoredRun> {
  const folder = await runFolderOf(path);
  const file = join(folder, CONFIG);
  const read = readJson(file, 'begin a new run, or write it again') as RunConfig & RunAbout;
  if (read === undefined) throw new Error(`${folder} is not a run of wgrad train: it has no ${CONFIG}`);
  const stored = checkStored(file, read);
  const { dataOptions: moved, ...kept } = given;
  const only = moved === undefined || Object.keys(moved).every((name) => name === 'folder');
  const other = only
    ? Object.keys(kept).find((name) => kept[name] !== undefined && !['steps', 'seconds'].includes(name))
    : 'dataOptions';
  if (other) {
    throw new Error(`a run that goes on keeps its ${other}: leave that option out, or start a new run`);
  }
  const { command, shape, classes, adapter, version, commit, started, resumed } = stored;
  const system = systemOf(stored)!;
  const names = Object.keys(settingsOf(system));
  const own = { system, ...Object.fromEntries(names.map((name) => [name, stored[name]])) } as RunConfig;
  // Of the two limits only the one that is asked for now.
  const open = given.seconds != null ? { steps: null } : given.steps != null ? { seconds: null } : {};
  return {
    config: { ...own, ...open, ...defined(kept), ...(moved && { dataOptions: movedTo(own, moved) }) },
    about: {
      ...{ command, shape, adapter, version, commit, started },
      ...(classes && { classes }),
      ...(resumed && { resumed }),
    },
    folder,
  };
}

/** The options of a run's data that lie in another folder now. */
export const movedTo = (
  { dataOptions }: Pick<RunSettings, 'dataOptions'>,
  { folder }: RunSettings['dataOptions'],
): RunSettings['dataOptions'] => ({ ...dataOptions, ...(folder !== undefined && { folder: resolve(String(folder)) }) });

const text: OptionRange = { holds: (v) => typeof v === 'string', says: 'a text' };
const listOf = (item: OptionRange['holds'], most: number, says: string): OptionRange => ({
  holds: (v) => Array.isArray(v) && v.length <= most && v.every(item),
  says,
});

const resumption = {
  step: ranges.whole(0),
  adapter: text,
  version: text,
  commit: orNull(text),
  started: text,
} as const;

/** What `config.json` may say beside the settings. */
const about: { readonly [K in keyof RunAbout]-?: OptionRange } = {
  command: orNull(text),
  shape: listOf(ranges.whole(1, 65_536).holds, 4, 'a list of at most 4 whole numbers, 1 or more'),
  classes: listOf(text.holds, 65_536, 'a list of names'),
  adapter: text,
  version: text,
  commit: orNull(text),
  started: text,
  resumed: listOf(
    (v) =>
      typeof v === 'object' && v !== null && Object.entries(resumption).every(([k, r]) => r.holds((v as never)[k])),
    100_000,
    `a list of objects with ${Object.keys(resumption).join(', ')}`,
  ),
};

/** What older runs do not say, or only some. */
const OPTIONAL: readonly string[] = ['classes', 'resumed'];

/** The system of a `config.json`: the usual one where it says none, as of old; undefined for one that there is not. */
export function systemOf(stored: object): SystemName | undefined {
  const { system = USUAL_SYSTEM } = stored as { readonly system?: unknown };
  return systemNames.find((name) => name === system);
}

/**
 * Holds what a `config.json` has to what each field may be.
 * @returns it, with settings that came later than the run
 * @throws Error, RangeError naming the file, the field and what it must be
 */
function checkStored(file: string, read: unknown): RunConfig & RunAbout {
  const others = Object.keys(about) as (keyof RunAbout)[];
  if (typeof read !== 'object' || read === null || Array.isArray(read)) {
    throw new Error(`${file} is not the configuration of a run of wgrad train: it is no object`);
  }
  const system = systemOf(read);
  if (system === undefined) {
    const named = shown((read as { readonly system?: unknown }).system);
    throw new Error(`${file}: there is no system ${named}: update wgrad if a newer one wrote it`);
  }
  const stored = withEarlier(settingsOf(system), read as RunConfig & RunAbout);
  const known: readonly string[] = [...Object.keys(settingsOf(system)), ...others];
  const missing = known.find((name) => !OPTIONAL.includes(name) && !Object.hasOwn(stored, name));
  if (missing) throw new Error(`${file} is not the configuration of a run of wgrad train: it has no ${missing}`);
  const strange = Object.keys(stored).find((name) => name !== 'system' && !known.includes(name));
  if (strange !== undefined) {
    const name = strange.length > 60 ? `${strange.slice(0, 60)}...` : strange;
    throw new Error(`${file}: there is no setting ${name}: remove it, or update wgrad if a newer one wrote it`);
  }
  const config = checkConfig(file, { ...stored, system } as RunConfig);
  checkRange(file, 'data', ranges.oneOf(dataSets.map(({ name }) => name)), config.data);
  for (const name of others) {
    const value = (stored as Partial<RunAbout>)[name];
    if (!OPTIONAL.includes(name) || value !== undefined) checkRange(file, name, about[name], value);
  }
  return stored;
}

/** The option `--adapter` that gives a device of that name again. */
export function adapterOf({ adapter }: Pick<RunAbout, 'adapter'>): AdapterName | undefined {
  const lower = adapter.toLowerCase();
  if (lower.includes('llvmpipe')) return 'lavapipe';
  return adapterNames.find((kind) => lower.includes(kind));
}

/** A command with the adapter that the run found, so that it makes the same numbers again; null without a command. */
export function commandOn(adapter: string, command: string | undefined): string | null {
  const kind = adapterOf({ adapter });
  return command === undefined
    ? null
    : kind && !/ --adapter[ =]/.test(command)
      ? `${command} --adapter ${kind}`
      : command;
}
