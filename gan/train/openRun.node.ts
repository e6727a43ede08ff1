import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadCheckpoint } from '../../nn/index.node.ts';
import { openSampleSet } from '../data/datasets.node.ts';
import type { SampleSet } from '../data/sampleSet.ts';
import type { Networks } from '../models/networks.ts';
import { ganOf } from './assemble.ts';
import type { TrainConfig } from './config.ts';
import { readConfig } from './configFile.node.ts';
import { CHECKPOINT, type CheckpointMeta } from './runFiles.ts';

/** A run that was trained, to sample from. */
export interface OpenedRun {
  /** Of the run folder. */
  readonly path: string;
  /** What it was asked for. */
  readonly config: Readonly<TrainConfig>;
  /** Of one sample. */
  readonly shape: readonly number[];
  /** Steps behind the weights. */
  readonly step: number;
  /** With the averaged weights, if the run keeps an average. */
  readonly networks: Networks;
  /** The data set that it was trained on. */
  readonly openData: () => Promise<SampleSet>;
  /** Frees the networks. */
  dispose(): void;
}

/**
 * Opens a run on the current device.
 * @param path a run folder, or the checkpoint in one
 * @throws Error naming the file that is missing or broken
 */
export async function openRun(path: string): Promise<OpenedRun> {
  const { config, folder, about } = await readConfig(path);
  const { shape } = about;
  const checkpoint = join(folder, CHECKPOINT);
  if (!existsSync(checkpoint)) {
    throw new Error(`${folder} has no ${CHECKPOINT} yet: a run writes one with its first grid after the start`);
  }
  const gan = ganOf(config, shape);
  const { networks, ema } = gan;
  const { generator, critic } = networks;
  const { metadata } = await loadCheckpoint(checkpoint, { generator, critic, ...(ema && { ema }) });
  ema?.copyTo(generator);
  gan.dispose();
  return {
    path: folder,
    config,
    shape,
    networks,
    step: (metadata as unknown as CheckpointMeta).step,
    openData: () => openSampleSet(config.data, config.dataOptions),
    dispose() {
      generator.dispose();
      critic.dispose();
    },
  };
}
