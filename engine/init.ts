import { currentDevice, type Device, hasDevice, setDevice } from './device.ts';
import { DeviceError } from './errors.ts';
import { checked } from './options.ts';
import { type AdapterChoice, openDevice as openInBrowser } from './platform.browser.ts';
import { reference } from './reference/device.ts';
import { type KernelFamily, WebGpuDevice } from './webgpu/device.ts';

const ADAPTERS: readonly AdapterName[] = ['hardware', 'lavapipe', 'swiftshader', 'reference'];
const FAMILIES = ['hardware', 'software'] as const;

/**
 * A kind of adapter: a GPU; Mesa's software Vulkan of the system; the software Vulkan that comes from npm; or the float64
 * reference device. A browser chooses its adapter itself.
 */
export type AdapterName = 'hardware' | 'lavapipe' | 'swiftshader' | 'reference';

/** Options of {@link init}. */
export interface InitOptions {
  /** The adapter to use. Default: hardware, else the system's software Vulkan, else SwiftShader from npm. */
  readonly adapter?: AdapterName | undefined;
  /** `'reference'` is the float64 device in JavaScript, which needs no GPU. */
  readonly device?: 'webgpu' | 'reference' | undefined;
  /** Forces a kernel family; chosen by the adapter otherwise. */
  readonly kernels?: KernelFamily | undefined;
}

/**
 * Opens a device and makes it the current one, on which tensors are made; asked for the same again, it returns the same
 * device. The environment variables `WGRAD_ADAPTER` and `WGRAD_KERNELS` stand in for options that are not given.
 * @throws DeviceError that says what to install if there is no adapter, or that names an option that is none
 * @example
 * const device = await init(); // the best there is
 * console.log(device.name, device.dtype);
 * await init({ device: 'reference' }); // float64 in plain JavaScript, from now on
 */
export async function init(options: InitOptions = {}): Promise<Device> {
  checked('init', options, ['device', 'adapter', 'kernels']);
  const option = <K extends keyof InitOptions>(key: K, allowed: readonly NonNullable<InitOptions[K]>[]) =>
    oneOf(options[key], allowed, `init: ${key} '${options[key]}'`);
  const variable = <T extends string>(name: string, allowed: readonly T[]) => {
    const value = globalThis.process?.env?.[name];
    return oneOf(value || undefined, allowed, `${name}=${value}`);
  };
  const kind = option('device', ['webgpu', 'reference']);
  const named = option('adapter', ADAPTERS) ?? variable('WGRAD_ADAPTER', ADAPTERS);
  const family = option('kernels', FAMILIES) ?? variable('WGRAD_KERNELS', FAMILIES);
  const adapter = kind === 'reference' ? kind : kind === 'webgpu' && named === 'reference' ? undefined : named;
  const device = adapter === 'reference' ? reference : await reopen(adapter, family);
  setDevice(device);
  return device;
}

let opened: { readonly key: string; readonly device: WebGpuDevice } | undefined;

/** The device that `init` opened before, if the same is asked for and it still works. */
async function reopen(adapter?: AdapterChoice, family?: KernelFamily): Promise<WebGpuDevice> {
  const key = `${adapter} ${family}`;
  if (opened?.key !== key || !opened.device.alive) opened = { key, device: await openWebGpu(adapter, family) };
  return opened.device;
}

/** Opens a WebGPU device without making it the current one. */
export async function openWebGpu(adapter?: AdapterChoice, family?: KernelFamily): Promise<WebGpuDevice> {
  const isNode = typeof globalThis.process?.versions?.node === 'string';
  const open = isNode ? (await import('./platform.node.ts')).openDevice : openInBrowser;
  return new WebGpuDevice(await open(adapter), family);
}

/**
 * Frees the current device and all its memory, and lets the process end. Without a device it does nothing. `init` may be
 * called again.
 */
export function destroy(): void {
  if (!hasDevice()) return;
  currentDevice().destroy();
  setDevice(undefined);
}

function oneOf<T extends string>(value: string | undefined, allowed: readonly T[], said: string): T | undefined {
  if (value === undefined || (allowed as readonly string[]).includes(value)) return value as T | undefined;
  throw new DeviceError(`${said} is not one of ${allowed.join(', ')}`);
}
