/**
 * One library in a process of its own, which does what its parent asks: so that no library's garbage, compiled shaders or
 * lost device burden another, and whoever is not being timed sleeps.
 */
import type { AdapterChoice } from '../engine/platform.browser.ts';
import { garbageCollector } from '../engine/platform.node.ts';
import { dispatches, peakBytes, provideAdapter, queuesDone } from './adapter.ts';
import type { Calls, Reply, Request } from './client.ts';
import type { FirstStep, Library, Peer, Prepared, Sample, Task } from './task.ts';

const LIBRARY: Readonly<Record<Library, () => Promise<{ open(): Promise<Peer> }>>> = {
  wgrad: () => import('./peers/wgrad.ts'),
  tfjs: () => import('./peers/tfjs.ts'),
  jaxjs: () => import('./peers/jaxjs.ts'),
};

let peer: Peer;
let current: Prepared | undefined;
const collect = garbageCollector();

async function sync(): Promise<void> {
  peer.flush();
  await queuesDone();
}

async function prepare(task: Task): Promise<Float32Array[]> {
  current = await peer.prepare(task);
  const results = await current.results();
  await sync();
  return results;
}

async function time(calls: number): Promise<Sample> {
  if (!current) throw new Error('no task is prepared');
  // Garbage of earlier samples is nobody's fault in this one; bind groups also hold memory mappings on lavapipe.
  collect();
  const before = dispatches();
  const began = performance.now();
  for (let i = 0; i < calls; i++) current.run();
  peer.flush();
  const recorded = performance.now();
  await queuesDone();
  const done = performance.now();
  return {
    ...{ ms: (done - began) / calls, recordMs: (recorded - began) / calls },
    dispatches: (dispatches() - before) / calls,
  };
}

async function first(task: Task, steps: number): Promise<FirstStep> {
  current = await peer.prepare(task);
  await sync();
  const { ms } = await time(1);
  for (let i = 0; i < steps; i++) await time(1);
  return { ms, peakBytes: peakBytes() };
}

type Answer = Calls[keyof Calls]['answer'];

async function answer(ask: Request): Promise<Answer> {
  switch (ask.call) {
    case 'open': {
      const adapter = await provideAdapter((process.env.WGRAD_ADAPTER || undefined) as AdapterChoice);
      peer = await (await LIBRARY[ask.library]()).open();
      return adapter;
    }
    case 'roofs':
      if (!peer.roofs) throw new Error('this library cannot measure roofs');
      return peer.roofs();
    case 'prepare':
      return prepare(ask.task);
    case 'time':
      return time(ask.calls);
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
