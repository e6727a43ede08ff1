import type { DataSource } from '../../gan/data/dataSource.ts';
import { loadDigitClassifier } from '../../gan/metrics/digitClassifier.node.ts';
import type { RunSettings } from '../../gan/runSettings.ts';
import { disposeSystem, type System } from '../../gan/system.ts';
import { firstPicture, rowConfig, rowStreams, rowSystem } from '../../gan/systems/configure.ts';
import type { Lab, SystemRow } from '../../gan/systems/row.ts';
import { linearDecay, type StepRow, train } from '../../gan/train.ts';
import { createWatch } from '../../gan/watch.ts';

/** Findings of the measures of a system, by their names. */
export type Measured = Readonly<Record<string, number>>;

/** The first picture of a system, as JSON holds it. */
export interface ShownPixels {
  /** 0 to 255, the images one after the other. */
  readonly pixels: readonly number[];
  /** [N, H, W, C]. */
  readonly shape: readonly number[];
  readonly columns: number;
  readonly columnLabels?: readonly string[];
  readonly rowLabels?: readonly string[];
}

/** What one training found. */
export interface SystemResult {
  /** How it is learnt, in words. */
  readonly words: string;
  /** The steps at which it was measured, the first of them 0: untrained. */
  readonly steps: readonly number[];
  /** The measures at those steps. */
  readonly measured: readonly Measured[];
  /** By measure, the findings that must be worse, at the end. */
  readonly controls: Readonly<Record<string, Measured>>;
  /** The losses at those steps but the first. */
  readonly losses: readonly StepRow[];
  readonly shown?: ShownPixels;
}

/** What {@link systemRun} is told beside the settings. */
export interface SystemRunOptions {
  /** Measurements after the first, evenly over the steps; the last is at the end. */
  readonly looks: number;
  /** Rows or images of the picture; that of the system unless given. */
  readonly shown?: number;
}

/**
 * Trains a system and measures it on the way, with all the measures that suit its data: what `wgrad train` and `wgrad evaluate` do, without
 * a folder.
 * @param name of the system, for errors
 * @param given what differs from the system's defaults; `steps` must be there if they leave it open
 */
export async function systemRun<O extends object, S extends string, T extends System<S>>(
  name: string,
  row: SystemRow<O, S, T>,
  set: DataSource,
  given: Partial<O & RunSettings>,
  { looks, shown }: SystemRunOptions,
): Promise<SystemResult> {
  const config = rowConfig(row, set.kind, given);
  const { steps: until, seed, rateDecay } = config;
  if (until === null) throw new RangeError(`${name}: an experiment says how many steps it takes`);
  const streams = rowStreams(row, name, config, set);
  const system = rowSystem(row, config, { shape: set.shape, classes: set.classes ?? [] });
  const look = (): Lab<T> => ({ system, set, seed, classifier: loadDigitClassifier });
  const measures = Object.entries(row.measures ?? {}).filter(([, { suits }]) => suits?.(set) ?? true);
  const measure = async (): Promise<Measured> => {
    const lab = look();
    const found: Record<string, number> = {};
    for (const [key, { compute }] of measures) found[key] = await compute(lab);
    return found;
  };
  const at = Array.from({ length: looks }, (_, i) => Math.round((until * (i + 1)) / looks));
  const [steps, measured, losses]: [number[], Measured[], StepRow[]] = [[0], [await measure()], []];
  const watch = createWatch();
  try {
    const pauses = (step: number): boolean => at.includes(step);
    for await (const stepRow of train(system, streams, { until, rates: linearDecay(rateDecay), pauses })) {
      watch(stepRow);
      if (!pauses(stepRow.step!)) continue;
      steps.push(stepRow.step!);
      losses.push(stepRow);
      measured.push(await measure());
    }
    const controls: Record<string, Measured> = {};
    for (const [key, { controls: beside = {} }] of measures) {
      const found: Record<string, number> = {};
      for (const [control, { compute }] of Object.entries(beside)) found[control] = await compute(look());
      controls[key] = found;
    }
    const { words } = row.method(system, config);
    return { words, steps, measured, losses, controls, ...(await pictureOf(row, look(), shown)) };
  } finally {
    disposeSystem(system);
  }
}

async function pictureOf<O extends object, S extends string, T extends System<S>>(
  row: SystemRow<O, S, T>,
  lab: Lab<T>,
  count?: number,
): Promise<{ readonly shown?: ShownPixels }> {
  const show = firstPicture(row);
  if (!show) return {};
  const { samples, layout } = await show.draw(lab, count);
  const { columns = Math.ceil(Math.sqrt(samples.shape[0]!)), columnLabels, rowLabels } = layout;
  const pixels = Array.from(samples.data, (v) => Math.round((Math.min(1, Math.max(-1, v)) + 1) * 127.5));
  return {
    shown: {
      ...{ pixels, shape: [...samples.shape], columns },
      ...(columnLabels && { columnLabels }),
      ...(rowLabels && { rowLabels }),
    },
  };
}
