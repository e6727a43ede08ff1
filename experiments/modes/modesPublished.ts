/** A row of a published table of mode coverage; null where the paper says nothing. */
export interface PublishedModes {
  readonly method: string;
  readonly source: string;
  readonly ring: PublishedCoverage;
  readonly grid: PublishedCoverage;
}

/** Coverage as a paper prints it. */
export interface PublishedCoverage {
  /** Modes covered, of 8 or 25. */
  readonly covered: number;
  /** Samples of high quality, in percent. */
  readonly highQuality: number;
  /** Reverse KL in nats; null where it is not given. */
  readonly reverseKl: number | null;
}

const row = (
  source: string,
  method: string,
  ring: readonly [number, number, number | null],
  grid: readonly [number, number, number | null],
): PublishedModes => {
  const coverage = ([covered, highQuality, reverseKl]: typeof ring) => ({ covered, highQuality, reverseKl });
  return { method, source, ring: coverage(ring), grid: coverage(grid) };
};

const VEEGAN = 'Srivastava et al. 2017 (VEEGAN), Table 1';
const PACGAN = 'Lin et al. 2018 (PacGAN), Tables 1 and 2';

/**
 * What papers report on the same mixtures with 2,500 samples: VEEGAN means of 5 runs, PacGAN of 10. Their networks and steps differ
 * from each other and from ours; the two GAN baselines show by how much that matters.
 */
export const publishedModes: readonly PublishedModes[] = [
  row(VEEGAN, 'GAN', [1, 99.3, null], [3.3, 0.5, null]),
  row(VEEGAN, 'ALI', [2.8, 0.13, null], [15.8, 1.6, null]),
  row(VEEGAN, 'Unrolled GAN (5 steps)', [7.6, 35.6, null], [23.6, 16, null]),
  row(VEEGAN, 'VEEGAN', [8, 52.9, null], [24.6, 40, null]),
  row(PACGAN, 'GAN', [6.3, 98.2, 0.45], [17.3, 94.8, 0.7]),
  row(PACGAN, 'ALI', [6.6, 97.6, 0.36], [24.1, 95.7, 0.14]),
  row(PACGAN, 'PacGAN2', [7.9, 95.6, 0.07], [23.8, 91.3, 0.13]),
  row(PACGAN, 'PacGAN3', [7.8, 97.7, 0.1], [24.6, 94.2, 0.06]),
  row(PACGAN, 'PacGAN4', [7.8, 95.9, 0.07], [24.8, 93.6, 0.04]),
];
