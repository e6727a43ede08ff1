import { Rng } from '../../engine/index.ts';
import { Gan, type GanOptions, gaussianRing, mlp, pointSet, type StepRow, trainingLoader } from '../../gan/index.ts';
import { Adam } from '../../nn/index.ts';

/** Samples in a batch. */
export const BATCH = 8;
/** A few points to train on. */
export const set = pointSet(gaussianRing(), { seed: 1, trainSize: 64, testSize: 8 });

/** A small GAN and its data; two of them are alike to the last bit. */
export function make(options: GanOptions = {}) {
  const networks = mlp({ shape: [2], latent: 2, width: 8, depth: 1, rng: new Rng(1, 1) });
  const gan = new Gan(networks, new Rng(1, 2), {
    criticOptimizer: (p) => new Adam(p, { lr: 1e-2, betas: [0.5, 0.9] }),
    ...options,
  });
  return { gan, data: trainingLoader(set, BATCH, new Rng(1, 3)) };
}

/** The rows of a loop, to its end. */
export async function rowsOf(loop: AsyncIterable<StepRow>): Promise<StepRow[]> {
  const rows: StepRow[] = [];
  for await (const row of loop) rows.push(row);
  return rows;
}
