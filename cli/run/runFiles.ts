/** The names of the files in a run folder, beside its logs. */

/** What training goes on from. */
export const CHECKPOINT = 'checkpoint.safetensors';

/** What the run is; see `RunConfig`. */
export const CONFIG = 'config.json';

/** How the run stands; see {@link RunStatus}. */
export const STATUS = 'state.json';

/** The grid of a step. */
export const gridName = (step: number): string => `samples-${String(step).padStart(6, '0')}.png`;

/** The file of a table that a run's system shows. */
export const tableName = (name: string): string => `table-${name}.json`;

/** How a run stands. A run that was killed says 'running'. */
export interface RunStatus {
  readonly state: 'running' | 'finished' | 'stopped' | 'diverged';
  /** Steps done. */
  readonly step: number;
  /** Steps that it is to do; null while a run that is limited by time does not know yet. */
  readonly steps: number | null;
  /** Seconds of training so far. */
  readonly seconds: number;
  /** The step of the last checkpoint; null before the first. */
  readonly saved: number | null;
  /** Why it stopped, if it did not finish. */
  readonly reason?: string;
}

/** What a checkpoint's metadata say of the run. */
export interface CheckpointMeta {
  readonly step: number;
  readonly seconds: number;
  /** How many there were to learn from. */
  readonly samples: number;
  /** The fingerprint of the data set, where it has one. */
  readonly data?: string;
  /** The scores before the first step. */
  readonly before: Readonly<Record<string, number>>;
}
