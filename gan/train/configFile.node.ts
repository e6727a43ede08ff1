import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileError } from '../../nn/io/atomicWrite.node.ts';
import { type Adapter, adapters } from '../cli/options.ts';
import type { RunFolder } from '../run/folder.node.ts';
import type { TrainConfig } from './config.ts';
import { CHECKPOINT, CONFIG } from './runFiles.ts';
import { commit, version } from './version.node.ts';

/** What a run was asked for, and where it computes. */
export interface RunConfig {
  readonly config: TrainConfig;
  /** The name of the device. */
  readonly adapter: string;
  /** Of one sample: with it a run can be sampled from without its data. */
  readonly shape: readonly number[];
}

/** A run as its folder describes it. */
export interface StoredRun {
  readonly config: TrainConfig;
  /** The option that gives its device again. */
  readonly adapter: Adapter | undefined;
  /** Of one sample. */
  readonly shape: readonly number[];
  readonly folder: string;
}

/** Writes `config.json`: the configuration, the adapter, version and commit of wgrad, and when it was started. */
export function writeConfig(run: RunFolder, { config, adapter, shape }: RunConfig): Promise<void> {
  const about = { shape, adapter, version: version(), commit: commit(), started: new Date().toISOString() };
  return run.write(CONFIG, `${JSON.stringify({ ...config, ...about }, null, 2)}\n`);
}

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
 * @param given what the command line asks for: only `steps` and `seconds` may differ from what the run was
 * @throws Error naming the file, or the option that would make it another run
 */
export async function readConfig(path: string, given: Partial<TrainConfig> = {}): Promise<StoredRun> {
  const folder = await runFolderOf(path);
  const file = join(folder, CONFIG);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw fileError('read', file, error);
  }
  let stored: TrainConfig & Omit<RunConfig, 'config'>;
  try {
    stored = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (
    typeof stored !== 'object' ||
    stored === null ||
    typeof stored.model !== 'string' ||
    typeof stored.data !== 'string'
  ) {
    throw new Error(`${file} is not the configuration of a run: it names no model and no data`);
  }
  const other = Object.keys(given).find(
    (name) => given[name as keyof TrainConfig] !== undefined && !['steps', 'seconds'].includes(name),
  );
  if (other) {
    throw new Error(`a run that goes on keeps its ${other}: leave that option out, or start a new run`);
  }
  const { adapter, shape, ...config } = stored;
  const asked = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { config: { ...config, ...asked }, adapter: kindOf(adapter), shape, folder };
}

/** The option `--adapter` that gives a device of that name again. */
function kindOf(name: string): Adapter | undefined {
  const lower = name.toLowerCase();
  if (lower.includes('llvmpipe')) return 'lavapipe';
  return adapters.find((kind) => lower.includes(kind));
}
