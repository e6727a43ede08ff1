/**
 * How a compute shader is described. Everything in `kernels/` is data: WGSL text and numbers. Nothing here touches a
 * device, and nothing here knows what a tensor is; the engine binds the buffers and runs the dispatches.
 */

import type { Epilogue } from './functions.ts';

/** The sizes of a tensor's axes, outermost first. `[]` is a scalar. */
export type Shape = readonly number[];

/**
 * A complete compute shader.
 *
 * Binding 0 of group 0 is a uniform block `p` of at most 64 words (a shader without parameters leaves it out);
 * the storage buffers follow at bindings 1, 2, ... in the order of `access`. The entry point is `main`.
 */
export interface Kernel {
  /** Appears in errors, profiles and debug labels. */
  readonly name: string;
  /** Complete WGSL. */
  readonly source: string;
  /** Values of the shader's `override` constants. */
  readonly constants?: Readonly<Record<string, number>>;
  /** One entry for each storage buffer; `'write'` is WGSL's `read_write`. */
  readonly access: readonly ('read' | 'write')[];
  /** Features of WGSL that the source enables. */
  readonly needs?: readonly ('subgroups' | 'shader-f16')[];
}

/** A word of the uniform block: a number is an i32/u32, `f32(v)` a float. */
export type Param = number | Float32Param;

/** A float among the words of a uniform block; see {@link f32}. */
export interface Float32Param {
  /** The parameter's value, rounded to float32. */
  readonly f32: number;
}

/** Marks a parameter as a 32-bit float. */
export const f32 = (value: number): Float32Param => ({ f32: value });

/** One launch of a kernel. */
export interface Dispatch {
  /** The shader. */
  readonly kernel: Kernel;
  /** The index of each storage buffer in the list [...inputs, ...outputs, ...temps] of the plan. */
  readonly args: readonly number[];
  /** The words of the shader's uniform block, in order; at most 64. */
  readonly params: readonly Param[];
  /** Workgroups along x, y, z; each at most 65,535 (see `grid1d`). */
  readonly grid: readonly [number, number, number];
}

/** All that an op launches, in order. */
export interface Plan {
  /** Sizes, in 32-bit elements, of the scratch buffers that live for this plan only. */
  readonly temps?: readonly number[];
  /** The launches; each sees what those before it wrote. */
  readonly dispatches: readonly Dispatch[];
  /**
   * The same with functions applied to the first output as it is stored. Buffers: the inputs, then the epilogue's operands; the
   * epilogue's outputs instead of the first output; the other outputs; the temps. Undefined where the kernels cannot do that.
   * @internal
   */
  readonly withEpilogue?: (epilogue: Epilogue) => Plan | undefined;
}

/** What a kernel may know of the adapter it runs on. */
export interface Target {
  /** Barriers and shared memory are cheap on hardware and ruinous on a CPU, so hot kernels come in two families. */
  readonly family: 'hardware' | 'software';
  /** Lanes of a subgroup where the adapter has subgroups of one fixed size, else 0. */
  readonly subgroupSize: number;
  /** Storage buffers that one shader may bind (8 by default). */
  readonly maxStorageBuffers: number;
}

/** Words of the uniform block that a launch may use. */
export const MAX_WORDS = 64;

/** The most workgroups that WebGPU launches along one axis. */
export const MAX_GROUPS = 65535;

/** Invocations of a workgroup in kernels that have no reason to choose another size. */
export const WORKGROUP = 64;

/**
 * A grid of at least `threads` invocations, folded into x and y past 65,535 workgroups. Shaders find their flat index as
 * `gid.y * (groups.x * WORKGROUP) + gid.x` (`FLAT_INDEX`) and must return when it is past the end.
 */
export function grid1d(threads: number, workgroup = WORKGROUP): readonly [number, number, number] {
  const groups = Math.max(1, Math.ceil(threads / workgroup));
  if (groups <= MAX_GROUPS) return [groups, 1, 1];
  const y = Math.ceil(groups / MAX_GROUPS);
  return [Math.ceil(groups / y), y, 1];
}

/** WGSL header of a one-dimensional kernel: defines `i`, the flat index of the invocation. */
export const flatMain = (workgroup = WORKGROUP) => /* wgsl */ `@compute @workgroup_size(${workgroup})
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = gid.y * (groups.x * ${workgroup}u) + gid.x;`;

/** What a generator of kernels may take: plain values, a plain object of them, or what names itself by a key. */
type Choice = string | number | boolean | undefined;
const keyOf = (a: Choice | object): Choice =>
  typeof a !== 'object' ? a : 'key' in a ? String(a.key) : JSON.stringify(a);

/** Remembers a generator's kernels by its arguments, or their keys, so that equal arguments give the identical object. */
export function memo<A extends readonly (Choice | object)[]>(make: (...args: A) => Kernel): (...args: A) => Kernel {
  const made = new Map<string, Kernel>();
  return (...args) => {
    const key = args.map(keyOf).join('|');
    let kernel = made.get(key);
    if (!kernel) {
      kernel = make(...args);
      made.set(key, kernel);
    }
    return kernel;
  };
}

/** The number of elements of a shape. */
export const sizeOf = (shape: Shape): number => shape.reduce((n, d) => n * d, 1);
