/** jax-js on its webgpu backend: pure functions under jit, images channels first. */
import { blockUntilReady, defaultDevice, init, jit, numpy as np } from '@jax-js/jax';
import { wait } from '../adapter.ts';
import { channelsFirst, normals, sizeOf } from '../data.ts';
import type { AdamTask, ChainTask, Operand, OpTask, Peer, Prepared } from '../task.ts';
import { read, submit } from './jaxjsArrays.ts';
import { jaxjsOps } from './jaxjsOps.ts';
import { adam, jaxjsTrain } from './jaxjsTrain.ts';

export async function open(): Promise<Peer> {
  if (!(await init('webgpu')).includes('webgpu')) throw new Error('jax-js could not start its webgpu backend');
  defaultDevice('webgpu');
  return {
    flush() {}, // `submit` below has done it
    prepare: { op: prepareOp, adam: prepareAdam, chain: prepareChain, train: jaxjsTrain },
  };
}

const load = (operand: Operand, seed: number, scale = 1): np.Array => {
  const { data, shape } = channelsFirst(normals(sizeOf(operand.shape), seed, scale), operand);
  return np.array(data as Float32Array<ArrayBuffer>).reshape([...shape]);
};

async function prepareOp({ op, inputs: operands, outputs, params }: OpTask): Promise<Prepared> {
  const inputs = operands.map((operand, i) => load(operand, i + 1));
  await wait(blockUntilReady(inputs));
  const f = jit((xs: np.Array[]) => jaxjsOps[op](xs, params));
  const call = () => f(inputs.map((x) => x.ref));
  return {
    run: () => submit(call()),
    results: () => read(call(), outputs),
    dispose() {
      f.dispose();
      for (const x of inputs) x.dispose();
    },
  };
}

async function prepareAdam({ shapes }: AdamTask): Promise<Prepared> {
  const plain = (shape: readonly number[]): Operand => ({ shape, layout: 'plain' });
  let parameters = shapes.map((shape, i) => load(plain(shape), i + 1));
  let state = adam.init(parameters);
  const gradients = shapes.map((shape, i) => load(plain(shape), i + 101, 0.1));
  await wait(blockUntilReady([...parameters, ...state, ...gradients]));
  const update = jit((p: np.Array[], s: np.Array[], g: np.Array[]) => adam.update(p, s, g, 1e-3, [0.9, 0.999]));
  const step = () => {
    [parameters, state] = update(
      parameters,
      state,
      gradients.map((g) => g.ref),
    );
  };
  const all = () => [...parameters, ...state];
  return {
    run() {
      step();
      submit(all().map((a) => a.ref));
    },
    results() {
      for (let k = 0; k < 3; k++) step();
      return read(
        parameters.map((p) => p.ref),
        [],
      );
    },
    dispose() {
      update.dispose();
      for (const a of [...all(), ...gradients]) a.dispose();
    },
  };
}

async function prepareChain({ op, length, shape, mode }: ChainTask): Promise<Prepared> {
  const operand: Operand = { shape, layout: 'plain' };
  const [x, y] = [load(operand, 1), load(operand, 2)];
  await wait(blockUntilReady([x, y]));
  const chain = (a: np.Array, b: np.Array) => {
    for (let i = 0; i < length; i++) a = op === 'add' ? a.add(b.ref) : np.matmul(a, b.ref);
    b.dispose();
    return a;
  };
  const compiled = jit(chain);
  const call = () => [(mode === 'replayed' ? compiled : chain)(x.ref, y.ref)];
  return {
    run: () => submit(call()),
    results: () => read(call(), ['plain']),
    dispose() {
      compiled.dispose();
      for (const a of [x, y]) a.dispose();
    },
  };
}
