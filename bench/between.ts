/**
 * Two checkouts of wgrad on one training task, in turn in one process, by processor time: what a change is worth where the
 * machine is too busy for the clock.
 *
 *     npx tsx bench/between.ts FOLDER [--case 0] [--rounds 11] [--steps 2]
 *
 * FOLDER holds the older checkout, with its node_modules; the newer one is this. WGRAD_ADAPTER chooses the adapter. `--case`
 * counts the tasks of `suites/train.ts`.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { terminal } from '../cli/terminal/terminal.node.ts';
import type { AdapterChoice } from '../engine/platform/platform.browser.ts';
import type { Prepared } from './task.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    case: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '11' },
    steps: { type: 'string', default: '2' },
  },
});
const [folder] = positionals;
if (!folder) throw new Error('between: name the folder of the older checkout');
const [index, rounds, steps] = [values.case, values.rounds, values.steps].map(Number) as [number, number, number];

/** Milliseconds of processor time of this process, the adapter's threads included. */
const busy = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
};

/** Runs a task's step; the promise is for the adapter's work. */
interface Side {
  readonly run: (times: number) => Promise<number>;
  readonly launches: () => number;
  readonly close: () => void;
}

async function open(root: string): Promise<Side> {
  const load = <M>(path: string): Promise<M> => import(pathToFileURL(resolve(root, path)).href) as Promise<M>;
  const { openWebGpu } = await load<typeof import('../engine/init.ts')>('engine/init.ts');
  const { setDevice } = await load<typeof import('../engine/device.ts')>('engine/device.ts');
  const { wgradTrain } = await load<typeof import('./peers/wgradTrain.ts')>('bench/peers/wgradTrain.ts');
  const { train } = await load<typeof import('./suites/train.ts')>('bench/suites/train.ts');
  const gpu = await openWebGpu(process.env.WGRAD_ADAPTER as AdapterChoice);
  setDevice(gpu);
  const chosen = train[index];
  if (chosen?.task.kind !== 'train') throw new Error(`between: there is no training task ${index}`);
  const task: Prepared = wgradTrain(chosen.task);
  return {
    async run(times) {
      const before = busy();
      for (let k = 0; k < times; k++) task.run();
      await gpu.sync();
      return (busy() - before) / times;
    },
    launches: () => gpu.counters().dispatches,
    close() {
      task.dispose();
      gpu.destroy();
    },
  };
}

const median = (x: readonly number[]): number => [...x].sort((a, b) => a - b)[x.length >> 1]!;

const sides = [await open(folder), await open('.')] as const;
for (const [k, side] of sides.entries()) {
  const first = await side.run(1);
  const before = side.launches();
  await side.run(1);
  terminal.out.text(
    `${['older', 'newer'][k]}: first step ${first.toFixed(0)} ms, then ${side.launches() - before} launches a step`,
  );
}
const ratios: number[] = [];
const times: [number[], number[]] = [[], []];
for (let r = 0; r < rounds; r++) {
  const [a, b] = [await sides[0].run(steps), await sides[1].run(steps)];
  times[0].push(a);
  times[1].push(b);
  ratios.push(b / a);
}
terminal.out.text(
  `a step, medians: ${times.map((t) => `${median(t).toFixed(1)} ms`).join(' -> ')}; median ratio ${median(ratios).toFixed(3)}`,
);
for (const side of sides) side.close();
