import type { AnyRow } from './row.ts';
import type { Tensor } from './tensor.ts';

/** One op on the tape. Plain data: no closures; the row says how to differentiate it. */
export interface Node {
  /** Grows by one with each recorded op, so that ids order the tape. */
  readonly id: number;
  readonly row: AnyRow;
  readonly params: unknown;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** Buffer versions of inputs then outputs when the op ran: an in-place write since then is an error in backward. */
  readonly versions: readonly number[];
  /** Set when a backward pass without `retainGraph` used the node up: the tape still shows it, but no scope keeps its values. */
  freed: boolean;
}

let nextId = 1;
export const newNodeId = (): number => nextId++;

let recording = true;

/** Whether ops on tensors that require gradients are put on the tape. */
export const isRecording = (): boolean => recording;

function withRecording<T>(on: boolean, fn: () => T): T {
  const before = recording;
  recording = on;
  try {
    return fn();
  } finally {
    recording = before;
  }
}

/** Runs `fn` without recording: results do not require gradients. `fn` must not be async. */
export const noGrad = <T>(fn: () => T): T => withRecording(false, fn);

/** Runs `fn` with recording on, also inside `noGrad`. `fn` must not be async. */
export const enableGrad = <T>(fn: () => T): T => withRecording(true, fn);
