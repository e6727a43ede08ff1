/** Run folders as a training would leave them, made up. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tileImages } from '../../gan/pictures/grid.ts';
import { writePng } from '../../gan/pictures/png.node.ts';
import type { Row } from '../../gan/row.ts';

export interface MadeUpRun {
  readonly config?: Readonly<Record<string, unknown>> | string;
  /** Logged steps. */
  readonly steps?: number;
  /** Further columns of each row. */
  readonly row?: (step: number) => Row;
  /** Steps of grids. */
  readonly grids?: readonly number[];
  readonly evaluation?: Readonly<Record<string, unknown>>;
}

/** @returns the folder's path */
export async function makeRun(root: string, name: string, made: MadeUpRun = {}): Promise<string> {
  const { config = {}, steps = 60, row, grids = [0, 30, 60], evaluation } = made;
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  const asked = {
    model: 'dcgan',
    objective: 'wasserstein',
    data: 'mnist',
    regularizers: ['gradient-penalty=10'],
    steps: 60,
    batch: 32,
    seed: 0,
  };
  const where = {
    command: 'npx wgrad train --steps 60 --adapter lavapipe',
    adapter: 'llvmpipe (LLVM 19)',
    version: '0.1.0',
    commit: 'abc1234',
    started: '2026-11-22T08:00:00Z',
  };
  const text = typeof config === 'string' ? config : JSON.stringify({ ...asked, ...where, ...config });
  writeFileSync(join(folder, 'config.json'), text);
  const lines = (rows: readonly Row[]): string => rows.map((r) => `${JSON.stringify(r)}\n`).join('');
  const at = Array.from({ length: steps }, (_, i) => i + 1);
  const wobble = (step: number): number => Math.sin(step * 12.9898) * 0.5;
  const metrics = at.map((step) => ({
    step,
    criticLoss: -20 * Math.exp(-step / 20) - wobble(step),
    generatorLoss: 2 * wobble(step + 0.5),
    wasserstein: 20 * Math.exp(-step / 20) + wobble(step),
    penalty: 0.1 + 0.05 * wobble(step),
    ...(step % 20 === 0 && { fid: 300 / step }),
    ...row?.(step),
  }));
  const timing = at
    .filter((s) => s % 5 === 0)
    .map((step) => ({ step, seconds: step * 0.4 + wobble(step) / 10, bytes: 5e7 + step * 1e4 }));
  writeFileSync(join(folder, 'metrics.jsonl'), lines(metrics));
  writeFileSync(join(folder, 'timing.jsonl'), lines(timing));
  for (const step of grids) await writePng(join(folder, `samples-${String(step).padStart(6, '0')}.png`), grid(step));
  if (evaluation) writeFileSync(join(folder, 'evaluation.json'), JSON.stringify(evaluation));
  return folder;
}

/** Sixteen discs, sharper with the steps. */
const grid = (step: number) => {
  const sharp = 0.5 + step / 10;
  const pixel = (i: number): number => {
    const [x, y, n] = [(i % 16) - 7.5, (Math.floor(i / 16) % 16) - 7.5, Math.floor(i / 256)];
    return Math.tanh(sharp * (3 + (n % 4) - Math.hypot(x, y)));
  };
  return tileImages(
    Float32Array.from({ length: 16 * 256 }, (_, i) => pixel(i)),
    [16, 16, 16, 1],
    { scale: 2 },
  );
};

/** What `evaluate` gives, for a run of this FID. */
export const evaluationOf = (fid: number) => ({
  fid: {
    title: 'FID (digit classifier, 64 features)',
    better: 'lower',
    count: 10000,
    value: fid,
    spread: 0.3,
    real: { value: 1.2 },
    noise: { value: 410 },
  },
  recall: {
    title: 'recall',
    better: 'higher',
    count: 10000,
    value: 1 / (1 + fid),
    real: { value: 0.93 },
    noise: { value: 0 },
  },
});
