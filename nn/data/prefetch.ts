import type { Make, Source } from './source.ts';

/**
 * The batches of a source, of which at most `ahead` (1, if that is 0) are under way or ready at any time. What fails is thrown
 * when its batch is the next; leaving early stops the source.
 */
export async function* prefetched<B>(source: Source<B>, ahead: number): AsyncGenerator<Make<B>, void, undefined> {
  const queue: Promise<Make<B> | undefined>[] = [];
  let later: ReturnType<typeof setTimeout> | undefined;
  const fill = (n: number): void => {
    while (queue.length < n) {
      const batch = (async () => source.start())();
      // Reported when it is the next; an error that comes sooner must not stay unhandled.
      batch.catch(() => {});
      queue.push(batch);
    }
  };
  try {
    for (;;) {
      clearTimeout(later);
      fill(Math.max(1, ahead));
      const make = await queue[0]!;
      queue.shift();
      if (!make) return;
      // Not at once: first the caller hands its work to the device.
      if (ahead > 0) later = setTimeout(fill, 0, ahead);
      yield make;
    }
  } finally {
    clearTimeout(later);
    await source.stop();
  }
}
