import { sizeOf } from '../../engine/index.ts';
import type { SampleSet } from '../../gan/data/sampleSet.ts';
import { evenly } from '../../gan/extremes.ts';
import { modeCoverage } from '../../gan/metrics/modeCoverage.ts';
import { metricSamples } from '../../gan/metrics/samples.ts';
import { slicedWassersteinTo } from '../../gan/metrics/slicedWasserstein.ts';
import type { SampleArray } from '../../gan/sampling/draw.ts';
import { samplesAt } from '../../gan/sampling/neighbours.ts';
import type { StepRow } from '../../gan/train.ts';

/** What a run measures each time it draws a grid: quick, on the host, and on few samples. `wgrad evaluate` measures more. */
export interface SnapshotScores {
  /** How many samples they take: 1,024 images, or the 2,500 points of VEEGAN's protocol. */
  readonly count: number;
  /** The scores, by the names of their columns. */
  measure(samples: SampleArray): StepRow;
}

/**
 * The sliced Wasserstein distance to the held-out samples, and how many modes of a mixture are covered with how many of the
 * samples near one.
 */
export function snapshotScores(set: SampleSet): SnapshotScores {
  const dimension = sizeOf(set.shape);
  const distance = slicedWassersteinTo(metricSamples(set.test, set.shape).data, { dimension });
  const { modes } = set;
  return {
    count: set.kind === 'points' ? 2500 : 1024,
    measure: (samples) => {
      const slicedWasserstein = distance(samples.data);
      if (!modes) return { slicedWasserstein };
      const { covered, highQuality } = modeCoverage(samples, modes);
      return { slicedWasserstein, modes: covered, highQuality };
    },
  };
}

/** The scores of a run in words: before, after, and what as many training samples have. */
export function scoreLines(
  set: SampleSet,
  { count, measure }: SnapshotScores,
  before: StepRow,
  after: StepRow,
): string[] {
  const n = Math.min(count, set.train.count);
  // From all over the set: its first ones may not be like the rest.
  const real = measure(samplesAt(set.train, set.shape, evenly(n, set.train.count)));
  const many = set.test.count.toLocaleString('en-GB');
  const { slicedWasserstein: from } = before;
  const { slicedWasserstein: to } = after;
  const change = to! <= from! ? `${(from! / to!).toFixed(1)} times closer` : `${(to! / from!).toFixed(1)} times as far`;
  const lines = [
    `sliced Wasserstein distance of ${count} samples to the ${many} held-out ones:`,
    `  before ${from!.toFixed(4)}, after ${to!.toFixed(4)}: ${change} (training samples: ${real.slicedWasserstein!.toFixed(4)})`,
  ];
  if (set.modes && after.modes !== undefined) {
    const all = set.modes.centres.length / set.shape[0]!;
    lines.push(
      `modes ${after.modes} of ${all}, ${(100 * after.highQuality!).toFixed(1)} % of the samples within 3 sigma of one (training samples: ${real.modes}, ${(100 * real.highQuality!).toFixed(1)} %)`,
    );
  }
  return lines;
}
