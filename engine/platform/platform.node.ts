/** Finds an adapter in Node: the system's Vulkan (or Metal, or D3D) through Dawn, else SwiftShader out of npm. */
import {
  accessSync,
  copyFileSync,
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
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { threadId } from 'node:worker_threads';
import { brotliDecompressSync } from 'node:zlib';
import { DeviceError } from '../errors.ts';
import type { Opened } from '../webgpu/opened.ts';
import { type AdapterChoice, isSoftware, requestDevice } from './platform.browser.ts';
import { room } from './room.node.ts';

type Dawn = { create(options: string[]): GPU; globals: object };

/** An adapter, and the GPU object behind it. */
export interface Found {
  readonly adapter: GPUAdapter;
  readonly gpu: GPU;
}

/** @throws DeviceError that says what to install when nothing fits */
export async function openDevice(choice: AdapterChoice): Promise<Opened> {
  const { adapter, gpu } = await findAdapter(choice);
  const { info } = adapter;
  const device = await requestDevice(adapter);
  void device.lost.then(({ reason }) => {
    if (reason !== 'destroyed') retire(gpu);
  });
  const software = isSoftware(info);
  const opened = { gpu: device, info, software, wait: patiently, collect: garbageCollector() };
  return software ? { ...opened, room } : opened;
}

/**
 * Dawn's GPU objects, by drivers and toggles. Each polls for its devices by a plain pointer, and is freed with its JavaScript
 * object: collected before the last poll of a device, also of one that was destroyed, it ends the process. So none is ever let
 * go, and there is one for each set of options. A process ends nonetheless once its devices are destroyed: polls are all that
 * keeps it.
 */
const instances = new Map<string, GPU>();
/** GPU objects that lost a device: they are kept, but not asked for another. */
const retired: GPU[] = [];

function retire(gpu: GPU): void {
  for (const [key, known] of instances) if (known === gpu) instances.delete(key);
  retired.push(gpu);
}

/**
 * The adapter that `openDevice` opens, for a program that asks for a device of its own. Each call gives a new one.
 * @param disabled checks that the program's shaders do not need
 * @throws DeviceError that says what to install when nothing fits
 */
export async function findAdapter(choice: AdapterChoice, disabled: readonly Check[] = CHECKS): Promise<Found> {
  // Mesa warns on every start without one.
  process.env.XDG_RUNTIME_DIR ??= tmpdir();
  if (choice !== 'swiftshader') {
    const dawn = await loadDawn('webgpu');
    // Without Vulkan's loader Dawn would only print a warning, and find nothing.
    const hasLoader = process.platform !== 'linux' || !loadLibrary('libvulkan.so.1');
    const found = hasLoader ? await search(dawn, 'system', disabled, (info) => accepts(choice, info)) : undefined;
    if (found) return found;
    if (choice) throw new DeviceError(`no ${choice} adapter was found. ${REMEDY[choice]}`);
  }
  const dawn = await loadDawn(pathToFileURL(dawnWithSwiftShader()).href);
  const found = await search(dawn, 'swiftshader', disabled, () => true);
  if (found) return found;
  throw new DeviceError(
    'no WebGPU adapter, not even SwiftShader, could be started; run `npm i @sparticuz/chromium`, install a Vulkan driver, or use init({ adapter: "reference" })',
  );
}

const REMEDY = {
  hardware: "Install the GPU's Vulkan driver, or leave the choice open to run in software.",
  lavapipe: 'Install Mesa 24 or newer (Debian 12: mesa-vulkan-drivers from bookworm-backports), or use swiftshader.',
};

const accepts = (choice: AdapterChoice, info: GPUAdapterInfo): boolean =>
  choice === undefined || (choice === 'lavapipe' ? /llvmpipe/i.test(info.description) : !isSoftware(info));

async function loadDawn(module: string): Promise<Dawn> {
  try {
    return (await import(module)) as unknown as Dawn;
  } catch (error) {
    throw noDawn(error);
  }
}

const noDawn = (error: unknown): DeviceError =>
  new DeviceError(
    `the npm package "webgpu" does not load (${(error as Error).message.split('\n')[0]}); run \`npm i webgpu@0.6.2\`, or use init({ adapter: "reference" })`,
  );

async function search(
  dawn: Dawn,
  drivers: 'system' | 'swiftshader',
  disabled: readonly Check[],
  fits: (info: GPUAdapterInfo) => boolean,
): Promise<Found | undefined> {
  Object.assign(globalThis, dawn.globals);
  const options = toggles(disabled);
  const key = [drivers, ...options].join(' ');
  const gpu = instances.get(key) ?? dawn.create(options);
  instances.set(key, gpu);
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

/**
 * A copy of the package webgpu with SwiftShader beside it, made once. Dawn looks for libvulkan.so.1 in its own folder first, so
 * that the copy finds SwiftShader and nothing else, in worker threads too (whose environment variables are not the process's,
 * and no way to name a driver), and the package itself goes on finding the system's drivers.
 * @returns the file to import
 */
function dawnWithSwiftShader(): string {
  const chromium = locateChromium();
  const swiftShader = makeOnce(`swiftshader-${chromium.version}`, (folder) => unpack(chromium.path, folder));
  const { main, version } = locateDawn();
  const platform = join('dist', `${process.platform}-${process.arch}`);
  const library = join(platform, 'libvulkan.so.1');
  const folder = makeOnce(`${basename(swiftShader)}-webgpu-${version}`, (fresh) => {
    mkdirSync(join(fresh, platform), { recursive: true });
    for (const file of ['package.json', 'index.js', join(platform, 'dawn.node')])
      copyFileSync(join(dirname(main), file), join(fresh, file));
    copyFileSync(join(swiftShader, 'libvk_swiftshader.so'), join(fresh, library));
  });
  const missing = loadLibrary(join(folder, library));
  if (missing) throw new DeviceError(`SwiftShader's driver in ${folder} does not load: ${missing}`);
  return join(folder, 'index.js');
}

function locateDawn(): { main: string; version: string } {
  try {
    const main = createRequire(import.meta.url).resolve('webgpu');
    const { version } = JSON.parse(readFileSync(join(dirname(main), 'package.json'), 'utf8')) as { version: string };
    return { main, version };
  } catch (error) {
    throw noDawn(error);
  }
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
      `no Vulkan driver was found, and SwiftShader's npm package is not there (${(error as Error).message.split('\n')[0]}); run \`npm i @sparticuz/chromium@143\`, install a Vulkan driver, or use init({ adapter: "reference" })`,
    );
  }
}

/** A folder that `fill` filled once, in the user's own cache, where nobody else can put a library. */
function makeOnce(name: string, fill: (folder: string) => void): string {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'wgrad');
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  try {
    mkdirSync(cache, { recursive: true });
    accessSync(cache, fsConstants.W_OK);
  } catch {
    // A home that cannot be written: a private folder, for this process alone.
    const own = mkdtempSync(join(tmpdir(), 'wgrad-'));
    process.on('exit', () => rmSync(own, { recursive: true, force: true }));
    return fillWhole(join(own, name), fill);
  }
  return fillWhole(folder, fill);
}

/** Fills a folder under another name, and gives it its own in one step: another process or thread sees all of it or nothing. */
function fillWhole(folder: string, fill: (folder: string) => void): string {
  const fresh = `${folder}.${process.pid}.${threadId}`;
  mkdirSync(fresh, { recursive: true });
  fill(fresh);
  try {
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // else another was first
  }
  return folder;
}

/** A tar archive of plain files is blocks of 512 bytes: a header with name and octal size, then the file. */
function unpack(archive: string, folder: string): void {
  const tar = brotliDecompressSync(readFileSync(archive));
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const text = (from: number, length: number) =>
      tar.toString('latin1', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(text(124, 12), 8);
    const isFile = text(156, 1) === '0' || text(156, 1) === '';
    if (isFile) writeFileSync(join(folder, text(0, 100).replace(/^.*\//, '')), tar.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
}
