import * as tf from '@tensorflow/tfjs-core';
import { wait } from '../adapter.ts';
import { batches, initialParameters } from '../data.ts';
import type { Layer, Prepared, TrainTask } from '../task.ts';
import { batchNorm, leakyRelu, padding } from './tfjsOps.ts';

type Tensor = tf.Tensor;

/** tf.leakyRelu has no second derivative ("gradient function not found for Greater"); this is the same function. */
const twiceDifferentiable = (x: Tensor): Tensor => tf.sub(tf.relu(x), tf.mul(tf.relu(tf.neg(x)), 0.2));

const softplusMean = (x: Tensor): tf.Scalar => tf.mean(tf.softplus(x));

function forward(layers: readonly Layer[], parameters: readonly Tensor[], x: Tensor, activation = leakyRelu): Tensor {
  let at = 0;
  const next = () => parameters[at++]!;
  const biased = (y: Tensor, bias: boolean) => (bias ? tf.add(y, next()) : y);
  const run = (h: Tensor, layer: Layer): Tensor => {
    switch (layer.kind) {
      case 'dense':
        return biased(tf.matMul(h, next()), layer.bias);
      case 'conv':
        return biased(
          tf.conv2d(h as tf.Tensor4D, next() as tf.Tensor4D, layer.stride, padding(layer.padding)),
          layer.bias,
        );
      case 'convTranspose': {
        const [n, height, width] = h.shape as [number, number, number, number];
        const grown = (s: number) => (s - 1) * layer.stride - 2 * layer.padding + layer.size;
        const shape: [number, number, number, number] = [n, grown(height), grown(width), layer.out];
        const pad = padding(layer.padding) as never;
        return biased(
          tf.conv2dTranspose(h as tf.Tensor4D, next() as tf.Tensor4D, shape, layer.stride, pad),
          layer.bias,
        );
      }
      case 'batchNorm':
        return batchNorm(h, next(), next());
      case 'leakyRelu':
        return activation(h);
      case 'relu':
        return tf.relu(h);
      case 'tanh':
        return tf.tanh(h);
      case 'flatten':
        return tf.reshape(h, [h.shape[0], -1]);
      case 'reshape':
        return tf.reshape(h, [h.shape[0], ...layer.image]);
    }
  };
  return layers.reduce(run, x);
}

export function tfjsTrain(task: TrainTask): Prepared {
  if (task.mode === 'replayed') throw new Error('tfjs records no graph of ops to replay');
  const { batch: n, latent, sample, lr, betas } = task;
  const start = (layers: readonly Layer[], seed: number) =>
    initialParameters(layers, seed).map(({ values, shape }) => tf.variable(tf.tensor(values, [...shape])));
  const data = batches(task).map(({ real, z, alpha }) => ({
    real: tf.tensor(real, [n, ...sample.shape]),
    z: z.map((v) => tf.tensor(v, [n, latent])),
    alpha: tf.tensor(alpha, [n, ...sample.shape.map(() => 1)]),
  }));
  const [critic, generator] = [start(task.critic, 1), start(task.generator, 101)];
  const activation = task.loss === 'wganGp' ? twiceDifferentiable : leakyRelu;
  const score = (x: Tensor) => forward(task.critic, critic, x, activation);
  const generate = (z: Tensor) => forward(task.generator, generator, z);
  const adam = () => tf.train.adam(lr, betas[0], betas[1], 1e-8);
  const optimizers = { critic: adam(), generator: adam() };

  const penalty = (real: Tensor, fake: Tensor, alpha: Tensor): Tensor => {
    const between = tf.add(fake, tf.mul(alpha, tf.sub(real, fake)));
    const slope = tf.grad((x: Tensor) => tf.sum(score(x)))(between);
    const axes = real.shape.slice(1).map((_, i) => i + 1);
    const norm = tf.sqrt(tf.add(tf.sum(tf.square(slope), axes), 1e-12));
    return tf.mean(tf.square(tf.sub(norm, 1)));
  };
  const criticLoss = (real: Tensor, fake: Tensor, alpha: Tensor): tf.Scalar => {
    if (task.loss === 'dcgan') return tf.add(softplusMean(tf.neg(score(real))), softplusMean(score(fake)));
    const [onReal, onFake] = tf.split(score(tf.concat([real, fake])), 2).map((s) => tf.mean(s));
    return tf.add(tf.sub(onFake!, onReal!), tf.mul(penalty(real, fake, alpha), 10));
  };
  const generatorLoss = (z: Tensor): tf.Scalar => {
    const scores = score(generate(z));
    return task.loss === 'dcgan' ? softplusMean(tf.neg(scores)) : tf.neg(tf.mean(scores));
  };

  let steps = 0;
  const step = (): Tensor[] => {
    const { real, z, alpha } = data[steps++ % data.length]!;
    return tf.tidy(() => {
      const fake = generate(z[0]!);
      const first = optimizers.critic.minimize(() => criticLoss(real, fake, alpha), true, critic)!;
      const second = optimizers.generator.minimize(() => generatorLoss(z[1]!), true, generator)!;
      return [first, second];
    });
  };
  return {
    run: () => tf.dispose(step()),
    async results() {
      const losses = [0, 1, 2].flatMap(() => step());
      const values = await wait(Promise.all(losses.map(async (l) => (await l.data())[0]!)));
      tf.dispose(losses);
      return [Float32Array.from(values)];
    },
    dispose() {
      optimizers.critic.dispose();
      optimizers.generator.dispose();
      tf.dispose([...critic, ...generator, ...data.flatMap(({ real, z, alpha }) => [real, ...z, alpha])]);
    },
  };
}
