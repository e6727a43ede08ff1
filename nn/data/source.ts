/** One epoch's batches, begun one after another: by index, or out of a stream. */
import type { Dataset } from './dataset.ts';

/** What went wrong with a sample, in `cause`, and with which. */
export class DataLoaderError extends Error {
  /** The name of the class. */
  override readonly name = 'DataLoaderError';
  /** The index of the sample in the data set; in a stream, how many came before it. */
  readonly index: number;
  /** The number of the batch in its epoch, from 0. */
  readonly batch: number;

  /** Made by a loader. @param cause what `get`, the stream or `transform` threw */
  constructor(index: number, batch: number, cause: unknown) {
    const what = cause instanceof Error ? cause.message : String(cause);
    super(`DataLoader: sample ${index}, of batch ${batch}: ${what}`, { cause });
    this.index = index;
    this.batch = batch;
  }
}

/** Makes the tensors of a batch whose samples are there. */
export type Make<B> = () => B;

/** A batch under way; undefined where there is none. */
export type Made<B> = Make<B> | undefined | Promise<Make<B> | undefined>;

/** An epoch. */
export interface Source<B> {
  /** Begins to get the next batch; undefined at the end. */
  start(): Made<B>;
  /** No more batches are wanted. */
  stop(): unknown;
}

/** What is done with samples. */
export interface Steps<S, T, B> {
  readonly batchSize: number;
  readonly dropLast: boolean;
  readonly transform: ((sample: S, index: number) => T | PromiseLike<T>) | undefined;
  readonly collate: (samples: readonly T[]) => B;
}

export const isPromise = <T>(v: T | PromiseLike<T>): v is Promise<T> =>
  typeof v === 'object' && v !== null && 'then' in v && typeof v.then === 'function';

/** `fn()`, and what it throws or is rejected with as the error of a sample. */
function attempt<T>(index: number, batch: number, fn: () => T | PromiseLike<T>): T | Promise<T> {
  const wrong = (cause: unknown): never => {
    throw new DataLoaderError(index, batch, cause);
  };
  try {
    const result = fn();
    if (!isPromise(result)) return result as T;
    const settled: Promise<T> = Promise.resolve(result).catch(wrong);
    // It is waited for together with others, and one that fails first must not leave this one unhandled.
    settled.catch(() => {});
    return settled;
  } catch (cause) {
    return wrong(cause);
  }
}

const transformed = <S, T>({ transform }: Steps<S, T, unknown>, sample: S, index: number): T | PromiseLike<T> =>
  transform ? transform(sample, index) : (sample as unknown as T);

function all<T>(results: readonly (T | Promise<T>)[]): readonly T[] | Promise<readonly T[]> {
  return results.some(isPromise) ? Promise.all(results) : (results as readonly T[]);
}

const then = <T, U>(v: T | Promise<T>, fn: (v: T) => U): U | Promise<U> => (isPromise(v) ? v.then(fn) : fn(v as T));

/** Samples of a data set, in an order if there is one, all those of a batch asked for at once. */
export function indexed<S, T, B>(
  data: Dataset<S>,
  order: ArrayLike<number> | undefined,
  skip: number,
  steps: Steps<S, T, B>,
): Source<B> {
  const { batchSize, dropLast, collate } = steps;
  let next = skip;
  const sample = (index: number, batch: number) =>
    attempt(index, batch, () => {
      const s = data.get(index);
      return isPromise(s) ? s.then((v) => transformed(steps, v, index)) : transformed(steps, s as S, index);
    });
  return {
    start() {
      const batch = next++;
      const first = batch * batchSize;
      const n = Math.min(batchSize, data.length - first);
      if (n <= 0 || (dropLast && n < batchSize)) return undefined;
      const indices = Array.from({ length: n }, (_, k) => (order ? order[first + k]! : first + k));
      if (data.getBatch) return () => data.getBatch!(indices) as B;
      return then(all(indices.map((i) => sample(i, batch))), (samples) => () => collate(samples));
    },
    stop: () => {
      next = Number.POSITIVE_INFINITY;
    },
  };
}

/** Samples as they come; transforms of a batch run beside one another. Batches before `skip` are read and dropped. */
export function streamed<S, T, B>(
  iterable: Iterable<S> | AsyncIterable<S>,
  skip: number,
  steps: Steps<S, T, B>,
): Source<B> {
  const { batchSize, dropLast, collate } = steps;
  const iterator =
    Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : (iterable as Iterable<S>)[Symbol.iterator]();
  let [count, batch, ended] = [0, skip, false];

  /** Reads on until there are `n` samples, or no more. */
  const read = (n: number, into: (sample: S, index: number) => void): undefined | Promise<undefined> => {
    for (let left = n; left > 0 && !ended; left--) {
      const result = attempt(count, Math.floor(count / batchSize), () => iterator.next());
      const note = (r: IteratorResult<S>): void => {
        if (r.done) ended = true;
        else into(r.value, count++);
      };
      if (isPromise(result)) {
        return result.then((r) => {
          note(r);
          return read(left - 1, into);
        });
      }
      note(result);
    }
    return undefined;
  };

  // A stream has one reader: a batch is read when the one before it was.
  let before = read(skip * batchSize, () => {});
  return {
    start() {
      const own = batch++;
      const found: (T | Promise<T>)[] = [];
      const add = (s: S, index: number) => void found.push(attempt(index, own, () => transformed(steps, s, index)));
      const reading = before ? before.then(() => read(batchSize, add)) : read(batchSize, add);
      before = reading;
      return then<undefined, Made<B>>(reading, () => {
        if (found.length === 0 || (dropLast && found.length < batchSize)) return undefined;
        return then(all(found), (samples) => () => collate(samples));
      }) as Made<B>;
    },
    stop() {
      const over = ended;
      ended = true;
      return over ? undefined : iterator.return?.();
    },
  };
}
