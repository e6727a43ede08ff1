import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { defined } from '../../engine/index.ts';
import { fileError } from '../../nn/io/atomicWrite.node.ts';
import { type Adapter, adapters } from '../cli/options.ts';
import type { RunFolder } from '../run/folder.node.ts';
import { readJson } from '../run/readJson.node.ts';
import { configNames, type TrainConfig } from './config.ts';
import { CHECKPOINT, CONFIG } from './runFiles.ts';
import { commit, version } from './version.node.ts';

/** What else `config.json` says of a run. */
export interface RunAbout {
  /** The command that started it; null where a program did. */
  readonly command: string | null;
  /** Of one sample: with it a run can be sampled from without its data. */
  readonly shape: readonly number[];
  /** The name of the device. */
  readonly adapter: string;
  /** Of wgrad. */
  readonly version: string;
  /** Of wgrad, with + where files were changed since; null for an installed package. */
  readonly commit: string | null;
  /** When, as ISO 8601. */
  readonly started: string;
  /** Where another device or version of wgrad went on. */
  readonly resumed?: readonly Resumption[];
}

/** By what a run went on after a step. */
export interface Resumption extends Pick<RunAbout, 'adapter' | 'version' | 'commit' | 'started'> {
  /** The step of the checkpoint that it went on from. */
  readonly step: number;
}

/** A run as its folder describes it. */
export interface StoredRun {
  readonly config: TrainConfig;
  readonly about: RunAbout;
  readonly folder: string;
}

/** What there is to say of a run that begins now. */
export const aboutNow = (about: Pick<RunAbout, 'command' | 'shape' | 'adapter'>): RunAbout => ({
  ...about,
  version: version(),
  commit: commit(),
  started: new Date().toISOString(),
});

/** What there is to say of a run that goes on after a step: as before, with who goes on where that is another. */
export function resumedBy(about: RunAbout, { adapter, version, commit, started }: RunAbout, step: number): RunAbout {
  const last = about.resumed?.at(-1) ?? about;
  if (last.adapter === adapter && last.version === version && last.commit === commit) return about;
  return { ...about, resumed: [...(about.resumed ?? []), { step, adapter, version, commit, started }] };
}

/** Writes `config.json`. */
export const writeConfig = (run: RunFolder, config: TrainConfig, about: RunAbout): Promise<void> =>
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
export async function readConfig(path: string, given: Partial<TrainConfig> = {}): Promise<StoredRun> {
  const folder = await runFolderOf(path);
  const file = join(folder, CONFIG);
  const stored = readJson(file, 'begin a new run, or write it again') as TrainConfig & RunAbout;
  if (stored === undefined) throw new Error(`${folder} is not a run of wgrad train: it has no ${CONFIG}`);
  const missing = configNames.find((name) => typeof stored !== 'object' || stored === null || !(name in stored));
  if (missing) throw new Error(`${file} is not the configuration of a run of wgrad train: it has no ${missing}`);
  const { dataOptions: moved, ...kept } = given;
  const only = moved === undefined || Object.keys(moved).every((name) => name === 'folder');
  const other = only
    ? Object.keys(kept).find(
        (name) => kept[name as keyof typeof kept] !== undefined && !['steps', 'seconds'].includes(name),
      )
    : 'dataOptions';
  if (other) {
    throw new Error(`a run that goes on keeps its ${other}: leave that option out, or start a new run`);
  }
  const { command, shape, adapter, version, commit, started, resumed } = stored;
  const own = Object.fromEntries(configNames.map((name) => [name, stored[name]])) as unknown as TrainConfig;
  // Of the two limits only the one that is asked for now.
  const open = given.seconds != null ? { steps: null } : given.steps != null ? { seconds: null } : {};
  return {
    config: { ...own, ...open, ...defined(kept), ...(moved && { dataOptions: movedTo(own, moved) }) },
    about: { command, shape, adapter, version, commit, started, ...(resumed && { resumed }) },
    folder,
  };
}

/** The options of a run's data that lie in another folder now. */
export const movedTo = (
  { dataOptions }: Pick<TrainConfig, 'dataOptions'>,
  { folder }: TrainConfig['dataOptions'],
): TrainConfig['dataOptions'] => ({ ...dataOptions, ...(folder !== undefined && { folder: resolve(String(folder)) }) });

/** The option `--adapter` that gives a device of that name again. */
export function adapterOf({ adapter }: Pick<RunAbout, 'adapter'>): Adapter | undefined {
  const lower = adapter.toLowerCase();
  if (lower.includes('llvmpipe')) return 'lavapipe';
  return adapters.find((kind) => lower.includes(kind));
}
