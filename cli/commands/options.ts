/** What the commands of `wgrad` take, as their actions receive it: checked, with defaults filled in. */
import type { AdapterName } from '../../engine/index.ts';
import type { RunConfig, SystemName } from '../../gan/systems/table.ts';

/** Options of `wgrad train`. */
export interface TrainOptions {
  /** What is trained; of a run that goes on only if it was named, and then it must be the run's. */
  readonly system?: SystemName;
  /** What decides where nothing is given; the system's first preset unless given. */
  readonly preset?: string;
  /** What was asked for; the rest is the preset's. */
  readonly given: Partial<RunConfig>;
  /** A run that goes on, by its folder. */
  readonly resume?: string;
  /** Run folder, which must be empty or not exist; without it, `runs/<date-time>`. */
  readonly out?: string;
  readonly adapter?: AdapterName;
  /** Print nothing but errors. */
  readonly quiet: boolean;
  /** The whole command, for the run folder. */
  readonly command?: string;
}

/** Options of the commands that look at a trained run. */
export interface TrainedRunOptions {
  /** A run folder, or the checkpoint in one. */
  readonly run: string;
  /** Where the data lie, if they were moved since the run. */
  readonly dataFolder?: string;
  /** Draws the codes: code k of a seed is the k-th sample of its grid, from 0. Metrics draw by it, too. */
  readonly seed: number;
  readonly adapter?: AdapterName;
  /** Print nothing but errors. */
  readonly quiet: boolean;
}

/** Options of `wgrad evaluate`. */
export interface EvaluateCommandOptions extends TrainedRunOptions {
  /** Which metrics; all that suit the data set unless given. */
  readonly metrics?: readonly string[];
  /** Samples; 10,000 images or 2,500 points unless given. */
  readonly count?: number;
  /** Also measure real samples and noise. */
  readonly baselines: boolean;
  /** Print JSON for programs instead of text for people. */
  readonly json: boolean;
}

/** Options of `wgrad doctor`. */
export interface DoctorOptions {
  readonly adapter?: AdapterName;
  /** Print JSON for programs instead of text for people. */
  readonly json: boolean;
}
