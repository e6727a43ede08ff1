import type { DataSource } from '../../gan/data/dataSource.ts';
import type { Streams, System } from '../../gan/system.ts';
import type { RunConfig } from '../../gan/systems/table.ts';
import type { CheckpointParts } from '../../nn/index.ts';
import type { RunAbout } from './configFile.node.ts';
import type { RunFolder } from './folder.node.ts';
import type { CheckpointMeta } from './runFiles.ts';

/** A run that is about to begin, or to go on. */
export interface Job {
  readonly config: RunConfig;
  readonly set: DataSource;
  readonly system: System;
  readonly streams: Streams;
  /** Everything that training changes: what a checkpoint holds. */
  readonly parts: CheckpointParts;
  readonly run: RunFolder;
  readonly about: RunAbout;
  /** The device's name. */
  readonly adapter: string;
  readonly say: (text: string) => void;
  readonly quiet: boolean;
  /** Whether the run goes on in a folder that there was before. */
  readonly resumed: boolean;
  /** What is kept beside the tensors in the checkpoint from which the run goes on. */
  readonly meta?: CheckpointMeta;
  readonly signal?: AbortSignal;
}
