import type { SampleSet } from '../data/sampleSet.ts';
import { modeCoverage } from '../metrics/modeCoverage.ts';
import { slicedWassersteinTo } from '../metrics/slicedWasserstein.ts';
import type { SampleArray } from '../sampling/draw.ts';
import type { StepRow } from './training.ts';

/** What a run measures each time it draws a grid: quick, on the host, and on few samples. `wgrad evaluate` measures more. */
export interface SnapshotFigures {
  /** How many samples they take: 1,024 images, or the 2,500 points of VEEGAN's protocol. */
  readonly count: number;
  /** The figures, by the names of their columns. */
  measure(samples: SampleArray): StepRow;
}

/**
 * The sliced Wasserstein distance to the held-out samples, and how many modes of a mixture are covered with how many of the
 * samples near one.
 */
export function snapshotFigures(set: SampleSet): SnapshotFigures {
  const dimension = set.shape.reduce((size, length) => size * length, 1);
  const { data } = set.test;
  const truth = data instanceof Uint8Array ? Float32Array.from(data, (v) => v / 127.5 - 1) : data;
  const distance = slicedWassersteinTo(truth, { dimension });
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

/** The figures of a run in words: before, after, and what as many real samples have. */
export function figureLines(set: SampleSet, before: StepRow, after: StepRow): string[] {
  const { count, measure } = snapshotFigures(set);
  const real = measure(realSamples(set, count));
  const many = set.test.count.toLocaleString('en-GB');
  const { slicedWasserstein: from } = before;
  const { slicedWasserstein: to } = after;
  const lines = [
    `sliced Wasserstein distance of ${count} samples to the ${many} held-out ones:`,
    `  before ${from!.toFixed(4)}, after ${to!.toFixed(4)}: ${(from! / to!).toFixed(1)} times closer (training samples: ${real.slicedWasserstein!.toFixed(4)})`,
  ];
  if (set.modes && after.modes !== undefined) {
    const all = set.modes.centres.length / set.shape[0]!;
    lines.push(
      `modes ${after.modes} of ${all}, ${(100 * after.highQuality!).toFixed(1)} % of the samples within 3 sigma of one (training samples: ${real.modes}, ${(100 * real.highQuality!).toFixed(1)} %)`,
    );
  }
  return lines;
}

/** So many training samples from all over the set: its first ones may not be like the rest. */
function realSamples({ train, shape, kind }: SampleSet, count: number): SampleArray {
  const size = shape.reduce((product, length) => product * length, 1);
  const n = Math.min(count, train.count);
  const data = new Float32Array(n * size);
  for (let i = 0; i < n; i++) {
    const from = Math.floor((i * train.count) / n) * size;
    for (let j = 0; j < size; j++)
      data[i * size + j] = kind === 'images' ? train.data[from + j]! / 127.5 - 1 : train.data[from + j]!;
  }
  return { data, shape: [n, ...shape] };
}
