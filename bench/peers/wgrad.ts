/** wgrad: ops in scopes, optimizers from wgrad/nn. */
import { compile, init, keep, measureRoofs, scope, type Tensor, tensor, WebGpuDevice } from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
import { normals, sizeOf } from '../data.ts';
import type { AdamTask, ChainTask, OpTask, Peer, Prepared } from '../task.ts';
import { wgradOps } from './wgradOps.ts';
import { wgradTrain } from './wgradTrain.ts';

export async function open(): Promise<Peer> {
  // The adapter comes from WGRAD_ADAPTER, as for every program that uses wgrad.
  const device = await init();
  if (!(device instanceof WebGpuDevice)) throw new Error('the reference device is not for timing; choose an adapter');
  return {
    flush: () => device.flush(),
    roofs: () => measureRoofs(device),
    prepare: { op: prepareOp, adam: prepareAdam, chain: prepareChain, train: wgradTrain },
  };
}

const read = (ts: readonly Tensor[]): Promise<Float32Array[]> =>
  Promise.all(ts.map(async (t) => (await t.data()) as Float32Array));

function dispose(tensors: readonly Tensor[]): void {
  for (const t of tensors) t.dispose();
}

const normal = (shape: readonly number[], seed: number, scale = 1): Tensor =>
  keep(tensor(normals(sizeOf(shape), seed, scale), { shape }));

function prepareOp({ op, inputs: operands, params }: OpTask): Prepared {
  const inputs = operands.map(({ shape }, i) => normal(shape, i + 1));
  // Several ops are what compiling is for; one op is a launch or two either way.
  const once = () => wgradOps[op](inputs, params);
  const compiled = ['elementwise', 'batchNorm', 'batchNormGrad'].includes(op) ? compile(once) : undefined;
  const call = compiled ?? once;
  return {
    run: () => scope(() => void call()),
    results: () => scope(() => read(call())),
    dispose() {
      compiled?.dispose();
      dispose(inputs);
    },
  };
}

function prepareAdam({ shapes }: AdamTask): Prepared {
  const parameters = shapes.map((shape, i) => new nn.Parameter(normal(shape, i + 1)));
  const gradients = shapes.map((shape, i) => normal(shape, i + 101, 0.1));
  const adam = new nn.Adam(parameters, { lr: 1e-3 });
  return {
    run: () => adam.step(gradients),
    results() {
      for (let k = 0; k < 3; k++) adam.step(gradients);
      return read(parameters);
    },
    dispose() {
      adam.dispose();
      dispose([...parameters, ...gradients]);
    },
  };
}

function prepareChain({ op, length, shape, mode }: ChainTask): Prepared {
  const [x, y] = [normal(shape, 1), normal(shape, 2)];
  const chain = () => {
    let z = x;
    for (let i = 0; i < length; i++) z = z[op](y);
    return z;
  };
  const compiled = compile(chain);
  const call = mode === 'replayed' ? compiled : chain;
  return {
    run: () => scope(() => void call()),
    results: () => scope(() => read([call()])),
    dispose() {
      compiled.dispose();
      dispose([x, y]);
    },
  };
}
