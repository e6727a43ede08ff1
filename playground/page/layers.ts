/** The layers of the plane: what may be drawn, in the order of drawing. */
export const layers = {
  critic: { title: 'critic', about: "the critic's value: blue where it says real, orange where it says generated" },
  slopes: { title: 'slope', about: 'the slope ‖∇f‖: violet below 1, white at 1, green above' },
  ideal: {
    title: 'D*',
    about:
      'what the best discriminator would say, p/(p + q): from the density of the data and kernels around the samples',
  },
  levels: { title: 'levels', about: 'lines of equal value of the critic' },
  folds: { title: 'folds', about: 'a square grid of latent codes, carried through the generator' },
  plan: {
    title: 'W₁ plan',
    about: 'the cheapest way to carry 128 generated samples onto 128 real ones; its mean length is W₁',
  },
  lines: {
    title: 'penalty points',
    about: 'places on lines from real to generated samples, where the penalty measures the slope',
  },
  real: { title: 'real', about: 'held-out points of the data' },
  fake: { title: 'generated', about: 'what the generator makes of fixed codes' },
  arrows: { title: 'gradient', about: 'which way each generated sample is asked to go' },
} as const;

/** The name of a layer. */
export type LayerName = keyof typeof layers;

/** The names of {@link layers}. */
export const layerNames = Object.keys(layers) as readonly LayerName[];

/** The layers of a page that is opened without a link. */
export const usualLayers: readonly LayerName[] = ['critic', 'levels', 'real', 'fake'];

/** Layers that colour the whole plane: one of them is drawn. */
export const colourings: readonly LayerName[] = ['critic', 'slopes', 'ideal'];
