import { type Device, Rng, type StreamPlace, scope, Tensor, withDevice } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import type { Dataset, StreamDataset } from './dataset.ts';
import { prefetched } from './prefetch.ts';
import { type Batch, collate, type NumberArray } from './sample.ts';
import { indexed, isPromise, type Make, type Source, type Steps, streamed } from './source.ts';

/** Options of {@link DataLoader}. */
export interface DataLoaderOptions<S, T, B> {
  /** Samples in a batch. Default 1. */
  readonly batchSize?: number;
  /** Put the samples in a new random order each epoch. Default false. */
  readonly shuffle?: boolean;
  /** Draws the orders; the loader's own, as its state is saved and restored. Default `new Rng(0)`. */
  readonly rng?: Rng;
  /** Leave out a last batch that is not full. Default false. */
  readonly dropLast?: boolean;
  /** Changes each sample on the host, at once or as a promise. */
  readonly transform?: (sample: S, index: number) => T | PromiseLike<T>;
  /** Makes a batch of samples. Default {@link collate}. */
  readonly collate?: (samples: readonly T[]) => B;
  /** With `for await`: how many batches at most are being got ready, or are ready, ahead. 0: when asked for. Default 2. */
  readonly prefetch?: number;
  /** Where the tensors are made. Default: the current device. */
  readonly device?: Device;
  /** With `for await`: leave it to the caller to free batches. Default false: the loader frees one when the next is asked for. */
  readonly keepBatches?: boolean;
}

/** Where a loader is: plain data, as JSON keeps it. */
export interface DataLoaderState {
  /** The epoch under way, or the next, from 0. */
  readonly epoch: number;
  /** Batches of it that were handed out. */
  readonly batch: number;
  /** The place of the random numbers before it drew the order of that epoch. */
  readonly rng: StreamPlace;
}

/**
 * Batches of a data set, for `for await` (which prepares the next ones while the device works, and waits for samples that come
 * as promises) and for a plain `for` (whose tensors belong to the scope in which a batch is asked for). Each loop is one epoch,
 * unless it was restored in the middle of one; `epochs` goes on. One loop runs at a time: `state` is that of the last begun.
 * @example
 * const loader = new DataLoader(digits, { batchSize: 64, shuffle: true, rng: new Rng(7) });
 * for await (const { image, label } of loader) {
 *   const loss = await scope(() => step(image, label).item());
 * }
 */
export class DataLoader<S, T = S, B = Batch<T>> implements Iterable<B>, AsyncIterable<B> {
  /** What it was made with. */
  readonly dataset: Dataset<S> | StreamDataset<S>;
  /** Samples in a batch. */
  readonly batchSize: number;
  /** Draws the orders. */
  readonly rng: Rng;
  readonly #options: DataLoaderOptions<S, T, B>;
  #epoch = 0;
  #batch = 0;
  /** The place of the random numbers before the order of the epoch under way was drawn. */
  #begun: DataLoaderState['rng'];
  #restored = false;
  /** Tells the last loop from those before it. */
  #loop: object | undefined;

  /**
   * @param dataset samples by index, an array of samples, or a stream
   * @throws RangeError for a batchSize or prefetch that is no whole number, or dropLast with fewer samples than a batch;
   * TypeError for options that do not go with the data set
   */
  constructor(
    dataset: Dataset<S> | readonly S[] | NumberArray | StreamDataset<S>,
    options: DataLoaderOptions<S, T, B> = {},
  ) {
    checked('DataLoader', options, [
      ...(['batchSize', 'shuffle', 'rng', 'dropLast', 'transform', 'collate', 'prefetch', 'device'] as const),
      'keepBatches',
    ]);
    const { batchSize = 1, shuffle = false, prefetch = 2, rng = new Rng(0), transform } = options;
    checkRange('DataLoader', 'batchSize', ranges.count, batchSize);
    checkRange('DataLoader', 'prefetch', ranges.whole(0), prefetch);
    this.dataset = asDataset(dataset);
    if (!hasIndex(this.dataset)) {
      if (shuffle) {
        throw new TypeError('DataLoader: a stream has no order to shuffle; shuffle where it comes from, or index it');
      }
    } else {
      const n = this.dataset.length;
      if (options.dropLast && n < batchSize) {
        throw new RangeError(`DataLoader: a batch of ${batchSize} needs as many samples, and there are ${n}`);
      }
      if (this.dataset.getBatch && (transform || options.collate)) {
        throw new TypeError(
          'DataLoader: this data set makes whole batches; transform and collate are for single samples: change batches in the loop',
        );
      }
    }
    this.#options = options;
    this.batchSize = batchSize;
    this.rng = rng;
    this.#begun = { seed: rng.seed, offset: rng.offset };
  }

  /** Batches in an epoch; undefined for a stream. */
  get length(): number | undefined {
    if (!hasIndex(this.dataset)) return undefined;
    const batches = this.dataset.length / this.batchSize;
    return this.#options.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** The loader's place now: what {@link loadStateDict} goes on from, batches that were got ready ahead included. */
  stateDict(): DataLoaderState {
    const { rng } = this;
    const now = { seed: rng.seed, offset: rng.offset };
    return { epoch: this.#epoch, batch: this.#batch, rng: this.#batch > 0 ? this.#begun : now };
  }

  /**
   * Goes to where another loader of the same data and options was: the next loop hands out the rest of that epoch. A stream is
   * read from its beginning up to there. A loop under way is not moved.
   * @throws TypeError or RangeError for what is no such state, or one of more batches than there are; nothing is changed then
   */
  loadStateDict(state: DataLoaderState): void {
    const { epoch, batch, rng } = checked('DataLoader.loadStateDict', state, ['epoch', 'batch', 'rng']);
    const { length = Number.MAX_SAFE_INTEGER } = this;
    checkRange('DataLoader.loadStateDict', 'epoch', ranges.whole(0), epoch);
    checkRange('DataLoader.loadStateDict', 'batch', ranges.whole(0, length), batch);
    this.rng.loadStateDict(checked('DataLoader.loadStateDict', rng, ['seed', 'offset']));
    this.#begun = { seed: [rng.seed[0], rng.seed[1]], offset: rng.offset };
    this.#epoch = epoch;
    this.#batch = batch;
    this.#restored = batch > 0;
    this.#loop = undefined;
  }

  /** One epoch, or the rest of one. @throws TypeError where a sample is a promise, DataLoaderError for a sample that fails */
  [Symbol.iterator](): Iterator<B, void, undefined> {
    return this.epochs(1)[Symbol.iterator]();
  }

  /** One epoch, or the rest of one. Leaving the loop stops what is under way; it rejects with DataLoaderError for a sample that fails. */
  [Symbol.asyncIterator](): AsyncIterator<B, void, undefined> {
    return this.epochs(1)[Symbol.asyncIterator]();
  }

  /** `n` epochs one after another, for either loop; without end unless given. @throws RangeError in the loop if an epoch is empty */
  epochs(n = Number.POSITIVE_INFINITY): Iterable<B> & AsyncIterable<B> {
    const sync = () => this.#run(n);
    const async = () => this.#runAsync(n);
    return { [Symbol.iterator]: sync, [Symbol.asyncIterator]: async } as Iterable<B> & AsyncIterable<B>;
  }

  *#run(n: number): globalThis.Generator<B, void, undefined> {
    for (let i = 0; i < n; i++) {
      const { source, handOut, end } = this.#begin();
      try {
        for (;;) {
          const made = source.start();
          if (isPromise(made)) {
            made.catch(() => {});
            throw new TypeError('DataLoader: samples come as promises; loop with `for await`');
          }
          if (!made) break;
          const batch = this.#make(made);
          handOut();
          yield batch;
        }
      } finally {
        source.stop();
      }
      end(n);
    }
  }

  async *#runAsync(n: number): AsyncGenerator<B, void, undefined> {
    const { prefetch = 2, keepBatches = false } = this.#options;
    for (let i = 0; i < n; i++) {
      const { source, handOut, end } = this.#begin();
      for await (const made of prefetched(source, prefetch)) {
        const batch = this.#make(made);
        handOut();
        try {
          yield batch;
        } finally {
          if (!keepBatches) for (const t of tensorsIn(batch)) t.dispose();
        }
      }
      end(n);
    }
  }

  #make(made: Make<B>): B {
    const { device } = this.#options;
    return device ? withDevice(device, () => scope(made)) : scope(made);
  }

  /** Begins an epoch, or goes on with a restored one. */
  #begin(): { source: Source<B>; handOut: () => void; end: (epochs: number) => void } {
    const { dataset, rng } = this;
    const options = this.#options;
    const skip = this.#restored ? this.#batch : 0;
    // A loop that was left early has had its epoch.
    if (!this.#restored && this.#batch > 0) this.#epoch++;
    this.#batch = skip;
    this.#restored = false;
    this.#begun = { seed: rng.seed, offset: rng.offset };
    const own = {};
    this.#loop = own;
    const steps: Steps<S, T, B> = {
      batchSize: this.batchSize,
      dropLast: options.dropLast ?? false,
      transform: options.transform,
      collate: options.collate ?? (collate as unknown as (samples: readonly T[]) => B),
    };
    let handedOut = skip;
    return {
      source: this.#sourceOf(dataset, skip, steps),
      handOut: () => {
        handedOut++;
        if (this.#loop === own) this.#batch = handedOut;
      },
      end: (epochs) => {
        if (handedOut === 0 && epochs === Number.POSITIVE_INFINITY) {
          throw new RangeError('DataLoader: the data set is empty, and epochs() would look for a batch for ever');
        }
        if (this.#loop !== own) return;
        this.#epoch++;
        this.#batch = 0;
      },
    };
  }

  #sourceOf(dataset: Dataset<S> | StreamDataset<S>, skip: number, steps: Steps<S, T, B>): Source<B> {
    if (!hasIndex(dataset))
      return streamed(typeof dataset === 'function' ? dataset(this.#epoch) : dataset, skip, steps);
    const order = this.#options.shuffle ? this.rng.hostPermutation(dataset.length) : undefined;
    return indexed(dataset, order, skip, steps);
  }
}

const hasIndex = <S>(d: Dataset<S> | StreamDataset<S>): d is Dataset<S> => 'get' in d && 'length' in d;

function asDataset<S>(d: Dataset<S> | readonly S[] | NumberArray | StreamDataset<S>): Dataset<S> | StreamDataset<S> {
  if (!Array.isArray(d) && !ArrayBuffer.isView(d)) return d as Dataset<S> | StreamDataset<S>;
  const list = d as unknown as readonly S[];
  return { length: list.length, get: (i) => list[i]! };
}

/** All tensors in a batch, however it is nested. */
function tensorsIn(batch: unknown): Tensor[] {
  if (batch instanceof Tensor) return [batch];
  if (Array.isArray(batch)) return batch.flatMap(tensorsIn);
  const isPlain = typeof batch === 'object' && batch !== null && Object.getPrototypeOf(batch) === Object.prototype;
  return isPlain ? Object.values(batch).flatMap(tensorsIn) : [];
}
