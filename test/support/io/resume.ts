/** Goes on with a run of `gan.ts` from a checkpoint, in a process of its own, and prints where it ends. */
import { destroy, reference } from '../../../engine/index.ts';
import { loadCheckpoint } from '../../../nn/index.node.ts';
import { openGpu } from '../devices.ts';
import { startRun } from './gan.ts';

const [, , path = '', kind, mode] = process.argv;
const gpu = kind === 'webgpu' ? await openGpu() : undefined;
const run = startRun(gpu ?? reference, mode === 'compiled' ? 'compiled' : 'eager', 99);
const { metadata } = await loadCheckpoint(path, run.parts);
for (let k = (metadata as { step: number }).step; k < 6; k++) run.step(k);
console.log(JSON.stringify(await run.fingerprint()));
gpu?.destroy();
destroy();
