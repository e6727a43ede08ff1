import { concat, grad, noGrad, Rng, scope, type Tensor } from '../../engine/index.ts';
import { swissRoll } from '../../gan/data/curves.ts';
import { pointSet } from '../../gan/data/distribution.ts';
import { trainingData, trainingLoader } from '../../gan/data/trainingData.ts';
import { mlp } from '../../gan/networks/mlp.ts';
import { type Regularizer, regularizer } from '../../gan/objectives/regularizer.ts';
import { randomStreams } from '../../gan/randomStreams.ts';
import { disposeSystem } from '../../gan/system.ts';
import { Gan } from '../../gan/systems/adversarial.ts';
import { train } from '../../gan/train.ts';
import { histogram } from '../../gan/transport/histogram.ts';
import { Adam, DataLoader, ReLU, Sequential } from '../../nn/index.ts';

/** What keeps the critic Lipschitz: nothing else differs between the runs. */
export const bounds = {
  'clip-0.1': { title: 'clipping, c = 0.1', regularizer: () => regularizer('weight-clipping', 0.1) },
  'clip-0.01': { title: 'clipping, c = 0.01', regularizer: () => regularizer('weight-clipping', 0.01) },
  'clip-0.001': { title: 'clipping, c = 0.001', regularizer: () => regularizer('weight-clipping', 0.001) },
  penalty: { title: 'gradient penalty 10', regularizer: () => regularizer('gradient-penalty', 10) },
} as const satisfies Readonly<Record<string, { readonly title: string; readonly regularizer: () => Regularizer }>>;

/** The name of a bound. */
export type BoundName = keyof typeof bounds;

/** What decides a run, beside the bound. */
export interface ClippingSettings {
  /** Hidden layers of both networks. */
  readonly depth: number;
  readonly width: number;
  readonly batch: number;
  readonly criticSteps: number;
  /** Updates of the generator. */
  readonly steps: number;
  /** Generator steps between two measurements of the gradient. */
  readonly every: number;
  readonly lr: number;
  /** Bins of the histogram of the weights. */
  readonly bins: number;
  readonly seed: number;
}

/** Norms of the gradient at one moment. */
export interface NormsRow {
  readonly step: number;
  /** ‖∂L/∂h‖ for the output h [2N, width] of each hidden layer, the first layer first; L is the critic's loss without penalty. */
  readonly norms: readonly number[];
  /** The critic's E f(x) - E f(y) in its last update before; absent from findings of before it was kept. */
  readonly wasserstein?: number;
}

/** What a run found. */
export interface ClippingResult {
  readonly rows: readonly NormsRow[];
  /** All weights of the critic but the biases, after the last step, between their least and greatest value. */
  readonly weights: { readonly edges: readonly number[]; readonly counts: readonly number[] };
  /** Share of them within a twentieth of the largest magnitude from it, 0 to 1. */
  readonly atEnds: number;
}

/** Of the averages of Adam. */
export const BETAS = [0, 0.9] as const;

/** Trains a deep WGAN on the Swiss roll and watches the critic's gradients. */
export async function clippingRun(name: BoundName, settings: ClippingSettings): Promise<ClippingResult> {
  const { depth, width, batch, criticSteps, steps, every, lr, bins, seed } = settings;
  const set = pointSet(swissRoll(), { seed });
  const networks = mlp({ shape: [2], depth, width, rng: new Rng(seed, randomStreams.weights) });
  const gan = new Gan(networks, new Rng(seed, randomStreams.training), {
    regularizers: [bounds[name].regularizer()],
    criticOptimizer: (parameters) => new Adam(parameters, { lr, betas: BETAS }),
    criticSteps,
  });
  const data = trainingLoader(set, batch, new Rng(seed, randomStreams.data));
  const watched = new DataLoader(trainingData(set, 'test'), { batchSize: batch, dropLast: true });
  const batches = watched.epochs()[Symbol.iterator]();
  const rng = new Rng(seed, randomStreams.samples);
  const rows: NormsRow[] = [];
  const pauses = (step: number) => step % every === 0;
  for await (const { step, wasserstein } of train(gan, { data }, { until: steps - (steps % every), pauses })) {
    if (!pauses(step!)) continue;
    const read = scope(() => layerGradients(gan, batches.next().value!.sample, rng).map((g) => g.data()));
    const norms = (await Promise.all(read)).map(norm);
    rows.push({ step: step!, norms, ...(wasserstein !== undefined && { wasserstein }) });
  }
  const weights: number[] = [];
  for (const p of networks.critic.parameters()) if (p.rank > 1) for (const w of await p.data()) weights.push(w);
  disposeSystem(gan);
  const most = weights.reduce((m, w) => Math.max(m, Math.abs(w)), 0);
  const atEnds = weights.filter((w) => Math.abs(w) >= 0.95 * most).length / weights.length;
  const { edges, counts } = histogram(weights, { bins, range: [-most, most] });
  return { rows, weights: { edges: [...edges], counts: [...counts] }, atEnds };
}

/**
 * The gradient of the critic's loss, without penalties, with respect to the output of each of its hidden layers, in their order.
 * @param real samples [N, D]; as many are generated
 * @throws TypeError for a critic that is no `Sequential` with relu after each hidden layer
 */
export function layerGradients(gan: Gan, real: Tensor, rng: Rng): Tensor[] {
  const { critic, generator, latent } = gan.networks;
  const n = real.shape[0]!;
  if (!(critic instanceof Sequential)) throw new TypeError('layerGradients: the critic must be a Sequential');
  const fake = noGrad(() => generator.forward(rng.normal([n, latent])));
  let h = concat([real, fake]);
  const outputs: Tensor[] = [];
  for (const layer of critic) {
    h = layer.forward(h);
    if (layer instanceof ReLU) outputs.push(h);
  }
  if (outputs.length === 0) throw new TypeError('layerGradients: the critic has no relu');
  return grad(gan.objective.criticLoss(h.slice([[0, n]]), h.slice([[n, 2 * n]])), outputs);
}

/** In float64, and scaled first: the squares of vanished gradients are below every float32. */
function norm(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  if (most === 0) return 0;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i]! / most) ** 2;
  return most * Math.sqrt(sum);
}
