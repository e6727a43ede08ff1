/** Test files that do not run in a browser, and why. Every other one does, in `browser.test.ts`, with the same tests. */
export const NODE_ONLY: Readonly<Record<string, string>> = {
  'bench.test.ts': 'starts processes',
  'browser.test.ts': 'starts the browser; on the GPU what other files test there too',
  'checkpoint.test.ts': 'expects source files in stack traces, which a bundle has merged; reference device alone',
  'cli.test.ts': 'starts processes',
  'doctor.test.ts': 'starts processes',
  'experiments.test.ts': 'starts processes, writes files',
  'experimentsTheory.test.ts': 'HiGHS reads its WebAssembly from a file; reference device alone',
  'experimentsTraining.test.ts': 'makes PNG files; reference device alone',
  'grid.test.ts': 'writes PNG files',
  'idx.test.ts': 'reads files',
  'imports.test.ts': 'reads the source files',
  'init.test.ts': 'environment variables, the choice of Vulkan driver, and the end of a process',
  'digitClassifier.test.ts': 'reads files; on the GPU what other files test there too',
  'killedWriter.test.ts': 'starts processes',
  'layers.test.ts': 'reads files; reference device alone',
  'linearProgram.test.ts': 'HiGHS reads its WebAssembly from a file; host numbers alone',
  'losses.test.ts': 'reads files; on the GPU what other files test there too',
  'modelsPage.test.ts': 'reads a file; reference device alone',
  'onnx.test.ts':
    'onnxruntime reads its WebAssembly from a file; reference device, mostly; on the GPU what other files test there too',
  'package.test.ts': 'starts processes, and the browser',
  'pytorch.test.ts': 'reads files; reference device alone',
  'pytorchLayers.test.ts': 'reads files; reference device alone',
  'pytorchWeights.test.ts': 'reads files; on the GPU what other files test there too',
  'readme.test.ts': 'starts processes',
  'runFolder.test.ts': 'writes files',
  'saveCheckpoint.test.ts':
    'reads and writes files; checkpointState.test.ts runs in a page; on the GPU what other files test there too',
  'safetensorsFile.test.ts': 'reads and writes files',
  'train.test.ts': 'starts processes',
  'transportPage.test.ts': 'starts processes',
};

/** Tests that have WebGPU refuse something on purpose, by file: what it says there is no failure. */
export const PROVOKING: Readonly<Record<string, RegExp>> = {
  'device.test.ts': /^a shader that .* reaches the caller with the kernel's name$/,
};
