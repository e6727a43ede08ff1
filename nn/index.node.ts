/**
 * Files, for Node: checkpoints, and safetensors files of any size. `wgrad/nn` has the same as bytes, for browsers too.
 * @module wgrad/nn/node
 */
export { loadCheckpoint, saveCheckpoint } from './io/checkpoint.node.ts';
export { type LazyTensor, loadSafetensors, SafetensorsFile, saveSafetensors } from './io/file.node.ts';
