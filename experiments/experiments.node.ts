import type { Experiment } from './experiment.ts';

/** All experiments, by name; each is loaded when it is run. */
export const experiments: Readonly<Record<string, () => Promise<Experiment>>> = {
  modes: async () => (await import('./modes/modes.node.ts')).modes,
  eights: async () => (await import('./report/reportRuns.node.ts')).eights,
  fashion: async () => (await import('./report/reportRuns.node.ts')).fashion,
  'clipping-vs-penalty': async () => (await import('./clippingVsPenalty/clippingVsPenalty.node.ts')).clippingVsPenalty,
  vanishing: async () => (await import('./vanishing/vanishing.node.ts')).vanishing,
  'two-gaussians': async () => (await import('./twoGaussians/twoGaussians.node.ts')).twoGaussians,
  'parallel-lines': async () => (await import('./parallelLines/parallelLines.node.ts')).parallelLines,
  cgan: async () => (await import('./systems/cgan.node.ts')).cgan,
  cyclegan: async () => (await import('./systems/cyclegan.node.ts')).cyclegan,
  'linear-autoencoder': async () => (await import('./systems/linearAutoencoder.node.ts')).linearAutoencoder,
  kantorovich: async () => (await import('./kantorovich/kantorovich.node.ts')).kantorovich,
};
