/**
 * Checkpoints: the state of modules, optimizers, averages and random generators in one safetensors file, so that a run goes
 * on where it stopped. Here as bytes, also in a browser; `checkpoint.node.ts` has files.
 */
import { calls } from '../../engine/internal.ts';
import { CHECKPOINT, CHECKSUMS } from './checksums.ts';
import type { Metadata, TensorInfo } from './header.ts';
import { fromJson, type Json, toJson } from './json.ts';
import { about, decodeSafetensors, encodeSafetensors, type StoredTensor } from './safetensors.ts';
import { type CheckpointParts, collect, type HostState, restore } from './stateful.ts';

/** What a checkpoint says beside the state of its parts. */
export interface CheckpointInfo {
  /** The names of its parts. */
  readonly parts: readonly string[];
  /** What was saved with them. */
  readonly metadata: Json;
}

const VERSION = 1;
/** What a checkpoint says of its checksums, so that their absence is noticed. Older ones have none. */
const CHECKSUM = 'crc32c';

/** The whole state of a checkpoint as text, beside its tensors. */
export function describeCheckpoint(parts: CheckpointParts, host: HostState, metadata: Json): Metadata {
  const noted = toJson(metadata, 'metadata');
  const described = { version: VERSION, checksum: CHECKSUM, parts: Object.keys(parts), ...host, metadata: noted };
  return { [CHECKPOINT]: JSON.stringify(described) };
}

/** A source of tensors: a file, or one in memory. */
export interface CheckpointSource {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Metadata;
  read(name: string): StoredTensor | Promise<StoredTensor>;
  /** Compares a tensor's checksum before anything is changed, where reading does not do it for all. */
  check?(name: string): Promise<void>;
}

/** Gives the parts their state. @param name what errors call the file */
export async function restoreCheckpoint(
  source: CheckpointSource,
  parts: CheckpointParts,
  name: string,
): Promise<CheckpointInfo> {
  const text = source.metadata[CHECKPOINT];
  if (text === undefined) {
    throw new Error(
      `${name}: it is no checkpoint of saveCheckpoint; read other safetensors files with loadSafetensors`,
    );
  }
  const { version, checksum, parts: saved, host, metadata } = parseDescribed(text, name);
  if (version !== VERSION) {
    throw new Error(`${name}: a checkpoint of version ${version}; this wgrad reads version ${VERSION}: update it`);
  }
  if (checksum !== undefined && source.metadata[CHECKSUMS] === undefined) {
    throw new Error(
      `${name}: its checksums are gone: the file was damaged, or changed by another program; take another copy`,
    );
  }
  const missing = Object.keys(parts).filter((part) => !saved.includes(part));
  if (missing.length > 0)
    throw new Error(`${name}: there is no ${missing.join(', ')} in it; it has ${saved.join(', ')}`);
  try {
    await restore(
      {
        tensors: source.tensors,
        host,
        read: (tensor) => source.read(tensor),
        check: async (tensor) => source.check?.(tensor),
      },
      parts,
    );
  } catch (cause) {
    throw new Error(`${name}: ${(cause as Error).message}`, { cause });
  }
  return { parts: saved, metadata };
}

interface Described {
  readonly version: number;
  readonly checksum: Json | undefined;
  readonly parts: readonly string[];
  readonly host: HostState;
  readonly metadata: Json;
}

function parseDescribed(text: string, name: string): Described {
  let found: Record<string, Json> | null;
  try {
    found = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${name}: its description of the checkpoint is not JSON; save it again`, { cause });
  }
  const { version, checksum, parts, numbers = {}, states = {}, kinds = {}, metadata = null } = found ?? {};
  if (typeof version !== 'number' || !isTexts(parts) || !isObject(numbers) || !isObject(states) || !isObject(kinds)) {
    throw new Error(`${name}: its description of the checkpoint is torn; save it again`);
  }
  return {
    version,
    checksum,
    parts,
    host: { numbers, states, kinds: kinds as Record<string, string> },
    metadata: about(name, () => fromJson(metadata, 'metadata')),
  };
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((v) => typeof v === 'string');
const isObject = (value: unknown): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The bytes of a checkpoint: what `saveCheckpoint` of `wgrad/nn/node` writes to a file. The state is that at the time of the
 * call. For a browser: keep them in a Blob or a database.
 *
 * @param parts modules, optimizers, averages, generators, by name
 * @param metadata anything that JSON holds, such as the number of steps done
 * @throws TypeError for metadata that JSON does not hold, such as a Date
 * @example
 * const bytes = await encodeCheckpoint({ generator, critic, adam, rng }, { step });
 */
export async function encodeCheckpoint(
  parts: CheckpointParts,
  metadata: Json = null,
): Promise<Uint8Array<ArrayBuffer>> {
  calls.checkArguments(
    'encodeCheckpoint',
    [calls.something('parts'), calls.maybe(calls.something('metadata'))],
    arguments,
  );
  const { tensors, host } = collect(parts);
  const described = describeCheckpoint(parts, host, metadata);
  const read = [...tensors].map(async ([name, { shape, data }]) => [name, { shape, data: await data() }] as const);
  return encodeSafetensors(new Map(await Promise.all(read)), described);
}

/**
 * Gives modules, optimizers, averages and generators the state that a checkpoint holds; see `loadCheckpoint` of
 * `wgrad/nn/node`.
 *
 * @param bytes what {@link encodeCheckpoint} gave, or the bytes of a file that `saveCheckpoint` wrote
 * @param parts those to load, made as they were when they were saved; others in the checkpoint are left alone
 * @throws Error naming what is missing, unexpected or of another shape; nothing is changed then
 */
export async function decodeCheckpoint(bytes: Uint8Array, parts: CheckpointParts = {}): Promise<CheckpointInfo> {
  calls.checkArguments(
    'decodeCheckpoint',
    [
      calls.within('bytes', { holds: (v) => v instanceof Uint8Array, says: 'a Uint8Array' }),
      calls.maybe(calls.something('parts')),
    ],
    arguments,
  );
  const { tensors, metadata } = decodeSafetensors(bytes, 'checkpoint');
  const infos = tensors as ReadonlyMap<string, Required<StoredTensor>>;
  return restoreCheckpoint({ tensors: infos, metadata, read: (name) => tensors.get(name)! }, parts, 'checkpoint');
}
