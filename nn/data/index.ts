/** Data sets, and loaders that make batches of them. */
export { ArrayDataset, type Column, type Dataset, type StreamDataset, TensorDataset } from './dataset.ts';
export { DataLoader, type DataLoaderOptions, type DataLoaderState } from './loader.ts';
export { type ArraySample, type Batch, collate, type NumberArray, type Sample, type SampleValue } from './sample.ts';
export { DataLoaderError } from './source.ts';
