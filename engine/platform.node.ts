/** Finds an adapter in Node: the system's Vulkan (or Metal, or D3D) through Dawn, else SwiftShader out of npm. */
import {
  accessSync,
  existsSync,
  constants as fsConstants,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { constants, homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { brotliDecompressSync } from 'node:zlib';
import { DeviceError } from './errors.ts';
import { type AdapterChoice, isSoftware, requestDevice } from './platform.browser.ts';
import type { Opened } from './webgpu/opened.ts';

type Dawn = { create(options: string[]): GPU; globals: object };

/** An adapter, and the GPU object behind it: while a reference to that lives, the process does. */
export interface Found {
  readonly adapter: GPUAdapter;
  readonly gpu: GPU;
}

/** @throws DeviceError that says what to install when nothing fits */
export async function openDevice(choice: AdapterChoice): Promise<Opened> {
  let found: Found | undefined = await findAdapter(choice);
  const { info } = found.adapter;
  const device = await requestDevice(found.adapter);
  return {
    gpu: device,
    info,
    software: isSoftware(info),
    wait: patiently,
    collect: garbageCollector(),
    close() {
      found = undefined;
    },
  };
}

/**
 * The adapter that `openDevice` opens, for a program that asks for a device of its own. Each call gives a new one.
 * @param disabled checks that the program's shaders do not need
 * @throws DeviceError that says what to install when nothing fits
 */
export async function findAdapter(choice: AdapterChoice, disabled: readonly Check[] = CHECKS): Promise<Found> {
  // Mesa warns on every start without one.
  process.env.XDG_RUNTIME_DIR ??= tmpdir();
  const dawn = await loadDawn();
  if (choice !== 'swiftshader') {
    // Without Vulkan's loader Dawn would only print a warning, and find nothing.
    const hasLoader = process.platform !== 'linux' || !loadLibrary('libvulkan.so.1');
    const found = hasLoader ? await search(dawn, disabled, (info) => accepts(choice, info)) : undefined;
    if (found) return found;
    if (choice) throw new DeviceError(`no ${choice} adapter was found. ${REMEDY[choice]}`);
  }
  useSwiftShader();
  const found = await search(dawn, disabled, () => true);
  if (found) return found;
  throw new DeviceError(
    'no WebGPU adapter, not even SwiftShader, could be started; run `npm i @sparticuz/chromium`, install a Vulkan driver, or use init({ device: "reference" })',
  );
}

const REMEDY = {
  hardware: "Install the GPU's Vulkan driver, or leave the choice open to run in software.",
  lavapipe: 'Install Mesa 24 or newer (Debian 12: mesa-vulkan-drivers from bookworm-backports), or use swiftshader.',
};

const accepts = (choice: AdapterChoice, info: GPUAdapterInfo): boolean =>
  choice === undefined || (choice === 'lavapipe' ? /llvmpipe/i.test(info.description) : !isSoftware(info));

async function loadDawn(): Promise<Dawn> {
  try {
    return (await import('webgpu')) as unknown as Dawn;
  } catch (error) {
    throw new DeviceError(
      `the npm package "webgpu" does not load (${(error as Error).message.split('\n')[0]}); run \`npm i webgpu@0.6.2\`, or use init({ device: "reference" })`,
    );
  }
}

async function search(
  dawn: Dawn,
  disabled: readonly Check[],
  fits: (info: GPUAdapterInfo) => boolean,
): Promise<Found | undefined> {
  Object.assign(globalThis, dawn.globals);
  const gpu = dawn.create(toggles(disabled));
  for (const options of [{ powerPreference: 'high-performance' as const }, { forceFallbackAdapter: true }]) {
    const adapter = await gpu.requestAdapter(options);
    if (adapter && fits(adapter.info)) return { adapter, gpu };
  }
  return undefined;
}

/** Checks that Dawn puts into shaders unless it is told not to. */
const CHECKS = ['disable_robustness', 'disable_workgroup_init'] as const;
export type Check = (typeof CHECKS)[number];

/**
 * Kernels check their own bounds and write workgroup memory before they read it, so that Dawn's checks only cost,
 * most of all on SwiftShader. `WGRAD_ROBUST=1` leaves them on, as every browser does.
 */
const toggles = (disabled: readonly Check[]): string[] => [
  ...(process.env.WGRAD_ROBUST || disabled.length === 0 ? [] : [`enable-dawn-features=${disabled.join()}`]),
  'disable-dawn-features=timestamp_quantization', // 65 µs is too coarse for profiling
];

let collect: (() => void) | undefined;

/** V8's own collector, which Node hides behind a flag. */
export function garbageCollector(): () => void {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  return collect;
}

let pending = 0;
let looping = false;
const cell = new Int32Array(new SharedArrayBuffer(4));

/**
 * Dawn polls in a busy loop of setImmediate while a promise of its own is pending, and takes a core that a software
 * adapter could compute on. Sleeping a little in the same loop gives that core back.
 */
export function patiently<T>(promise: Promise<T>): Promise<T> {
  pending++;
  if (!looping) {
    looping = true;
    setImmediate(nap, 0.05);
  }
  return promise.finally(() => {
    pending--;
  });
}

function nap(ms: number): void {
  if (pending === 0) {
    looping = false;
    return;
  }
  Atomics.wait(cell, 0, 0, ms);
  setImmediate(nap, Math.min(1, ms * 1.5));
}

/** Unpacks SwiftShader from the npm package, once, and makes Dawn's Vulkan loader find it. */
function useSwiftShader(): void {
  const { path, version } = locateChromium();
  const folder = unpackOnce(path, `swiftshader-${version}`);
  process.env.VK_ICD_FILENAMES = join(folder, 'vk_swiftshader_icd.json');
  process.env.VK_DRIVER_FILES = process.env.VK_ICD_FILENAMES;
  const missing = loadLibrary(join(folder, 'libvulkan.so.1'));
  if (missing) throw new DeviceError(`SwiftShader's Vulkan loader in ${folder} does not load: ${missing}`);
}

/**
 * Loads a library for its symbols, so that Dawn's own dlopen of that name finds it. Node complains that it is no addon, and
 * keeps it. @returns why it cannot be loaded, if it cannot
 */
function loadLibrary(path: string): string | undefined {
  const RTLD_NODELETE = 0x1000;
  const flags = constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL | RTLD_NODELETE;
  try {
    process.dlopen({ exports: {} }, path, flags);
  } catch (error) {
    const { message } = error as Error;
    if (!/did not self-register/.test(message)) return message;
  }
  return undefined;
}

function locateChromium(): { path: string; version: string } {
  try {
    const main = createRequire(import.meta.url).resolve('@sparticuz/chromium');
    let root = dirname(main);
    while (!existsSync(join(root, 'bin', 'swiftshader.tar.br'))) {
      if (root === dirname(root)) throw new Error('bin/swiftshader.tar.br is missing');
      root = dirname(root);
    }
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { path: join(root, 'bin', 'swiftshader.tar.br'), version };
  } catch (error) {
    throw new DeviceError(
      `no Vulkan driver was found, and SwiftShader's npm package is not there (${(error as Error).message.split('\n')[0]}); run \`npm i @sparticuz/chromium@143\`, install a Vulkan driver, or use init({ device: "reference" })`,
    );
  }
}

/** The folder into which an archive was unpacked: in the user's own cache, where nobody else can put a library. */
function unpackOnce(archive: string, name: string): string {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'wgrad');
  const folder = join(cache, name);
  if (existsSync(join(folder, 'vk_swiftshader_icd.json'))) return folder;
  try {
    mkdirSync(cache, { recursive: true });
    accessSync(cache, fsConstants.W_OK);
  } catch {
    // A home that cannot be written: a private folder, for this process alone.
    const own = mkdtempSync(join(tmpdir(), 'wgrad-'));
    process.on('exit', () => rmSync(own, { recursive: true, force: true }));
    unpack(archive, join(own, name));
    return join(own, name);
  }
  unpack(archive, folder);
  return folder;
}

/** A tar archive of plain files is blocks of 512 bytes: a header with name and octal size, then the file. */
function unpack(archive: string, folder: string): void {
  const tar = brotliDecompressSync(readFileSync(archive));
  const fresh = `${folder}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const text = (from: number, length: number) =>
      tar.toString('latin1', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(text(124, 12), 8);
    const isFile = text(156, 1) === '0' || text(156, 1) === '';
    if (isFile) writeFileSync(join(fresh, text(0, 100).replace(/^.*\//, '')), tar.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  try {
    renameSync(fresh, folder); // atomic: another process sees all of it or nothing
  } catch {
    rmSync(fresh, { recursive: true, force: true }); // that other process was first
  }
}
