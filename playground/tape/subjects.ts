/** What the tape panel can show, and the data of it: plain, so that page and worker share it. */

/** What can be differentiated in the panel, and what it is called there. */
export const subjects = {
  cube: 'x · x · x at 3',
  slope: 'its derivative, 3x²',
  bend: 'its second derivative, 6x',
  penalty: 'penalty (‖∇f‖ − 1)² of f = (x·w)²',
  chain: 'two layers: relu(x A) B, summed',
  critic: "the critic's loss, of this training",
  generator: "the generator's loss, of this training",
} as const;

/** The name of something that can be shown. */
export type Subject = keyof typeof subjects;

/** The shape of a tensor and its first values. */
export interface Numbers {
  /** The lengths of its axes. */
  readonly shape: readonly number[];
  /** Its first values, at most {@link FIRST}. */
  readonly first: readonly number[];
}

/** Values that are sent of each tensor. */
export const FIRST = 6;

/** The size of a box in the picture, in pixels. */
export const BOX = { width: 170, height: 46 } as const;

/** A leaf or an op on the tape, with its place in the picture. */
export interface GraphNode {
  /** Its number on the tape, from 1. */
  readonly id: number;
  /** The op as it is written, or what a leaf is called. */
  readonly name: string;
  /** The op's own name; undefined for a leaf. */
  readonly op: string | undefined;
  /** The op's parameters as text. */
  readonly params: string;
  /** The entries that it reads. */
  readonly inputs: readonly number[];
  /** Whether it is a leaf whose gradient is asked for: a parameter, or x. */
  readonly parameter: boolean;
  /** What it is the derivative of, if a backward pass inside the loss made it: the second order. */
  readonly from: { readonly op: string; readonly id?: number } | undefined;
  /** Its value; undefined where it was freed, since no backward pass needs it. */
  readonly value: Numbers | undefined;
  /** Its shape. */
  readonly shape: readonly number[];
  /** The middle of its box, in pixels. */
  readonly x: number;
  readonly y: number;
}

/** One op of the backward pass. */
export interface BackwardStep {
  /** The entry that is differentiated. */
  readonly id: number;
  /** Its cotangent. */
  readonly incoming: Numbers | undefined;
  /** What is added to the cotangents of its inputs. */
  readonly outgoing: readonly { readonly id: number; readonly cotangent: Numbers }[];
  /** How the op does that, in words. */
  readonly rule: string;
}

/** A scalar's tape, its backward pass, and the picture of both. */
export interface Recording {
  readonly subject: Subject;
  /** The step of the training whose weights these are. */
  readonly step: number;
  readonly nodes: readonly GraphNode[];
  readonly steps: readonly BackwardStep[];
  /** The gradient of each parameter, as `grad` gives it. */
  readonly gradients: readonly { readonly id: number; readonly gradient: Numbers }[];
  /** The size of the picture in pixels. */
  readonly width: number;
  readonly height: number;
}
