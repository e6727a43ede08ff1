/** Runs that are limited by time: how many steps they are, and when they end. */
import { linearDecay, train } from '../../gan/train.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../nn/index.ts';
import type { Job } from './job.ts';

/** What a run that is limited by time keeps for its last measurements and pictures, as a share of it. */
export const RESERVE = 0.03;

/** A run that is limited by time finds its number of steps in this share of it, and at least so many seconds. */
const TRIAL = { share: 0.03, seconds: 3 };

/**
 * Trains for a moment, to tell how many steps fit into the time, and goes back to where it was: the run has the numbers of one
 * that is given these steps.
 * @returns the number of steps of the whole run
 */
export async function stepsInTime(
  limit: number,
  { system, streams, parts, config }: Job,
  step: number,
  seconds: () => number,
  signal: AbortSignal,
): Promise<number> {
  const kept = await encodeCheckpoint(parts);
  const enough = new AbortController();
  let [from, since, last] = [step, seconds(), step];
  const options = { until: Number.POSITIVE_INFINITY, from: step, rates: linearDecay(config.rateDecay) };
  for await (const row of train(system, streams, { ...options, signal: AbortSignal.any([signal, enough.signal]) })) {
    last = row.step!;
    if (last === step + 2) [from, since] = [last, seconds()]; // shaders were compiled before
    const trial = Math.max(TRIAL.seconds, limit * TRIAL.share);
    if (last > step + 2 && seconds() >= Math.min(since + trial, limit)) enough.abort();
  }
  const rate = (last - from) / (seconds() - since);
  await decodeCheckpoint(kept, parts);
  return step + Math.max(1, Math.floor(rate * (limit * (1 - 2 * RESERVE) - seconds())));
}

/** What stops a run after so many seconds. */
export function timeLimit(seconds: number): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), Math.max(0, seconds) * 1000).unref();
  return controller.signal;
}
