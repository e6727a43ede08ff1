import { Rng, sizeOf } from '../../engine/index.ts';
import { tileImages } from '../../gan/pictures/grid.ts';
import { plotCurves } from '../../gan/pictures/plot.node.ts';
import { encodePng } from '../../gan/pictures/png.node.ts';
import { boxOf, onPlane, pointsImage } from '../../gan/pictures/points.node.ts';
import type { SampleArray } from '../../gan/sampling/draw.ts';
import { streams } from '../../gan/streams.ts';
import type { StepRow } from '../../gan/train.ts';
import { writeReport } from '../pages/report.node.ts';
import { runPanels } from '../pages/runPanels.ts';
import { figureLines, snapshotFigures } from './figures.ts';
import { readJsonLines } from './folder.node.ts';
import { type CheckpointMeta, gridName } from './runFiles.ts';
import type { Job } from './train.node.ts';

/** Images in a grid. */
const GRID = 64;

/** The pictures and measurements of a run, from the same latent codes throughout. */
export interface Snapshots {
  /** The step of the last one. */
  shown: number | undefined;
  /** The step of the last checkpoint. */
  saved: number | undefined;
  /** The figures before the first step. */
  readonly before: StepRow;
  /** Draws and measures what the first weights make, or takes that from the checkpoint. */
  begin(meta: CheckpointMeta | undefined): Promise<void>;
  /** Draws and measures. @returns the figures */
  take(step: number): Promise<StepRow>;
  /** Writes the last pictures and says how the run went. */
  finish(step: number, seconds: number): Promise<void>;
}

/** Snapshots of a run. */
export function createSnapshots(job: Job): Snapshots {
  const { config, set, system, run, say } = job;
  const figures = snapshotFigures(set);
  const draw = async () => (await system.draw(figures.count, new Rng(config.seed, streams.samples))).samples;
  let samples: SampleArray;
  let last: StepRow = {};
  const picture = async (name: string): Promise<void> =>
    run.write(name, await encodePng(await pictureOf(job, samples)));
  const own: Mutable<Snapshots> = {
    shown: undefined,
    saved: undefined,
    before: {},
    async begin(meta) {
      if (meta) {
        Object.assign(own, { before: meta.before, shown: meta.step, saved: meta.step });
        return;
      }
      samples = await draw();
      own.before = figures.measure(samples);
      await picture(gridName(0));
    },
    async take(step) {
      samples = await draw();
      last = figures.measure(samples);
      await picture(gridName(step));
      own.shown = step;
      return last;
    },
    async finish(step, seconds) {
      samples ??= await draw();
      if (Object.keys(last).length === 0) last = figures.measure(samples);
      await picture('samples.png');
      const rows = readJsonLines(run.file('metrics.jsonl'));
      if (rows.length > 0) {
        const subtitle = `${methodOf(job)}, seed ${config.seed}, ${job.adapter}`;
        const x = { key: 'step', label: 'generator step' };
        await run.write('curves.svg', plotCurves({ title: set.title, subtitle, x, panels: runPanels, rows }));
      }
      run.check();
      await writeReport(run.path);
      say(
        [
          `${step} steps in ${seconds.toFixed(0)} s`,
          ...figureLines(set, figures, own.before, last),
          `samples ${run.file('samples.png')}${rows.length > 0 ? `, curves ${run.file('curves.svg')}` : ''}, report ${run.file('report.html')}`,
        ].join('\n'),
      );
    },
  };
  return own;
}

/** How it is learnt, in words. */
export function methodOf({ config, system }: Pick<Job, 'config' | 'system'>): string {
  const { objective, regularizers } = system;
  const steps = `${config.criticSteps} critic step${config.criticSteps === 1 ? '' : 's'}`;
  return [objective.title, ...regularizers.map((r) => r.title), `batch ${config.batch}`, steps].join(', ');
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A grid of images, or points over real ones. */
async function pictureOf({ set }: Job, samples: SampleArray) {
  if (set.kind === 'images') {
    const size = sizeOf(set.shape);
    const scale = set.shape[0]! < 48 ? 2 : 1;
    return tileImages(samples.data.slice(0, GRID * size), [GRID, ...set.shape], { scale });
  }
  const real = onPlane({ data: set.test.data as Float32Array, shape: [set.test.count, ...set.shape] });
  return pointsImage({ samples: onPlane(samples), real, box: boxOf(real) });
}
