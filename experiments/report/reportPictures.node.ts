import type { ByteImage } from '../../gan/pictures/grid.ts';
import { tileImages } from '../../gan/pictures/grid.ts';
import { plot } from '../../gan/pictures/plot.ts';
import type { PlotPanel } from '../../gan/pictures/plotTypes.ts';
import { labelPictures, pngOf } from '../pictures.node.ts';
import { constraintNames, type Subject, type SubjectResults } from './reportResults.ts';
import { constraints, type ReportSettings } from './reportRun.ts';

/** Loss curves as `losses.svg`, and for each subject the samples of every kept epoch as a PNG of its name. */
export async function reportPictures(
  subjects: readonly Subject[],
  results: readonly SubjectResults[],
  settings: ReportSettings,
): Promise<Record<string, string | Uint8Array>> {
  const { images, batch, criticSteps } = settings;
  const pictures: Record<string, string | Uint8Array> = {
    'losses.svg': plot({
      title: 'Losses of the Wasserstein GANs',
      subtitle: `${images.toLocaleString('en-GB')} images, batches of ${batch}, ${criticSteps} critic steps for each generator step`,
      panels: subjects.flatMap((subject, i) =>
        constraintNames.map((name) => losses(subject, results[i]!, name, settings)),
      ),
      columns: 2,
    }),
  };
  for (const [i, subject] of subjects.entries()) {
    pictures[`${subject.name}.png`] = await grids(subject, results[i]!, settings);
  }
  return pictures;
}

function losses(
  { title, set }: Subject,
  results: SubjectResults,
  name: (typeof constraintNames)[number],
  { images, batch }: ReportSettings,
): PlotPanel {
  const perEpoch = Math.floor(Math.min(images, set.train.count) / batch);
  const { rows } = results[name];
  // No more points than the picture has room for.
  const every = Math.max(1, Math.floor(rows.length / 300));
  const curve = (key: string) =>
    rows.filter((_, i) => i % every === 0).map((row) => [row.step! / perEpoch, row[key]!] as const);
  const smooth = 0.03;
  return {
    title: `${title}, ${constraints[name].title}`,
    x: { label: 'epochs', min: 0 },
    y: { label: 'loss (critic units)' },
    series: [
      { kind: 'line', label: 'critic', points: curve('criticLoss'), smooth },
      { kind: 'line', label: 'generator', points: curve('generatorLoss'), smooth },
      // Without a penalty it is minus the critic's loss.
      ...(rows[0]!.penalty === undefined
        ? []
        : [{ kind: 'line', label: 'Wasserstein estimate', points: curve('wasserstein'), smooth } as const]),
    ],
  };
}

/** A row for each constraint, a column for each kept epoch. */
function grids({ set }: Subject, results: SubjectResults, { shown, epochs }: ReportSettings): Promise<Uint8Array> {
  const tiles = constraintNames.flatMap((name) =>
    results[name].grids.map(
      (pixels): ByteImage =>
        tileImages(Float32Array.from(pixels), [shown, ...set.shape], { range: [0, 255], padding: 1 }),
    ),
  );
  return pngOf(
    labelPictures(tiles, {
      columns: epochs.length,
      padding: 8,
      columnLabels: epochs.map((epoch) => `epoch ${epoch}`),
      rowLabels: constraintNames.map((name) => constraints[name].title),
    }),
    16,
  );
}
