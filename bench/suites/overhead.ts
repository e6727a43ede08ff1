/** What the libraries cost beside the arithmetic. */
import type { Case, Mode, Task } from '../task.ts';
import { train } from './train.ts';

const chain = (length: number, size: number, mode: Mode): Task => ({ kind: 'chain', length, size, mode });
const common = { suite: 'overhead', tolerance: 1e-4 } as const;
const perDispatch = { ...common, measure: 'record' } as const;

const dcgan = train.find(({ name }) => name === 'DCGAN')!;
const step = (mode: Mode): Case => ({
  ...dcgan,
  suite: 'overhead',
  measure: 'record',
  note: "JavaScript's time for a dispatch",
  name: `DCGAN step, ${mode}`,
  task: { ...dcgan.task, mode } as Task,
});

export const overhead: readonly Case[] = [
  {
    ...common,
    name: '200 additions, eager',
    shape: '1 element',
    task: chain(200, 1, 'eager'),
    measure: 'total',
  },
  {
    ...{
      ...perDispatch,
      name: 'an addition, eager',
      shape: '4096 elements',
      task: chain(200, 4096, 'eager'),
      quick: true,
    },
    note: "JavaScript's time for a dispatch",
  },
  {
    ...common,
    name: '64 additions, replayed',
    shape: '4096 elements',
    task: chain(64, 4096, 'replayed'),
    ...{
      measure: 'total',
      note: 'both fuse them into one dispatch (of 200, jax-js nests its WGSL too deep for Dawn)',
      quick: true,
    },
  },
  step('eager'),
  step('replayed'),
];
