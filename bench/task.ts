/** What the libraries are asked to do, in terms that belong to none of them, and what comes out. */
import type { Roofs } from '../engine/index.ts';

export const LIBRARIES = ['wgrad', 'tfjs', 'jaxjs'] as const;
export type Library = (typeof LIBRARIES)[number];

export const SUITES = ['ops', 'train', 'overhead'] as const;
export type Suite = (typeof SUITES)[number];

export type Shape = readonly number[];

/**
 * What the axes of an operand mean. Images are [N,H,W,C] and kernels [KH,KW,in,out] here; a library that wants them
 * otherwise turns them before anything is timed.
 */
export type Layout = 'plain' | 'images' | 'kernel';

export interface Operand {
  readonly shape: Shape;
  readonly layout: Layout;
}

/** Options of ops; each reads its own. */
export interface OpParams {
  readonly stride?: number;
  readonly padding?: number;
  /** Of convInput: the image's [H, W]; of convWeight: the kernel's [KH, KW]. */
  readonly size?: readonly [number, number];
  /** Of sum. */
  readonly axes?: readonly number[];
}

export const OPS = [
  ...(['matmul', 'conv2d', 'convInput', 'convWeight', 'convTranspose2d'] as const),
  ...(['batchNorm', 'batchNormGrad', 'layerNorm', 'softmax', 'attention', 'sum', 'elementwise'] as const),
] as const;
export type OpName = (typeof OPS)[number];

/** One function of tensors, with standard normal inputs. */
export interface OpTask {
  readonly kind: 'op';
  readonly op: OpName;
  readonly inputs: readonly Operand[];
  /** Of each output. */
  readonly outputs: readonly Layout[];
  readonly params: OpParams;
}

/** One step of Adam on parameters of these shapes, always with the same gradients. */
export interface AdamTask {
  readonly kind: 'adam';
  readonly shapes: readonly Shape[];
}

/** x + y + y + ... or x y y ..., one op at a time. */
export interface ChainTask {
  readonly kind: 'chain';
  readonly op: 'add' | 'matmul';
  readonly length: number;
  /** Of x and of y. */
  readonly shape: Shape;
  readonly mode: Mode;
}

/** `eager`: op by op as the program runs. `replayed`: a step that the library recorded or compiled before. */
export type Mode = 'eager' | 'replayed';

export type Image = readonly [height: number, width: number, channels: number];

export type Layer =
  | {
      readonly kind: 'dense';
      readonly in: number;
      readonly out: number;
      readonly bias: boolean;
      /** The image that was flattened into this layer, or into which its output is shaped. */
      readonly inImage?: Image;
      readonly outImage?: Image;
    }
  | {
      readonly kind: 'conv' | 'convTranspose';
      readonly in: number;
      readonly out: number;
      /** Of the square kernel. */
      readonly size: number;
      readonly stride: number;
      readonly padding: number;
      readonly bias: boolean;
    }
  | { readonly kind: 'batchNorm'; readonly channels: number }
  /** leakyRelu has slope 0.2. */
  | { readonly kind: 'relu' | 'leakyRelu' | 'tanh' | 'flatten' }
  | { readonly kind: 'reshape'; readonly image: Image };

/**
 * One update of a critic and one of a generator, with Adam. `wganGp`: Gulrajani et al. 2017. `dcgan`: the non-saturating
 * loss on logits.
 */
export interface TrainTask {
  readonly kind: 'train';
  readonly loss: 'wganGp' | 'dcgan';
  readonly critic: readonly Layer[];
  readonly generator: readonly Layer[];
  readonly batch: number;
  readonly latent: number;
  /** Of one sample. */
  readonly sample: Operand;
  readonly lr: number;
  readonly betas: readonly [number, number];
  /** Undefined: the library at its best. */
  readonly mode?: Mode;
}

export type Task = OpTask | AdamTask | ChainTask | TrainTask;

/** A row to be. */
export interface Case {
  readonly suite: Suite;
  readonly name: string;
  readonly shape: string;
  readonly task: Task;
  /** `total`: a call, work on the adapter included. `record`: JavaScript's share of it for each dispatch. */
  readonly measure: 'total' | 'record';
  /** Largest difference between two libraries' results, relative to the largest value. */
  readonly tolerance: number;
  /** Floating point operations of a call; compared with the FMA roof. */
  readonly flops?: number;
  /** Bytes that a call must read and write at least; compared with the copy roof. */
  readonly bytes?: number;
  /** Said in the row's note. */
  readonly note?: string;
  /** Part of `--quick`. */
  readonly quick?: boolean;
}

/** A library, opened on an adapter. */
export interface Peer {
  /** For each kind of task: loads data and builds the function. */
  readonly prepare: {
    readonly [K in Task['kind']]: (task: Extract<Task, { kind: K }>) => Prepared | Promise<Prepared>;
  };
  /** Hands everything recorded to the adapter. */
  flush(): void;
  /** Measures what the adapter can do at best; wgrad only. */
  roofs?(): Promise<Roofs>;
}

/** A library's function for a task. */
export const prepareWith = ({ prepare: by }: Peer, task: Task): Prepared | Promise<Prepared> =>
  (by[task.kind] as (task: Task) => Prepared | Promise<Prepared>)(task);

export interface Prepared {
  /** One call. Frees what it makes, and waits for nothing. */
  run(): void;
  /**
   * What a call returns, in the layouts of the task. Of a task with state (adam, train) what comes out of three calls.
   * Called before anything is timed, and the first to run the function.
   */
  results(): Promise<Float32Array[]>;
  dispose(): void;
}

/** One timed sample, by call. */
export interface Sample {
  readonly ms: number;
  /** Of the JavaScript thread, until all was handed over; 0 where that was not asked for. */
  readonly recordMs: number;
  readonly dispatches: number;
  /** How many calls it is of. */
  readonly calls: number;
  /** The steps in which the clock of `recordMs` moves, in milliseconds: of all calls together. */
  readonly grainMs: number;
}

/** What the first step of a fresh process took. */
export interface FirstStep {
  readonly ms: number;
  readonly peakBytes: number;
}
