import type { AdapterChoice } from '../../engine/adapters.ts';
import { currentDevice, type Device, withDevice } from '../../engine/device.ts';
import { adapterNames, init, scope, type Tensor, tensor } from '../../engine/index.ts';
import { openWebGpu } from '../../engine/init.ts';
import type { KernelFamily, WebGpuDevice } from '../../engine/webgpu/device.ts';
import type { Target } from '../../kernels/kernel.ts';

export { reference } from '../../engine/reference/device.ts';

const named = process.env.WGRAD_ADAPTER;

/** The adapter under test: `WGRAD_ADAPTER`, else the best there is. There is always one, so nothing is skipped. */
export const adapter = adapterNames.find((name) => name === named && name !== 'reference') as AdapterChoice;

/** Opens the WebGPU device under test; the current device stays as it is. */
export const openGpu = (family?: KernelFamily): Promise<WebGpuDevice> => openWebGpu(adapter, family);

/** Makes the WebGPU adapter under test current, as `init` does, also where WGRAD_ADAPTER names the float64 device. */
export async function initGpu(): Promise<Device> {
  if (named !== 'reference') return init({ adapter });
  const variables = process.env;
  process.env = { ...variables, WGRAD_ADAPTER: '' };
  const device = init();
  process.env = variables;
  return device;
}

/** Runs `fn` with the kernels of a family, on a device that is already open: what the families share is compiled once. */
export function withFamily<T>(device: WebGpuDevice, family: KernelFamily, fn: () => T): T {
  const holder = device as { target: Target };
  const before = holder.target;
  holder.target = { ...before, family };
  try {
    return fn();
  } finally {
    holder.target = before;
  }
}

/** As `withDevice`, for functions that may return a promise: only what runs at once runs on the device. */
export function on<T>(device: Device, fn: () => T): T {
  let result: T[] = [];
  withDevice(device, () => {
    result = [fn()];
  });
  return result[0] as T;
}

/** Runs `fn` on a device in a scope, and reads the tensors that it returns. */
export const read = async (device: Device, fn: () => readonly Tensor[]): Promise<Float64Array[]> => {
  const values = await on(device, () => scope(() => Promise.all(fn().map((t) => t.data()))));
  return values.map((v) => Float64Array.from(v));
};

/** A tensor of values that another device gave, on the current device. */
export const copyOf = (t: { readonly shape: readonly number[] }, values: ArrayLike<number>): Tensor =>
  tensor(values, { shape: t.shape, device: currentDevice() });
