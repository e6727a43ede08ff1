import type { Experiment } from './experiment.ts';

/** All experiments, by name; each is loaded when it is run. */
export const experiments: Readonly<Record<string, () => Promise<Experiment>>> = {
  modes: async () => (await import('./modes.node.ts')).modes,
  eights: async () => (await import('./reportRuns.node.ts')).eights,
  fashion: async () => (await import('./reportRuns.node.ts')).fashion,
  'clipping-vs-penalty': async () => (await import('./clippingVsPenalty.node.ts')).clippingVsPenalty,
  vanishing: async () => (await import('./vanishing.node.ts')).vanishing,
  'two-gaussians': async () => (await import('./twoGaussians.node.ts')).twoGaussians,
  'parallel-lines': async () => (await import('./parallelLines.node.ts')).parallelLines,
  kantorovich: async () => (await import('./kantorovich.node.ts')).kantorovich,
};
