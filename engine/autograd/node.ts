import { aFunction, guarded } from '../arguments/arguments.ts';
import type { Buffer } from '../device.ts';
import { refusePromise } from '../errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { AnyRow } from './row.ts';

/** One op on the tape. Plain data: no closures; the row says how to differentiate it. */
export interface Node {
  /** Grows by one with each recorded op, so that ids order the tape. */
  readonly id: number;
  readonly row: AnyRow;
  readonly params: unknown;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** The op whose derivative rule made this one: its node's id and name. */
  readonly from?: { readonly id: number; readonly op: string } | undefined;
  /**
   * What inputs, then outputs, held when the op ran: values overwritten or moved since then are an error in backward.
   */
  readonly saved: readonly SavedValue[];
  /**
   * Set when a backward pass without `retainGraph` used the node up: the tape still shows it, but no scope keeps its
   * values.
   */
  freed: boolean;
}

/** Where a tensor's values lay, and how often that buffer had been written. */
export interface SavedValue {
  readonly buffer: Buffer;
  readonly version: number;
}

let nextId = 1;
export const newNodeId = (): number => nextId++;

/** The id that the next recorded op will get. */
export const upcomingNodeId = (): number => nextId;

let recording = true;

/** Whether ops on tensors that require gradients are put on the tape. */
export const isRecording = (): boolean => recording;

function withRecording<T>(on: boolean, fn: () => T): T {
  const before = recording;
  recording = on;
  try {
    return refusePromise(on ? 'enableGrad' : 'noGrad', fn());
  } finally {
    recording = before;
  }
}

/**
 * Runs `fn` without recording, as torch.no_grad: results do not require gradients.
 * @throws TypeError if `fn` is async
 * @function
 */
export const noGrad = guarded('noGrad', [aFunction('fn')], <T>(fn: () => T): T => withRecording(false, fn));

/** Runs `fn` with recording on, also inside {@link noGrad}. @throws TypeError if `fn` is async @function */
export const enableGrad = guarded('enableGrad', [aFunction('fn')], <T>(fn: () => T): T => withRecording(true, fn));
