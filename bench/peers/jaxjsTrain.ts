import { blockUntilReady, grad, jit, nn, numpy as np, valueAndGrad } from '@jax-js/jax';
import { wait } from '../adapter.ts';
import { batches, channelsFirst, initialParameters, type Parameter, transpose } from '../data.ts';
import type { Layer, Prepared, Shape, TrainTask } from '../task.ts';
import { read, submit } from './jaxjsArrays.ts';
import { batchNorm, conv, convTranspose } from './jaxjsOps.ts';

/** Adam as JAX programs write it; the state is both moments of each parameter, and the number of steps. */
export const adam = {
  init: (parameters: readonly np.Array[]): np.Array[] => [
    ...[...parameters, ...parameters].map((p) => np.zeros([...p.shape])),
    np.zeros([]),
  ],
  update(
    parameters: np.Array[],
    state: np.Array[],
    gradients: np.Array[],
    lr: number,
    [beta1, beta2]: readonly [number, number],
  ): [np.Array[], np.Array[]] {
    const k = parameters.length;
    const t = state.at(-1)!.add(1);
    const corrected = (beta: number) => np.subtract(1, np.power(beta, t.ref));
    const [c1, c2] = [beta1 > 0 ? corrected(beta1) : np.array(1), corrected(beta2)];
    const moments: np.Array[][] = [[], []];
    const updated = parameters.map((p, i) => {
      const g = gradients[i]!;
      const m = state[i]!.mul(beta1).add(g.ref.mul(1 - beta1));
      const v = state[k + i]!.mul(beta2).add(np.square(g).mul(1 - beta2));
      moments[0]!.push(m.ref);
      moments[1]!.push(v.ref);
      const root = np.sqrt(v.div(c2.ref)).add(1e-8);
      return p.sub(m.div(c1.ref).mul(lr).div(root));
    });
    for (const c of [c1, c2]) c.dispose();
    return [updated, [...moments.flat(), t]];
  },
};

/** Owns x, and only borrows the parameters. */
function forward(layers: readonly Layer[], parameters: readonly np.Array[], x: np.Array): np.Array {
  let at = 0;
  const next = () => parameters[at++]!.ref;
  const biased = (y: np.Array, bias: boolean) => {
    if (!bias) return y;
    return y.add(y.ndim === 4 ? next().reshape([-1, 1, 1]) : next());
  };
  const run = (h: np.Array, layer: Layer): np.Array => {
    switch (layer.kind) {
      case 'dense':
        return biased(np.matmul(h, next()), layer.bias);
      case 'conv':
        return biased(conv(h, next(), { stride: layer.stride, padding: layer.padding }), layer.bias);
      case 'convTranspose':
        return biased(convTranspose(h, next(), { stride: layer.stride, padding: layer.padding }), layer.bias);
      case 'batchNorm':
        return batchNorm(h, next(), next());
      case 'leakyRelu':
        return nn.leakyRelu(h, 0.2);
      case 'relu':
        return nn.relu(h);
      case 'tanh':
        return np.tanh(h);
      case 'flatten':
        return h.reshape([h.shape[0]!, -1]);
      case 'reshape': {
        const [height, width, channels] = layer.image;
        return h.reshape([h.shape[0]!, channels, height, width]);
      }
    }
  };
  return layers.reduce(run, x);
}

const toArray = (values: Float32Array, shape: Shape): np.Array =>
  np.array(values as Float32Array<ArrayBuffer>).reshape([...shape]);

/** A parameter channels first; the rows or columns of a dense layer that stand for an image follow it. */
function load(p: Parameter): np.Array {
  const { rows, columns } = p;
  if (!rows && !columns) {
    const { data, shape } = channelsFirst(p.values, p);
    return toArray(data, shape);
  }
  const [from, to] = p.shape as [number, number];
  const [a, b] = [rows ?? [from], columns ?? [to]];
  const order = (image: readonly number[], first: number) =>
    (image.length === 3 ? [2, 0, 1] : [0]).map((i) => i + first);
  const { data } = transpose(p.values, [...a, ...b], [...order(a, 0), ...order(b, a.length)]);
  return toArray(data, p.shape);
}

const dispose = (...arrays: np.Array[]): void => {
  for (const a of arrays) a.dispose();
};

export async function jaxjsTrain(task: TrainTask): Promise<Prepared> {
  if (task.mode === 'eager') throw new Error('jax-js trains under jit: see the replayed step');
  const { batch: n, latent, sample, lr, betas } = task;
  const data = batches(task).map(({ real, z, alpha }) => {
    const images = channelsFirst(real, { shape: [n, ...sample.shape], layout: sample.layout });
    return {
      real: toArray(images.data, images.shape),
      z: z.map((v) => toArray(v, [n, latent])),
      alpha: toArray(alpha, [n, ...sample.shape.map(() => 1)]),
    };
  });
  let critic = initialParameters(task.critic, 1).map(load);
  let generator = initialParameters(task.generator, 101).map(load);
  let [criticState, generatorState] = [adam.init(critic), adam.init(generator)];
  const all = () => [...critic, ...generator, ...criticState, ...generatorState];
  const inputs = data.flatMap(({ real, z, alpha }) => [real, ...z, alpha]);
  await wait(blockUntilReady([...all(), ...inputs]));

  const score = (p: readonly np.Array[], x: np.Array) => forward(task.critic, p, x);
  const penalty = (p: readonly np.Array[], real: np.Array, fake: np.Array, alpha: np.Array): np.Array => {
    const x = fake.ref.add(alpha.mul(real.sub(fake)));
    const axes = x.shape.slice(1).map((_, i) => i + 1);
    const slope = grad((v: np.Array) => np.sum(score(p, v)))(x);
    return np.mean(np.square(np.sqrt(np.sum(np.square(slope), axes).add(1e-12)).sub(1)));
  };
  /** Owns all of its arguments. */
  const criticLoss = (p: np.Array[], real: np.Array, fake: np.Array, alpha: np.Array): np.Array => {
    let loss: np.Array;
    if (task.loss === 'dcgan') {
      dispose(alpha);
      loss = np.mean(nn.softplus(score(p, real).neg())).add(np.mean(nn.softplus(score(p, fake))));
    } else {
      const both = np.mean(score(p, np.concatenate([real.ref, fake.ref], 0)).reshape([2, n]), 1);
      const distance = np.sum(both.mul(np.array([-1, 1])));
      loss = distance.add(penalty(p, real, fake, alpha).mul(10));
    }
    dispose(...p);
    return loss;
  };
  const generatorLoss = (g: np.Array[], p: np.Array[], z: np.Array): np.Array => {
    const scores = score(p, forward(task.generator, g, z));
    dispose(...p, ...g);
    return task.loss === 'dcgan' ? np.mean(nn.softplus(scores.neg())) : np.mean(scores).neg();
  };

  // Both updates in one compiled step, as the library can do best.
  const compiled = jit(
    (p: np.Array[], ps: np.Array[], g: np.Array[], gs: np.Array[], real: np.Array, z: np.Array[], alpha: np.Array) => {
      const fake = forward(task.generator, g, z[0]!);
      const refs = (xs: np.Array[]) => xs.map((x) => x.ref);
      const [first, dp] = valueAndGrad(criticLoss)(refs(p), real, fake, alpha) as [np.Array, np.Array[]];
      const [p1, ps1] = adam.update(p, ps, dp, lr, betas);
      const [second, dg] = valueAndGrad(generatorLoss)(refs(g), refs(p1), z[1]!) as [np.Array, np.Array[]];
      const [g1, gs1] = adam.update(g, gs, dg, lr, betas);
      return [p1, ps1, g1, gs1, [first, second]];
    },
  );
  let steps = 0;
  const step = (): np.Array[] => {
    const { real, z, alpha } = data[steps++ % data.length]!;
    let losses: np.Array[];
    [critic, criticState, generator, generatorState, losses] = compiled(
      ...([critic, criticState, generator, generatorState] as const),
      ...([real.ref, z.map((v) => v.ref), alpha.ref] as const),
    ) as [np.Array[], np.Array[], np.Array[], np.Array[], np.Array[]];
    return losses;
  };
  return {
    run() {
      const losses = step();
      submit([...losses, ...all().map((a) => a.ref)]);
    },
    async results() {
      const values: number[] = [];
      for (let k = 0; k < 3; k++) {
        for (const [loss] of await read(step(), [])) values.push(loss!);
        await wait(blockUntilReady(all()));
      }
      return [Float32Array.from(values)];
    },
    dispose() {
      compiled.dispose();
      dispose(...all(), ...inputs);
    },
  };
}
