import { readFile } from 'node:fs/promises';
import { fileError, writeFileAtomic } from './atomicWrite.node.ts';
import {
  decodeSafetensors,
  encodeSafetensors,
  type Metadata,
  type Safetensors,
  type TensorMap,
} from './safetensors.ts';

/**
 * Writes tensors and metadata to a safetensors file, atomically: an interrupted save leaves the previous file whole.
 *
 * @throws Error naming the tensor (see `encodeSafetensors`) or the path (see `writeFileAtomic`)
 */
export async function saveCheckpoint(path: string, tensors: TensorMap, metadata: Metadata = {}): Promise<void> {
  await writeFileAtomic(path, encodeSafetensors(tensors, metadata));
}

/**
 * Reads a safetensors file, whoever wrote it.
 *
 * @throws Error naming the path when the file cannot be read, and the tensor when the file is malformed
 */
export async function loadCheckpoint(path: string): Promise<Safetensors> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw fileError('read', path, error);
  });
  return decodeSafetensors(bytes, path);
}
