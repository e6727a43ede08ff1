/**
 * Checksums of a checkpoint, in the metadata of its safetensors file: a CRC-32C of each tensor's bytes, and one of the header. A bit
 * that a disk or a cable has turned is noticed, whichever it is; other readers of the format see one more text.
 */
import { crc32c } from './crc32c.ts';

/** The entry of a file's metadata that makes it a checkpoint: JSON. Files that have it have checksums. */
export const CHECKPOINT = 'wgrad.checkpoint';

/** The entry with the checksums: that of the header, its own digits zeros, then those of the tensors as they follow in the file. */
export const CHECKSUMS = 'wgrad.crc32c';

/** What is in front of the entry's digits in a header. Inside of a text its quotes would have backslashes before them. */
const BEFORE = new TextEncoder().encode(`${JSON.stringify(CHECKSUMS)}:"`);

const DAMAGED =
  'the file was damaged since it was saved, or changed by another program; take another copy, or an older checkpoint';

const digits = (sum: number): string => sum.toString(16).padStart(8, '0');

/** The entry before the checksums are known. */
export const blankChecksums = (tensors: number): string =>
  Array.from({ length: tensors + 1 }, () => digits(0)).join(' ');

/** Writes the checksums of the tensors into a header, and its own. @param json the header without the length in front */
export function seal(json: Uint8Array, sums: readonly number[]): void {
  const at = placeIn(json);
  const write = (text: string) => json.set(new TextEncoder().encode(text), at);
  write([0, ...sums].map(digits).join(' '));
  write(digits(crc32c(json)));
}

/**
 * The checksums of the tensors, if the header has the one that it was saved with.
 * @param json the header without the length in front
 * @param entry what its metadata have for {@link CHECKSUMS}
 * @param tensors how many there are
 * @throws Error for a damaged header
 */
export function unseal(json: Uint8Array, entry: string, tensors: number): number[] {
  const at = placeIn(json);
  if (!/^[\da-f]{8}( [\da-f]{8})*$/.test(entry) || at < 0)
    throw new Error(`the header's checksums are torn: ${DAMAGED}`);
  const [own, ...sums] = entry.split(' ').map((text) => Number.parseInt(text, 16)) as [number, ...number[]];
  const zeros = new Uint8Array(8).fill(0x30);
  const found = crc32c(json.subarray(at + 8), crc32c(zeros, crc32c(json.subarray(0, at))));
  if (found !== own || sums.length !== tensors) {
    throw new Error(`the header has another checksum than it was saved with: ${DAMAGED}`);
  }
  return sums;
}

/** @throws Error unless a tensor's bytes have the checksum that they were saved with, if there is one */
export function checkSum(found: number, saved: number | undefined): void {
  if (saved === undefined || found === saved) return;
  throw new Error(`it has the checksum ${digits(found)}, and was saved with ${digits(saved)}: ${DAMAGED}`);
}

/** Where the digits begin; below 0 without them. */
function placeIn(json: Uint8Array): number {
  for (let at = json.indexOf(BEFORE[0]!); at >= 0; at = json.indexOf(BEFORE[0]!, at + 1)) {
    if (BEFORE.every((byte, i) => json[at + i] === byte)) return at + BEFORE.length;
  }
  return -1;
}
