import { type AdapterName, adapterNames } from './adapters.ts';
import { checked } from './arguments/options.ts';
import { currentDevice, type Device, hasDevice, opening, setDevice } from './device.ts';
import { DeviceError } from './errors.ts';
import { type AdapterChoice, openDevice as openInBrowser } from './platform/platform.browser.ts';
import { reference } from './reference/device.ts';
import { type KernelFamily, WebGpuDevice } from './webgpu/device.ts';

const FAMILIES = ['hardware', 'software'] as const;

/** Options of {@link init}. */
export interface InitOptions {
  /**
   * The adapter to use; `'reference'` is the float64 device in plain JavaScript, which needs no GPU. Default: hardware, else the
   * system's software Vulkan, else SwiftShader from npm.
   */
  readonly adapter?: AdapterName | undefined;
  /** Forces one of the two families of matrix kernels, for GPUs and for CPUs; chosen by the adapter otherwise. */
  readonly kernels?: KernelFamily | undefined;
}

/**
 * Opens a device and makes it the current one, on which tensors are made; asked for the same again, it returns the same
 * device, also while that is still being opened. Devices that it opened before stay open beside it, with their tensors. Calls
 * that overlap are served in order, so that the last one decides which device is current. The environment variables
 * `WGRAD_ADAPTER` and `WGRAD_KERNELS` stand in for options that are not given.
 * @throws DeviceError that says what to install if there is no adapter, or that names a value that an option or a variable cannot
 * have; also where `destroy` is called before the device is there
 * @throws TypeError for an option that there is not
 * @example
 * const device = await init(); // the best there is
 * console.log(device.name, device.dtype);
 * await init({ adapter: 'reference' }); // float64 in plain JavaScript, from now on
 */
export async function init(options: InitOptions = {}): Promise<Device> {
  if (typeof options === 'object' && options !== null && 'device' in options) {
    throw new TypeError(
      "init: there is no option device: init() opens WebGPU, and init({ adapter: 'reference' }) the float64 device",
    );
  }
  checked('init', options, ['adapter', 'kernels']);
  const option = <K extends keyof InitOptions>(key: K, allowed: readonly NonNullable<InitOptions[K]>[]) =>
    oneOf(options[key], allowed, `init: ${key} '${options[key]}'`);
  const variable = <T extends string>(name: string, allowed: readonly T[]) => {
    const value = globalThis.process?.env?.[name];
    return oneOf(value || undefined, allowed, `${name}=${value}`);
  };
  const adapter = option('adapter', adapterNames) ?? variable('WGRAD_ADAPTER', adapterNames);
  const family = option('kernels', FAMILIES) ?? variable('WGRAD_KERNELS', FAMILIES);
  return inTurn(async () => {
    const device = adapter === 'reference' ? reference : await reopen(adapter, family);
    setDevice(device);
    return device;
  });
}

/** What `init` opened, by options, until it is destroyed or lost. */
const opened = new Map<string, WebGpuDevice>();
let last: Promise<unknown> = Promise.resolve();
/** Calls of `destroy` so far. */
let destroyed = 0;

/** Runs one call of `init` after another, but not those that `destroy` came before. */
async function inTurn(open: () => Promise<Device>): Promise<Device> {
  const asked = destroyed;
  const turn = last.then(() => {
    if (asked !== destroyed) throw overtaken();
    return open();
  });
  last = opening(turn.catch(() => {})); // the caller is told
  return turn;
}

/** The device that was opened for the same options, if it still works. */
async function reopen(adapter?: AdapterChoice, family?: KernelFamily): Promise<WebGpuDevice> {
  const key = `${adapter} ${family}`;
  const known = opened.get(key);
  if (known?.alive) return known;
  const asked = destroyed;
  const device = await openWebGpu(adapter, family);
  if (asked !== destroyed) {
    device.destroy();
    throw overtaken();
  }
  opened.set(key, device);
  return device;
}

const overtaken = (): DeviceError =>
  new DeviceError('init: destroy() was called before the device was open; call init() again, and await it');

/** Opens a WebGPU device without making it the current one, and without a hold on it: `destroy()` leaves it open. */
export async function openWebGpu(adapter?: AdapterChoice, family?: KernelFamily): Promise<WebGpuDevice> {
  const isNode = typeof globalThis.process?.versions?.node === 'string';
  const open = isNode ? (await import('./platform/platform.node.ts')).openDevice : openInBrowser;
  return new WebGpuDevice(await open(adapter), family);
}

/**
 * Frees the current device and every other one that `init` opened, with all their memory, and lets the process end. Reads
 * under way are rejected, and so is an `init` that is. Without a device it does nothing. `init` may be called again.
 *
 * A worker thread is to wait for its reads, and call this, before it ends: Dawn ends the whole process where a thread is
 * stopped (`terminate()`, `process.exit()`) while one of its promises is open.
 */
export function destroy(): void {
  destroyed++;
  if (hasDevice()) currentDevice().destroy();
  for (const device of opened.values()) device.destroy();
  opened.clear();
  setDevice(undefined);
}

function oneOf<T extends string>(value: string | undefined, allowed: readonly T[], said: string): T | undefined {
  if (value === undefined || (allowed as readonly string[]).includes(value)) return value as T | undefined;
  throw new DeviceError(`${said} is not one of ${allowed.join(', ')}`);
}
