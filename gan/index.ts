/**
 * Generative adversarial networks: networks, training steps, penalties, data and metrics. Everything here also runs in a browser.
 * @module wgrad/gan
 */
export { type IdxArray, parseIdx } from './data/idx.ts';
export { DIGIT_FEATURES, DigitClassifier } from './metrics/digitClassifier.ts';
export { type SlicedWassersteinOptions, slicedWasserstein, slicedWassersteinTo } from './metrics/slicedWasserstein.ts';
export { type DcganOptions, type DcganSmallOptions, dcgan, dcganSmall } from './models/dcgan.ts';
export { type MlpActivation, type MlpOptions, mlp, toyNetworks } from './models/mlp.ts';
export { type MnistNetworksOptions, mnistNetworks } from './models/mnist.ts';
export { createNetworks, type Model, type ModelName, models, type NetworksOptions } from './models/models.ts';
export type { Networks } from './models/networks.ts';
export { type CriticNorm, type CriticOptions, criticNorms } from './models/parts.ts';
export { type ResnetOptions, resnet } from './models/resnet.ts';
export { gradientPenalty } from './penalty.ts';
export { type ByteImage, type GridOptions, tileImages } from './run/grid.ts';
export { type CriticReport, WganGp, type WganGpOptions } from './wganGp.ts';
