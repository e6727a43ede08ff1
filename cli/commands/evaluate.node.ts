import { destroy, init, Rng } from '../../engine/index.ts';
import { defined } from '../../engine/internal.ts';
import { writeFileAtomic } from '../../engine/platform/atomicWrite.node.ts';
import type { DataSource } from '../../gan/data/dataSource.ts';
import { isSampleSet } from '../../gan/data/needs.ts';
import { loadDigitClassifier } from '../../gan/metrics/digitClassifier.node.ts';
import { type EvaluatedScore, evaluate as measure, scoreLine } from '../../gan/metrics/evaluate.ts';
import { featuresFor } from '../../gan/metrics/featuresFor.node.ts';
import type { MetricName } from '../../gan/metrics/table.ts';
import { randomStreams } from '../../gan/randomStreams.ts';
import { disposeSystem } from '../../gan/system.ts';
import type { Lab } from '../../gan/systems/row.ts';
import { rowOf } from '../../gan/systems/table.ts';
import { type OpenedRun, openRun } from '../run/openRun.node.ts';
import { readJson } from '../run/readJson.node.ts';
import { createNotes } from '../terminal/progress.node.ts';
import { terminal } from '../terminal/terminal.node.ts';
import type { EvaluateCommandOptions } from './options.ts';

/** Samples that scores are taken of, unless the test set has fewer. */
const COUNT = { images: 10_000, points: 2500 } as const;

/** What `evaluation.json` holds. */
export interface EvaluationFile {
  /** Steps behind the weights. */
  readonly step: number;
  /** Samples measured. */
  readonly count: number;
  readonly seed: number;
  readonly adapter: string;
  /** The scores, under the name that they have had in the file from the first. */
  readonly figures: Readonly<Record<string, EvaluatedScore>>;
  /** What readers of the scores must know, where there is something. */
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
      const count = options.count ?? Math.min(set.kind === 'points' ? COUNT.points : COUNT.images, set.test.count);
      using notes = createNotes(options.quiet || options.json);
      const row = rowOf(run.config.system);
      const suiting = Object.entries(row.measures ?? {}).filter(([, { suits }]) => suits?.(set) ?? true);
      const all = suiting.map(([name]) => name);
      const wanted = options.metrics?.filter((name) => !all.includes(name));
      const features = isSampleSet(set) ? await featuresFor(set) : undefined;
      const scores: Record<string, EvaluatedScore> = {};
      if (isSampleSet(set) && run.system.draw && wanted?.length !== 0) {
        notes.say(`drawing ${count} samples of step ${run.step}`);
        const { samples, labels } = await run.system.draw(count, new Rng(options.seed, randomStreams.measurements));
        const measured = await measure({
          samples: { ...samples, ...(labels && { labels }) },
          set,
          seed: options.seed,
          baselines: options.baselines,
          ...(features && { features }),
          ...(wanted && { names: wanted as MetricName[] }),
          onProgress: ({ title, done, total }) => notes.say(`${done + 1}/${total} ${title}`),
        });
        Object.assign(scores, measured);
      } else if (wanted && wanted.length > 0) {
        throw new Error(`a run of ${run.config.system} has no ${wanted.join(', ')}; it has ${all.join(', ')}`);
      }
      const asked = all.filter((name) => options.metrics?.includes(name) ?? true);
      Object.assign(scores, await measures(run, set, asked, options, notes));
      notes.clear();
      const of = { step: run.step, count, seed: options.seed, adapter: device.name };
      // Scores of the same samples stay beside those that are new; of other samples they would mislead.
      const same = before && Object.entries(of).every(([name, value]) => before[name as keyof typeof of] === value);
      const file: EvaluationFile = {
        ...of,
        figures: same ? { ...before.figures, ...scores } : scores,
        ...(features?.note && { note: features.note }),
      };
      await writeFileAtomic(path, `${JSON.stringify(file, null, 2)}\n`);
      if (options.json) terminal.out.text(JSON.stringify(file, null, 2));
      else if (!options.quiet) {
        for (const score of Object.values(scores)) terminal.out.line(scoreLine(score));
        if (file.note) terminal.out.line(`Note: ${file.note}`);
      }
    } finally {
      run.dispose();
    }
  } finally {
    destroy();
  }
}

/** The measures of the run's own system, each with its controls. */
async function measures(
  run: OpenedRun,
  set: DataSource,
  names: readonly string[],
  { seed, baselines, count }: Pick<EvaluateCommandOptions, 'seed' | 'baselines' | 'count'>,
  notes: { say(text: string): void },
): Promise<Record<string, EvaluatedScore>> {
  const { measures = {} } = rowOf(run.config.system);
  const scores: Record<string, EvaluatedScore> = {};
  const asked = count !== undefined && { count };
  const lab: Lab = { system: run.system, set, seed, classifier: loadDigitClassifier, ...asked };
  const untrained = baselines && names.length > 0 ? { ...lab, system: run.untrained() } : undefined;
  try {
    for (const [k, name] of names.entries()) {
      const { title, better, compute, looksAt, controls = {} } = measures[name]!;
      notes.say(`${k + 1}/${names.length} ${title}`);
      const beside: Record<string, { readonly value: number }> = {};
      if (untrained) {
        for (const [control, of] of Object.entries(controls)) beside[control] = { value: await of.compute(lab) };
        beside.untrained = { value: await compute(untrained) };
      }
      const many = looksAt?.(lab) ?? set.test.count;
      scores[name] = { value: await compute(lab), title, better, count: many, ...(untrained && { controls: beside }) };
    }
  } finally {
    if (untrained) disposeSystem(untrained.system);
  }
  return scores;
}
