/** TensorFlow.js on its webgpu backend: eager ops in tf.tidy, its own optimizers. */
import { createRequire } from 'node:module';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { wait } from '../adapter.ts';
import { normals, sizeOf } from '../data.ts';
import type { AdamTask, ChainTask, OpTask, Peer, Prepared } from '../task.ts';
import { tfjsOps } from './tfjsOps.ts';
import { tfjsTrain } from './tfjsTrain.ts';

export async function open(): Promise<Peer> {
  // tfjs-core's own bundle for Node leaves the gradients out; its ES modules find their folders by require alone.
  createRequire(import.meta.url)('@tensorflow/tfjs-core/dist/register_all_gradients.js');
  // It registers itself if `navigator.gpu` is there when it is loaded.
  await import('@tensorflow/tfjs-backend-webgpu');
  if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs could not start its webgpu backend');
  await tf.ready();
  const backend = tf.backend() as WebGPUBackend;
  return {
    flush() {
      backend.ensureCommandEncoderReady();
      backend.endComputePassEncoder();
      backend.submitQueue();
    },
    prepare: { op: prepareOp, adam: prepareAdam, chain: prepareChain, train: tfjsTrain },
  };
}

const read = (ts: readonly tf.Tensor[]): Promise<Float32Array[]> =>
  wait(Promise.all(ts.map(async (t) => Float32Array.from(await t.data()))));

const normal = (shape: readonly number[], seed: number, scale = 1): tf.Tensor =>
  tf.tensor(normals(sizeOf(shape), seed, scale), [...shape]);

/** A function of tensors that live until `dispose`. */
function prepared(call: () => tf.Tensor[], inputs: readonly tf.Tensor[]): Prepared {
  return {
    run: () => void tf.tidy(() => void call()),
    async results() {
      const outputs = tf.tidy(call);
      const values = await read(outputs);
      tf.dispose(outputs);
      return values;
    },
    dispose: () => tf.dispose([...inputs]),
  };
}

function prepareOp({ op, inputs: operands, params }: OpTask): Prepared {
  const inputs = operands.map(({ shape }, i) => normal(shape, i + 1));
  return prepared(() => tfjsOps[op](inputs, params), inputs);
}

function prepareAdam({ shapes }: AdamTask): Prepared {
  const parameters = shapes.map((shape, i) => tf.variable(normal(shape, i + 1), true, `p${i}`));
  const gradients = shapes.map((shape, i) => ({ name: `p${i}`, tensor: normal(shape, i + 101, 0.1) }));
  const adam = tf.train.adam(1e-3, 0.9, 0.999, 1e-8);
  const step = () => adam.applyGradients(gradients);
  return {
    run: step,
    results() {
      for (let k = 0; k < 3; k++) step();
      return read(parameters);
    },
    dispose() {
      adam.dispose();
      tf.dispose([...parameters, ...gradients.map((g) => g.tensor)]);
    },
  };
}

function prepareChain({ op, length, shape, mode }: ChainTask): Prepared {
  if (mode === 'replayed') throw new Error('tfjs records no graph of ops to replay');
  const [x, y] = [normal(shape, 1), normal(shape, 2)];
  const call = () => {
    let z = x;
    for (let i = 0; i < length; i++) z = op === 'add' ? tf.add(z, y) : tf.matMul(z, y);
    return [z];
  };
  return prepared(call, [x, y]);
}
