/** Safetensors files on disk, one tensor in memory at a time. */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { sizeOf, Tensor } from '../../engine/index.ts';
import { fileError, writeFileAtomic } from '../../engine/platform/atomicWrite.node.ts';
import { checkSum } from './checksums.ts';
import { crc32c } from './crc32c.ts';
import { Assembler, type Dtype, type ElementArray, nativeDtype, PIECE, piecesOf } from './dtypes.ts';
import { noteUnread, type UnreadTensor, unreadMessage } from './foreign.ts';
import {
  decodeHeader,
  encodeHeader,
  type Header,
  headerLength,
  type Metadata,
  type Place,
  type TensorInfo,
} from './header.ts';
import { about, checkMap, type Safetensors, type StoredTensor, storedDtype } from './safetensors.ts';
import { reader } from './stateful.ts';

/** A tensor whose numbers are made, or fetched, when their turn to be written comes. */
export interface LazyTensor {
  /** The type of its elements in the file. */
  readonly dtype: Dtype;
  /** The sizes of its axes. */
  readonly shape: readonly number[];
  /** Called once; what it returns is let go of as soon as it is written, so that the array may be used again. */
  data(): ElementArray | Promise<ElementArray>;
}

/**
 * Writes a safetensors file, one tensor after another, wide dtypes first and then in the order of names: of
 * tensors of a device and of {@link LazyTensor | lazy tensors} one at a time is in memory. An interrupted save leaves the
 * previous file whole. **Await it before the next step**: a tensor that changes meanwhile is an error, and the old file stays.
 *
 * @param given by name, such as a module's `stateDict()`
 * @param metadata free text; numbers and objects go in as text
 * @param ready called right before the file takes its name: what it throws leaves the previous file
 * @throws Error naming the path and what is wrong: the disk (full, not permitted), or a tensor, as `encodeSafetensors` says
 */
export async function saveSafetensors(
  path: string,
  given: ReadonlyMap<string, Tensor | StoredTensor | LazyTensor>,
  metadata: Metadata = {},
  ready?: () => void,
): Promise<void> {
  checkMap('saveSafetensors', given);
  const tensors = new Map([...given].map(([name, t]) => [name, t instanceof Tensor ? lazy(name, t) : t]));
  const infos = new Map<string, TensorInfo>();
  for (const [name, t] of tensors) infos.set(name, isLazy(t) ? t : { dtype: storedDtype(name, t), shape: t.shape });
  const { bytes, places, sealed } = encodeHeader(infos, metadata);
  const content = async function* () {
    yield bytes;
    const sums: number[] = [];
    for (const { name, dtype, shape } of places) {
      const t = tensors.get(name)!;
      const data = isLazy(t) ? await t.data() : t.data;
      if (isLazy(t)) storedDtype(name, { dtype, shape, data });
      let sum = 0;
      for (const piece of piecesOf(dtype, data)) {
        if (sealed) sum = crc32c(piece, sum);
        yield piece;
      }
      sums.push(sum);
    }
    // The checksums of what is written are known only now.
    if (sealed) yield { at: 0, bytes: sealed(sums) };
  };
  await writeFileAtomic(path, content, ready);
}

const lazy = (name: string, t: Tensor): LazyTensor => ({
  dtype: nativeDtype(t),
  shape: t.shape,
  data: reader(name, t, 'saveSafetensors'),
});

const isLazy = (t: StoredTensor | LazyTensor): t is LazyTensor =>
  typeof (t as Partial<LazyTensor> | undefined)?.data === 'function';

/**
 * A safetensors file that is open for reading: its header is in memory, tensors are read when asked for.
 * @example
 * await using file = await SafetensorsFile.open('model.safetensors');
 * for (const [name, { dtype, shape }] of file.tensors) console.log(name, dtype, shape);
 * const { data } = await file.read('layers.0.weight');
 */
export class SafetensorsFile {
  /** The path at which the file was found. */
  readonly path: string;
  /** What the file holds, by name, in its order. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Tensors of types that are not read here, such as F8_E4M3: `tensors` does not have them. */
  readonly unread: ReadonlyMap<string, UnreadTensor>;
  /** The file's free text, by name. */
  readonly metadata: Metadata;
  private readonly handle: FileHandle;
  private readonly places: ReadonlyMap<string, Place>;
  /** Where the data begins, in bytes. */
  private readonly start: number;

  private constructor(path: string, handle: FileHandle, { places, unread, metadata }: Header, start: number) {
    this.path = path;
    this.handle = handle;
    this.places = new Map(places.map((p) => [p.name, p]));
    this.tensors = new Map(places.map(({ name, dtype, shape }) => [name, { dtype, shape }]));
    this.unread = unread;
    this.metadata = metadata;
    this.start = start;
  }

  /**
   * Opens a file, whoever wrote it, and checks its whole header. It stays readable when a save replaces it meanwhile.
   * @throws Error naming the path when it cannot be read, and the tensor and the rule when it is malformed
   */
  static async open(path: string): Promise<SafetensorsFile> {
    const handle = await reading(path, () => openFile(path));
    try {
      const { size } = await reading(path, () => handle.stat());
      const first = await reading(path, () => readAt(handle, new Uint8Array(Math.min(8, size)), 0));
      const start = 8 + about(path, () => headerLength(first, size, path));
      const text = await reading(path, () => readAt(handle, new Uint8Array(start - 8), 8));
      const header = about(path, () => decodeHeader(text, size - start));
      return new SafetensorsFile(path, handle, header, start);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /**
   * Reads one tensor, and compares its checksum if the file has one, as checkpoints do.
   * @throws Error for a name that the file does not have, a tensor of a type that is not read here, one that is damaged, or when it
   * cannot be read
   */
  async read(name: string): Promise<StoredTensor> {
    const { dtype, shape } = this.placeOf(name);
    const assembler = new Assembler(dtype, sizeOf(shape));
    await this.eachPiece(
      name,
      () => assembler.next(),
      () => assembler.filled(),
    );
    return { shape, data: assembler.data, dtype };
  }

  /**
   * Compares a tensor's checksum, if the file has one, without keeping its values.
   * @throws Error for a tensor that is damaged, or when it cannot be read
   */
  async check(name: string): Promise<void> {
    const { begin, end, sum } = this.placeOf(name);
    if (sum === undefined) return;
    const room = new Uint8Array(Math.min(end - begin, PIECE));
    let left = end - begin;
    const next = () => room.subarray(0, Math.min(left, room.length));
    await this.eachPiece(name, next, () => {
      left -= next().length;
    });
  }

  private placeOf(name: string): Place {
    const place = this.places.get(name);
    if (place) return place;
    const other = this.unread.get(name);
    if (other) throw new Error(`${this.path}: ${unreadMessage(name, other)}`);
    throw new Error(`${this.path}: there is no tensor "${name}"; the file has ${[...this.tensors.keys()].join(', ')}`);
  }

  /** Reads a tensor's bytes, piece by piece, into the room that `next` gives until it is empty. */
  private async eachPiece(name: string, next: () => Uint8Array, filled: () => void): Promise<void> {
    const { begin, sum } = this.placeOf(name);
    const label = `${this.path}: tensor "${name}"`;
    let [at, found] = [this.start + begin, 0];
    const take = (room: Uint8Array): void => {
      at += room.length;
      if (sum !== undefined) found = crc32c(room, found);
      filled();
    };
    for (let room = next(); room.length > 0; room = next()) {
      const into = room;
      await reading(this.path, () => readAt(this.handle, into, at));
      about(label, () => take(into));
    }
    about(label, () => checkSum(found, sum));
  }

  /** Closes the file; nothing can be read from then on. */
  async close(): Promise<void> {
    await this.handle.close();
  }

  /** Closes it at the end of a block that began with `await using file = ...`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Runs `fn`, and puts the path in front of the errors of the file system. */
async function reading<T>(path: string, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    throw fileError('read', path, error);
  }
}

async function openFile(path: string): Promise<FileHandle> {
  // A pipe without a writer would keep `open` waiting for ever.
  const found = await stat(path);
  if (!found.isFile() && !found.isDirectory()) throw new Error('it is a device or a pipe, not a file');
  return open(path, 'r');
}

/** Fills `into` with the bytes from `position` on. */
async function readAt(handle: FileHandle, into: Uint8Array, position: number): Promise<Uint8Array> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await handle.read(into, done, into.length - done, position + done);
    if (bytesRead === 0) throw new Error(`it was cut short while it was read, at byte ${position + done}; try again`);
    done += bytesRead;
  }
  return into;
}

/**
 * Reads a safetensors file, whoever wrote it, with all its tensors: what `module.loadStateDict` takes. See
 * {@link SafetensorsFile} for files larger than memory. Tensors of types that are not read here (F8_E4M3, C64) are left out: a
 * warning names them, and so does the error of a module that asks for one.
 *
 * @throws Error naming the path when the file cannot be read, and the tensor when the file is malformed; for a file of PyTorch
 * (`.pt`, `.pth`, `.bin`, `.ckpt`) it has the lines of Python that convert it
 */
export async function loadSafetensors(path: string): Promise<Safetensors> {
  const file = await SafetensorsFile.open(path);
  try {
    const tensors = new Map<string, StoredTensor>();
    for (const name of file.tensors.keys()) tensors.set(name, await file.read(name));
    noteUnread(tensors, file.unread, path);
    return { tensors, unread: file.unread, metadata: file.metadata };
  } finally {
    await file.close();
  }
}
