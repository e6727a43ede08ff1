import { defined, destroy, init, Rng } from '../../engine/index.ts';
import { writeFileAtomic } from '../../engine/platform/atomicWrite.node.ts';
import { type Evaluation, figureLine, evaluate as measure } from '../../gan/metrics/evaluate.ts';
import { featuresFor } from '../../gan/metrics/featuresFor.node.ts';
import type { MetricName } from '../../gan/metrics/table.ts';
import { drawSamples } from '../../gan/sampling/draw.ts';
import { streams } from '../../gan/streams.ts';
import { openRun } from '../run/openRun.node.ts';
import { readJson } from '../run/readJson.node.ts';
import { createNotes } from '../terminal/progress.node.ts';
import { terminal } from '../terminal/terminal.node.ts';
import type { EvaluateCommandOptions } from './options.ts';

/** Samples that figures are taken of, unless the test set has fewer. */
const COUNT = { images: 10_000, points: 2500 } as const;

/** What `evaluation.json` holds. */
export interface EvaluationFile {
  /** Steps behind the weights. */
  readonly step: number;
  /** Samples measured. */
  readonly count: number;
  readonly seed: number;
  readonly adapter: string;
  readonly figures: Evaluation;
  /** What readers of the figures must know, where there is something. */
  readonly note?: string;
}

/**
 * Measures what a run's generator makes, and writes `evaluation.json` into its folder: the action of `wgrad evaluate`.
 * @throws Error naming the run, the metric or the file, and the remedy
 */
export async function evaluate(options: EvaluateCommandOptions): Promise<void> {
  const device = await init({ adapter: options.adapter });
  try {
    const run = await openRun(options.run, defined({ dataFolder: options.dataFolder }));
    try {
      const path = `${run.path}/evaluation.json`;
      const before = readJson(path, 'remove it') as EvaluationFile | undefined;
      const set = await run.openData();
      const count = options.count ?? Math.min(COUNT[set.kind], set.test.count);
      using notes = createNotes(options.quiet || options.json);
      notes.say(`drawing ${count} samples of step ${run.step}`);
      const codes = new Rng(options.seed, streams.measurements).normal([count, run.networks.latent]);
      const samples = await drawSamples(run.networks.generator, codes, { batchSize: 64 });
      const features = await featuresFor(set);
      const figures = await measure({
        samples,
        set,
        seed: options.seed,
        baselines: options.baselines,
        ...(features && { features }),
        ...(options.metrics && { names: options.metrics as MetricName[] }),
        onProgress: ({ title, done, total }) => notes.say(`${done + 1}/${total} ${title}`),
      });
      notes.clear();
      const of = { step: run.step, count, seed: options.seed, adapter: device.name };
      // Figures of the same samples stay beside those that are new; of other samples they would mislead.
      const same = before && Object.entries(of).every(([name, value]) => before[name as keyof typeof of] === value);
      const file: EvaluationFile = {
        ...of,
        figures: same ? { ...before.figures, ...figures } : figures,
        ...(features?.note && { note: features.note }),
      };
      await writeFileAtomic(path, `${JSON.stringify(file, null, 2)}\n`);
      if (options.json) terminal.out.text(JSON.stringify(file, null, 2));
      else if (!options.quiet) {
        for (const figure of Object.values(figures)) terminal.out.line(figureLine(figure));
        if (file.note) terminal.out.line(`Note: ${file.note}`);
      }
    } finally {
      run.dispose();
    }
  } finally {
    destroy();
  }
}
