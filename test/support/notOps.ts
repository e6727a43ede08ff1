/** Functions among the engine's exports that are not ops: they make, run, differentiate and watch them. */
export const NOT_OPS: readonly string[] = [
  ...['AnomalyError', 'DeviceError', 'GradError', 'GradcheckError', 'ShapeError', 'UseAfterFreeError', 'refusePromise'],
  ...[
    'Generator',
    'Live',
    'Tape',
    'Tensor',
    'WebGpuDevice',
    'backward',
    'checked',
    'checkpoint',
    'compile',
    'customOp',
    'defaultGenerator',
    'destroy',
  ],
  ...['detectAnomaly', 'eachRun', 'enableGrad', 'grad', 'gradcheck', 'gradgradcheck', 'init', 'keep', 'live'],
  ...[
    'manualSeed',
    'measureRoofs',
    'memory',
    'noGrad',
    'scope',
    'tape',
    'tensor',
    'trace',
    'valueAndGrad',
    'withDevice',
  ],
  // For kernels of one's own.
  ...['f32', 'flatMain', 'grid1d'],
];
