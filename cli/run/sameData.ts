import type { DataSource } from '../../gan/data/dataSource.ts';
import type { CheckpointMeta } from './runFiles.ts';

/** Why a folder that nobody has touched may have other samples than when its run began. */
const OLDER =
  ' (an older wgrad counted them, which read no GIF, TIFF and AVIF, fewer names of split folders, and kept copies of held-out images)';

/**
 * What sets a data set apart from the one that a run learnt from, in words that follow its title; undefined where nothing does. Runs
 * from before there were fingerprints are compared by counts and shape alone.
 * @param shape of one sample of the run's
 */
export function dataDifference(
  set: DataSource,
  { samples, data }: Pick<CheckpointMeta, 'samples' | 'data'>,
  shape: readonly number[],
): string | undefined {
  if (String(set.shape) !== String(shape)) return `has samples [${set.shape}] now and had [${shape}]`;
  if (set.train.count !== samples) {
    const why = data === undefined && set.name === 'folder' ? OLDER : '';
    return `has ${set.train.count} training samples now and had ${samples}${why}`;
  }
  if (data !== undefined && set.fingerprint !== undefined && set.fingerprint !== data)
    return `has as many training samples as it had, but they, their classes or the held-out ones are not the same`;
  return undefined;
}
