import { type CheckpointInfo, describeCheckpoint, restoreCheckpoint } from './checkpoint.ts';
import { SafetensorsFile, saveSafetensors } from './file.node.ts';
import type { Json } from './json.ts';
import { type CheckpointParts, collect } from './stateful.ts';

/**
 * Saves the state of a training run in a safetensors file: a run that loads it goes on as if it had never stopped, on the
 * same adapter to the last bit. The file is replaced whole: a save that is killed at any moment leaves the old one or the
 * new one. Tensors are read and written one after another, so that no second copy of the weights is in memory. Each has a checksum
 * in the file's metadata, and so has the header: bits that a disk has turned are noticed on loading.
 *
 * **Await it before the next step**: state that changes meanwhile is an error, and the old file stays. `encodeCheckpoint`
 * takes everything at once instead, and needs the memory.
 *
 * @param parts modules, optimizers, averages, generators (`Rng`, `defaultRng()`), by name; see `Stateful`. Shared
 * layers' generators are saved with the modules that hold them
 * @param metadata anything that JSON holds, such as the number of steps done
 * @param ready called when all is written, right before the file takes its name: what it throws leaves the old file
 * @throws Error naming the path and the cause, such as a full disk; TypeError for metadata that JSON does not hold
 * @example
 * await saveCheckpoint('run.safetensors', { generator, critic, gAdam, cAdam, ema, rng }, { step: 1000 });
 * // in a new process, with the same objects made anew:
 * const { metadata } = await loadCheckpoint('run.safetensors', { generator, critic, gAdam, cAdam, ema, rng });
 */
export async function saveCheckpoint(
  path: string,
  parts: CheckpointParts,
  metadata: Json = null,
  ready?: () => void,
): Promise<void> {
  const { tensors, host } = collect(parts);
  await saveSafetensors(path, tensors, describeCheckpoint(parts, host, metadata), ready);
}

/**
 * Gives modules, optimizers, averages and generators the state that a checkpoint holds, tensor by tensor. Weights that were
 * saved in float64 are rounded on a device of float32.
 *
 * @param parts those to load, made as they were when they were saved; others in the file are left alone, and without any the
 * file is only described
 * @throws Error naming the path and what is missing, unexpected, of another shape, or damaged, as its checksum tells; nothing is
 * changed then. A disk that fails in the middle, or a number that an optimizer refuses, leaves some parts loaded
 */
export async function loadCheckpoint(path: string, parts: CheckpointParts = {}): Promise<CheckpointInfo> {
  const file = await SafetensorsFile.open(path);
  try {
    return await restoreCheckpoint(file, parts, path);
  } finally {
    await file.close();
  }
}
