/** What the libraries cost beside the arithmetic. */
import type { Case, ChainTask, Mode, Shape, Task } from '../task.ts';
import { train } from './train.ts';

const chain = (op: ChainTask['op'], length: number, shape: Shape, mode: Mode): Task => ({
  kind: 'chain',
  op,
  length,
  shape,
  mode,
});
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
    task: chain('add', 200, [1], 'eager'),
    measure: 'total',
  },
  {
    ...perDispatch,
    name: 'an addition, eager',
    shape: '4096 elements',
    task: chain('add', 200, [4096], 'eager'),
    note: "JavaScript's time for a dispatch",
    quick: true,
  },
  {
    ...common,
    name: '64 additions, replayed',
    shape: '4096 elements',
    task: chain('add', 64, [4096], 'replayed'),
    measure: 'total',
    note: 'both fuse them into one dispatch (of 200, jax-js nests its WGSL too deep for Dawn)',
    quick: true,
  },
  {
    ...perDispatch,
    name: 'a small product, replayed',
    shape: '4x4 4x4',
    task: chain('matmul', 64, [4, 4], 'replayed'),
    note: "JavaScript's time for a dispatch; of 64 in a row",
    quick: true,
  },
  step('eager'),
  step('replayed'),
];
