import { Rng, type Tensor, tensor } from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';

/** A network with a frozen layer, and an optimizer of two groups. */
export function network(seed = 3) {
  const rng = new Rng(seed);
  const layers = [new nn.Linear(4, 6, { rng }), new nn.Linear(6, 6, { rng }), new nn.Linear(6, 2, { rng })] as const;
  const model = new nn.Sequential(layers[0], new nn.Tanh(), layers[1], new nn.Tanh(), layers[2]);
  layers[1].requireGrad(false);
  const rest = model.parameters().filter((p) => p !== layers[2].weight);
  const optimizer = new nn.Adam([{ params: rest }, { params: [layers[2].weight], lr: 0.1, weightDecay: 0.01 }]);
  const trained = model.parameters().filter((p) => p.requiresGrad);
  return { model, optimizer, trained, dispose: () => [optimizer, model].forEach((d) => void d.dispose()) };
}
export type Network = ReturnType<typeof network>;

/** The loss of a network on a batch. */
export const lossOf = ({ model }: Network, x: Tensor): Tensor => model.forward(x).square().mean();
/** The numbers of six batches. */
export const batches = Array.from({ length: 6 }, (_, k) => new Rng(20 + k).hostNormal(12));
/** A batch, [3, 4]. */
export const batch = (k: number): Tensor => tensor(batches[k]!, { shape: [3, 4] });
