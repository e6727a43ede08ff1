import { calls, decided, refusePromise } from '../../engine/internal.ts';

let tracking = true;

/**
 * Runs `fn` with layers in training mode leaving alone what they keep from batch to batch, as sampling should: running
 * averages of batch norm, vectors of spectral norm.
 * @throws TypeError if `fn` is async
 */
export function withoutTracking<T>(fn: () => T): T {
  calls.checkArguments('withoutTracking', [calls.aFunction('fn')], arguments);
  const before = isTracking();
  tracking = false;
  try {
    return refusePromise('withoutTracking', fn());
  } finally {
    tracking = before;
  }
}

/** Whether layers in training mode may move what they keep. @internal */
export const isTracking = (): boolean => decided(withoutTracking, () => tracking);
