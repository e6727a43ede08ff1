/** In a page: runs a test file that was bundled for it. */
import { currentTest, declared, type PageTest, runAll } from './uvu.ts';

export interface Report {
  readonly tests: readonly PageTest[];
  readonly hookErrors: readonly string[];
  /** WebGPU's errors that no error scope caught, whether or not the engine told somebody of them. */
  readonly refused: readonly { readonly test: string; readonly message: string }[];
}

const refused: { test: string; message: string }[] = [];
const devices = new Set<GPUDevice>();

const { requestDevice } = GPUAdapter.prototype;
GPUAdapter.prototype.requestDevice = async function (descriptor) {
  const device = await requestDevice.call(this, descriptor);
  devices.add(device);
  void device.lost.then(() => devices.delete(device));
  device.addEventListener('uncapturederror', ({ error }) => {
    refused.push({ test: currentTest(), message: error.message });
  });
  return device;
};

/** Waits for all work under way: errors are told in order, so that each is told within the test that made it. */
const settled = async (): Promise<void> => {
  await Promise.all([...devices].map((d) => Promise.race([d.queue.onSubmittedWorkDone(), d.lost])));
};

async function runFile(url: string): Promise<Report> {
  await import(url);
  const hookErrors = await runAll(settled);
  return { tests: declared(), hookErrors, refused };
}

Object.assign(globalThis, { runFile });
