/**
 * One library in a process of its own, which does what its parent asks: so that no library's garbage, compiled shaders or
 * lost device burden another, and whoever is not being timed sleeps.
 */
import { readFileSync } from 'node:fs';
import type { AdapterChoice } from '../engine/platform/platform.browser.ts';
import { type Check, garbageCollector } from '../engine/platform/platform.node.ts';
import { dispatches, peakBytes, provideAdapter, queuesDone } from './adapter.ts';
import type { Calls, Reply, Request } from './client.ts';
import { type FirstStep, type Library, type Peer, type Prepared, prepareWith, type Sample, type Task } from './task.ts';

const LIBRARY: Readonly<Record<Library, () => Promise<{ open(): Promise<Peer> }>>> = {
  wgrad: () => import('./peers/wgrad.ts'),
  tfjs: () => import('./peers/tfjs.ts'),
  jaxjs: () => import('./peers/jaxjs.ts'),
};

/** Dawn's checks that a library's results do not need; tfjs gives NaN on SwiftShader without robustness (clamped indices). */
const DISABLED: Readonly<Record<Library, readonly Check[]>> = {
  wgrad: ['disable_robustness', 'disable_workgroup_init'],
  tfjs: ['disable_workgroup_init'],
  jaxjs: ['disable_robustness', 'disable_workgroup_init'],
};

let peer: Peer;
let current: Prepared | undefined;
const collect = garbageCollector();

const never = new Int32Array(new SharedArrayBuffer(4));

/**
 * Milliseconds that this thread has run for: on Linux without those that the adapter's threads and other programs took
 * from it, on other systems all that passed. Linux adds them up when its scheduler ticks, every few milliseconds, and when the
 * thread goes to sleep, which it therefore does for a moment.
 */
function busy(): number {
  if (process.platform !== 'linux') return performance.now();
  Atomics.wait(never, 0, 0, 0.01);
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}

/** The largest of some steps in which `busy` moves, in milliseconds: reading it takes time too, and there may be no ticks. */
const GRAIN = ((): number => {
  let grain = 0;
  const since = performance.now();
  for (let last = busy(), moves = 0; moves < 4 && performance.now() - since < 60; ) {
    const now = busy();
    if (now === last) continue;
    if (moves > 0) grain = Math.max(grain, now - last); // the first one had begun before
    last = now;
    moves++;
  }
  return grain;
})();

async function sync(): Promise<void> {
  peer.flush();
  await queuesDone();
}

async function prepare(task: Task): Promise<Float32Array[]> {
  current = await prepareWith(peer, task);
  const results = await current.results();
  await sync();
  return results;
}

async function time(calls: number, record: boolean): Promise<Sample> {
  if (!current) throw new Error('no task is prepared');
  // Garbage of earlier samples is nobody's fault in this one; bind groups also hold memory mappings on lavapipe.
  collect();
  const before = dispatches();
  const began = performance.now();
  const cpu = record ? busy() : 0;
  for (let i = 0; i < calls; i++) current.run();
  peer.flush();
  const recorded = record ? busy() - cpu : 0;
  await queuesDone();
  const done = performance.now();
  return {
    ms: (done - began) / calls,
    recordMs: recorded / calls,
    dispatches: (dispatches() - before) / calls,
    calls,
    grainMs: GRAIN,
  };
}

async function first(task: Task, steps: number): Promise<FirstStep> {
  current = await prepareWith(peer, task);
  await sync();
  const { ms } = await time(1, false);
  for (let i = 0; i < steps; i++) await time(1, false);
  return { ms, peakBytes: peakBytes() };
}

type Answer = Calls[keyof Calls]['answer'];

async function answer(ask: Request): Promise<Answer> {
  switch (ask.call) {
    case 'open': {
      const adapter = await provideAdapter(
        (process.env.WGRAD_ADAPTER || undefined) as AdapterChoice,
        DISABLED[ask.library],
      );
      peer = await (await LIBRARY[ask.library]()).open();
      return adapter;
    }
    case 'roofs':
      if (!peer.roofs) throw new Error('this library cannot measure roofs');
      return peer.roofs();
    case 'prepare':
      return prepare(ask.task);
    case 'time':
      return time(ask.calls, ask.record ?? false);
    case 'dispose':
      current?.dispose();
      current = undefined;
      await sync();
      return null;
    case 'first':
      return first(ask.task, ask.steps);
  }
}

process.on('message', async (ask: Request) => {
  const reply: Reply = await answer(ask).then(
    (given) => ({ answer: given }),
    (error: Error) => ({ error: error.message.split('\n')[0]! }),
  );
  process.send!(reply);
});
process.on('disconnect', () => process.exit());
