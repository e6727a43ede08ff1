import {
  batchNorm,
  compile,
  concat,
  conv2d,
  convTranspose2d,
  grad,
  keep,
  matmul,
  noGrad,
  scope,
  softplus,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
import { batches, initialParameters } from '../data.ts';
import type { Layer, Prepared, TrainTask } from '../task.ts';

const geometry = ({ stride, padding }: { readonly stride: number; readonly padding: number }) => ({ stride, padding });

/** A network as a function of its parameters. */
function forward(layers: readonly Layer[], parameters: readonly Tensor[], x: Tensor): Tensor {
  let at = 0;
  const next = () => parameters[at++]!;
  const biased = (y: Tensor, bias: boolean) => (bias ? y.add(next()) : y);
  const run = (h: Tensor, layer: Layer): Tensor => {
    switch (layer.kind) {
      case 'dense':
        return biased(matmul(h, next()), layer.bias);
      case 'conv':
        return biased(conv2d(h, next(), geometry(layer)), layer.bias);
      case 'convTranspose':
        return biased(convTranspose2d(h, next(), geometry(layer)), layer.bias);
      case 'batchNorm':
        return batchNorm(h, next(), next()).y;
      case 'leakyRelu':
        return h.leakyRelu(0.2);
      case 'relu':
        return h.relu();
      case 'tanh':
        return h.tanh();
      case 'flatten':
        return h.reshape([h.shape[0]!, -1]);
      case 'reshape':
        return h.reshape([h.shape[0]!, ...layer.image]);
    }
  };
  return layers.reduce(run, x);
}

export function wgradTrain(task: TrainTask): Prepared {
  const { batch: n, latent, sample, lr, betas } = task;
  const load = (values: Float32Array, shape: readonly number[]) => keep(tensor(values, { shape }));
  const start = (layers: readonly Layer[], seed: number) =>
    initialParameters(layers, seed).map(
      ({ values, shape }) => new nn.Parameter(tensor(values, { shape, requiresGrad: true })),
    );
  const data = batches(task).map(({ real, z, alpha }) => ({
    real: load(real, [n, ...sample.shape]),
    z: z.map((v) => load(v, [n, latent])),
    alpha: load(alpha, [n, ...sample.shape.map(() => 1)]),
  }));
  const [critic, generator] = [start(task.critic, 1), start(task.generator, 101)];
  const score = (x: Tensor) => forward(task.critic, critic, x);
  const generate = (z: Tensor) => forward(task.generator, generator, z);
  const optimizers = { critic: new nn.Adam(critic, { lr, betas }), generator: new nn.Adam(generator, { lr, betas }) };

  const penalty = (real: Tensor, fake: Tensor, alpha: Tensor): Tensor => {
    const x = fake
      .add(alpha.mul(real.sub(fake)))
      .detach()
      .requireGrad();
    const [slope] = grad(score(x).sum(), [x], { createGraph: true });
    const axes = x.shape.slice(1).map((_, i) => i + 1);
    return slope!.square().sum(axes).add(1e-12).sqrt().sub(1).square().mean();
  };
  const criticLoss = (real: Tensor, fake: Tensor, alpha: Tensor): Tensor => {
    if (task.loss === 'dcgan')
      return softplus(score(real).neg())
        .mean()
        .add(softplus(score(fake)).mean());
    const scores = score(concat([real, fake]))
      .reshape([2, n])
      .mean(1);
    return scores
      .slice([[1, 2]])
      .sub(scores.slice([[0, 1]]))
      .sum()
      .add(penalty(real, fake, alpha).mul(10));
  };
  const generatorLoss = (z: Tensor): Tensor => {
    const scores = score(generate(z));
    return task.loss === 'dcgan' ? softplus(scores.neg()).mean() : scores.mean().neg();
  };

  const update = (real: Tensor, z0: Tensor, z1: Tensor, alpha: Tensor): [critic: Tensor, generator: Tensor] => {
    const first = scope(() => {
      const fake = noGrad(() => generate(z0));
      const loss = criticLoss(real, fake, alpha);
      optimizers.critic.step(grad(loss, critic));
      return loss.detach();
    });
    const second = scope(() => {
      const loss = generatorLoss(z1);
      optimizers.generator.step(grad(loss, generator));
      return loss.detach();
    });
    return [first, second];
  };
  const compiled = compile(update);
  let steps = 0;
  const step = (): [critic: Tensor, generator: Tensor] => {
    const { real, z, alpha } = data[steps++ % data.length]!;
    return (task.mode === 'eager' ? update : compiled)(real, z[0]!, z[1]!, alpha);
  };
  return {
    run: () => scope(() => void step()),
    async results() {
      const losses = [0, 1, 2].flatMap(() => step());
      const values = await Promise.all(losses.map((l) => l.item()));
      for (const l of losses) l.dispose();
      return [Float32Array.from(values)];
    },
    dispose() {
      compiled.dispose();
      optimizers.critic.dispose();
      optimizers.generator.dispose();
      for (const t of [...critic, ...generator, ...data.flatMap(({ real, z, alpha }) => [real, ...z, alpha])])
        t.dispose();
    },
  };
}
