/**
 * One adapter for every library, with the same counters on each. Libraries that ask `navigator.gpu` for an adapter get the
 * one that wgrad's engine would open, and with Dawn's checks in shaders off as far as their results stay right.
 */

import type { AdapterChoice } from '../engine/platform/platform.browser.ts';
import { type Check, type Found, findAdapter, patiently } from '../engine/platform/platform.node.ts';

const devices: GPUDevice[] = [];
const errors: string[] = [];
/** Adapters stay alive as long as the process. */
const found: Found[] = [];
let bytes = 0;
let peak = 0;
let count = 0;

/** Live bytes of a buffer that was dropped without destroy() go when it is collected. */
const dropped = new FinalizationRegistry<number>((size) => {
  bytes -= size;
});

export const dispatches = (): number => count;
/** The most bytes in buffers that were alive at once. */
export const peakBytes = (): number => peak;

/**
 * Sets `navigator.gpu`, and counts from now on.
 * @param disabled Dawn's checks that the library's shaders do without
 * @returns the adapter's name
 */
export async function provideAdapter(choice: AdapterChoice, disabled: readonly Check[]): Promise<string> {
  const gpu = {
    async requestAdapter(): Promise<GPUAdapter> {
      const one = await findAdapter(choice, disabled);
      found.push(one);
      return one.adapter;
    },
    getPreferredCanvasFormat: () => 'bgra8unorm',
    wgslLanguageFeatures: new Set<string>(),
  };
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'node' }, configurable: true });
  const { info } = await gpu.requestAdapter(); // WebGPU's classes are global from here on
  instrument(GPUAdapter.prototype, GPUDevice.prototype, GPUBuffer.prototype, GPUComputePassEncoder.prototype);
  return info.description || [info.vendor, info.architecture, info.device].filter(Boolean).join(' ');
}

function instrument(adapter: GPUAdapter, device: GPUDevice, buffer: GPUBuffer, pass: GPUComputePassEncoder): void {
  const { requestDevice } = adapter;
  adapter.requestDevice = async function (this: GPUAdapter, descriptor) {
    const made = await requestDevice.call(this, descriptor);
    made.addEventListener('uncapturederror', ({ error }) => errors.push(error.message));
    devices.push(made);
    return made;
  };
  const { createBuffer } = device;
  device.createBuffer = function (this: GPUDevice, descriptor) {
    const made = createBuffer.call(this, descriptor);
    bytes += descriptor.size;
    peak = Math.max(peak, bytes);
    dropped.register(made, descriptor.size, made);
    return made;
  };
  const { destroy } = buffer;
  buffer.destroy = function (this: GPUBuffer) {
    if (dropped.unregister(this)) bytes -= this.size;
    return destroy.call(this);
  };
  const { dispatchWorkgroups } = pass;
  pass.dispatchWorkgroups = function (this: GPUComputePassEncoder, ...grid) {
    count++;
    dispatchWorkgroups.apply(this, grid);
  };
}

/**
 * Waits until all devices are done with what was submitted. Sleeps between Dawn's polls, for every library alike.
 * @throws Error if WebGPU refused a command: results would be garbage, and times too short
 */
export async function queuesDone(): Promise<void> {
  await patiently(Promise.all(devices.map((d) => d.queue.onSubmittedWorkDone())));
  const [first] = errors.splice(0);
  if (first) throw new Error(`WebGPU refused a command: ${first.split('\n')[0]}`);
}

/** Waits for a library's own promise in the same way. */
export const wait = patiently;
