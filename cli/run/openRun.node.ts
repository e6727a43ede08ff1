import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checked } from '../../engine/internal.ts';
import type { DataSource } from '../../gan/data/dataSource.ts';
import { openData } from '../../gan/data/datasets.node.ts';
import type { Networks } from '../../gan/networks/networks.ts';
import { disposeSystem, partsOf, type System } from '../../gan/system.ts';
import { Gan } from '../../gan/systems/adversarial.ts';
import { createSystem, type RunConfig } from '../../gan/systems/table.ts';
import { loadCheckpoint } from '../../nn/index.node.ts';
import { terminal } from '../terminal/terminal.node.ts';
import { movedTo, readConfig } from './configFile.node.ts';
import { checkMeta } from './goOn.node.ts';
import { CHECKPOINT } from './runFiles.ts';
import { dataDifference } from './sameData.ts';

const openRunOptions = ['dataFolder', 'onWarning'] as const;

/** A run that was trained, to sample from. */
export interface OpenedRun {
  /** The path of the run folder. */
  readonly path: string;
  /** The configuration of the run. */
  readonly config: RunConfig;
  /** The shape of one sample. */
  readonly shape: readonly number[];
  /** Steps behind the weights. */
  readonly step: number;
  /** The trained system. Averaged weights, where it keeps any, are in the place of the last ones. */
  readonly system: System;
  /** The networks of a system that makes samples of codes alone; undefined for the others. */
  readonly networks: Networks | undefined;
  /** The same system with its first weights, which the caller frees. */
  readonly untrained: () => System;
  /** The data set that it was trained on. */
  readonly openData: () => Promise<DataSource>;
  /** Frees the system. */
  dispose(): void;
}

/** Options of {@link openRun}. */
export interface OpenRunOptions {
  /** Where the data lie now, if not where they lay when the run began. They must be the same. */
  readonly dataFolder?: string;
  /** Gets a line about data that are not as they were, or not as they seem. Default: standard error. */
  readonly onWarning?: (line: string) => void;
}

/**
 * Opens a run on the current device.
 * @param path a run folder, or the checkpoint in one
 * @throws Error naming the file that is missing or broken; of `openData` also for data in `dataFolder` that the run did not learn from
 */
export async function openRun(path: string, options: OpenRunOptions = {}): Promise<OpenedRun> {
  const { dataFolder, onWarning = (line: string) => terminal.err.line(`wgrad: ${line}`) } = checked(
    'openRun',
    options,
    openRunOptions,
  );
  const { config, folder, about } = await readConfig(path);
  const { shape } = about;
  const checkpoint = join(folder, CHECKPOINT);
  if (!existsSync(checkpoint)) {
    throw new Error(`${folder} has no ${CHECKPOINT} yet: a run writes one with its first grid after the start`);
  }
  const make = () => createSystem(config, { shape, classes: about.classes ?? [] });
  const system = make();
  const loaded = await loadCheckpoint(checkpoint, partsOf(system));
  const meta = checkMeta(checkpoint, loaded.metadata);
  for (const player of Object.values(system.players)) player.settle();
  return {
    path: folder,
    config,
    shape,
    system,
    networks: system instanceof Gan ? system.networks : undefined,
    untrained: make,
    step: meta.step,
    async openData() {
      const set = await openData(config.data, {
        ...movedTo(config, { folder: dataFolder }),
        ...(config.data === 'folder' && { onWarning }),
      });
      const difference = dataDifference(set, meta, shape);
      if (difference && dataFolder !== undefined) {
        throw new Error(`${dataFolder} is not what the run learnt from: ${set.title} ${difference}`);
      }
      if (difference) onWarning(`${set.title} ${difference}: scores and pictures are of what there is now`);
      return set;
    },
    dispose() {
      disposeSystem(system);
    },
  };
}
