/**
 * One matrix multiplication behind matmul and the three convolutions.
 *
 * C[m,n] = sum over k of A[m,k] B[k,n], where an index may have three digits (m = image, row, column of a pixel; k = row,
 * column, channel of a filter tap) and every address is a sum of digit times stride. A convolution then is a matrix
 * product whose A is never written down: the address of A[m,k] is the address of pixel m plus the offset of tap k.
 * The same sums give the place in the image, and elements whose place lies outside it count as zero.
 */

import { epilogueCode, epilogueParams, epilogueSlots, takesEpilogue } from '../epilogue.ts';
import type { Epilogue } from '../functions.ts';
import {
  type Dispatch,
  flatMain,
  grid1d,
  type Kernel,
  MAX_GROUPS,
  memo,
  type Param,
  type Plan,
  type Target,
} from '../kernel.ts';
import { type HardwareTile, hardwareKernel } from './gemmHardware.ts';
import { MAX_PHASES } from './gemmParams.ts';
import { type SoftwareTile, softwareKernel } from './gemmSoftware.ts';

/** One number for each digit of an index, outermost first. */
export type Digits = readonly [number, number, number];

/** What one phase of a strided transposed convolution has of its own along one axis; other products have one phase. */
export interface Phase {
  /** Count of the middle digit of m (axis h) or the last digit of m (axis w). */
  readonly m: number;
  /** Count of the first digit of k (axis h) or the middle digit of k (axis w). */
  readonly k: number;
  /** Place in the image of pixel 0 and tap 0. */
  readonly origin: number;
  /** Offset in B of tap 0, in elements. */
  readonly b: number;
}

export interface Gemm {
  readonly name: string;
  /** Count of the first digit of m, of the last digit of k, and of n; the other counts are the phases'. */
  readonly m0: number;
  readonly k2: number;
  readonly n: number;
  /** Strides of A: for the digits of m and k, for a step down and a step right in the image, for the batch. */
  readonly a: {
    readonly m: Digits;
    readonly k: Digits;
    readonly h: number;
    readonly w: number;
    readonly batch: number;
  };
  /** Strides of B. */
  readonly b: { readonly k: Digits; readonly n: number; readonly batch: number };
  /** Strides of C (that of n is 1): for the digits of m, from phase to phase, for the batch. */
  readonly c: { readonly m: Digits; readonly h: number; readonly w: number; readonly batch: number };
  /** Elements of C over all batches. */
  readonly size: number;
  readonly batch: number;
  /** Steps down and right in the image for a step of each digit; absent where no place can be outside. */
  readonly place?: { readonly height: number; readonly width: number; readonly m: PlaceSteps; readonly k: PlaceSteps };
  readonly h: readonly Phase[];
  readonly w: readonly Phase[];
}

/** `h` belongs to the first two digits, `w` to the last two. */
export interface PlaceSteps {
  readonly h: readonly [number, number];
  readonly w: readonly [number, number];
}

/** Workgroups enough to keep the adapter busy; with fewer, k is split. */
const SOFTWARE_GROUPS = 24;
const HARDWARE_GROUPS = 256;
/** Multiplications from which the software family takes its widest tile. */
const LARGE = 2 ** 24;

const multiples = (of: number, ...values: number[]) => values.every((v) => v % of === 0);

/** Words of the uniform block that the product itself takes. */
const GEMM_WORDS = 60;

/**
 * Lays the product out over tiles, batches, phases and shares of k. Buffers are A, B, C and, when k is split, a temp.
 * @param epilogue is applied where the sums are complete: to the shares' total when k is split
 */
export function gemm(target: Target, g: Gemm, epilogue?: Epilogue): Plan {
  const m = g.m0 * Math.max(...g.h.map((p) => p.m)) * Math.max(...g.w.map((p) => p.m));
  const outer = Math.max(...g.h.map((p) => p.k)) * Math.max(...g.w.map((p) => p.k));
  const tile = target.family === 'software' ? softwareTile(target, g, m, outer) : hardwareTile(g, m);
  const slots = epilogueSlots(2, epilogue);
  const rowGroups = Math.ceil(m / (tile.rows * tile.perGroup));
  const colTiles = Math.ceil(g.n / tile.cols);
  const groups = rowGroups * colTiles * g.batch * g.h.length * g.w.length;
  const split = splitOf(tile.wanted / groups, outer, g.k2, tile.unroll, target.family === 'hardware');

  const splits = split.count > 1;
  const kernel = tile.kernel(splits ? undefined : epilogue);
  const dispatches: Dispatch[] = [];
  // What does not fit into one launch: rows fold into y, the rest takes more launches.
  const folds = Math.ceil(rowGroups / MAX_GROUPS);
  const colsAtOnce = Math.floor(MAX_GROUPS / folds);
  for (const [ph, pw, col] of steps([g.h.length, MAX_PHASES], [g.w.length, MAX_PHASES], [colTiles, colsAtOnce])) {
    const h = g.h.slice(ph, ph + MAX_PHASES);
    const w = g.w.slice(pw, pw + MAX_PHASES);
    const cols = Math.min(colsAtOnce, colTiles - col);
    const depth = g.batch * split.count * h.length * w.length;
    for (let z = 0; z < depth; z += MAX_GROUPS) {
      const params = [
        ...phaseWords(h),
        ...phaseWords(w),
        ...[h.length, w.length, split.count, split.outer, split.inner, split.inners, z, cols, col],
        ...[g.m0, g.k2, g.n],
        ...[...g.a.m, ...g.a.k, g.a.h, g.a.w, g.a.batch],
        ...[...g.b.k, g.b.n, g.b.batch],
        ...[...g.c.m, g.c.h, g.c.w, ph * g.c.h + pw * g.c.w, g.c.batch, splits ? g.size : 0],
        ...placeWords(g),
        ...(splits ? [] : epilogueParams(epilogue)),
      ];
      const grid = [Math.ceil(rowGroups / folds), cols * folds, Math.min(MAX_GROUPS, depth - z)] as const;
      dispatches.push({ kernel, args: [0, 1, ...(splits ? [slots.next] : slots.output)], params, grid });
    }
  }
  // The sums' columns are the output's last axis, except in groups.
  const fits = (next: Epilogue) =>
    takesEpilogue(target, 2, GEMM_WORDS, next) && (next.row === g.n || !next.operands.includes('row'));
  const withEpilogue = (next: Epilogue) => (!epilogue && fits(next) ? gemm(target, g, next) : undefined);
  if (!splits) return { dispatches, withEpilogue };
  const vector = g.size % 4 === 0 && (!epilogue?.operands.includes('row') || epilogue.row % 4 === 0);
  const threads = vector ? g.size / 4 : g.size;
  dispatches.push({
    kernel: addShares(vector, epilogue),
    args: [slots.next, ...slots.output],
    params: [threads, split.count, epilogue?.row ?? 1, ...epilogueParams(epilogue)],
    grid: grid1d(threads),
  });
  return { temps: [g.size * split.count], dispatches, withEpilogue };
}

interface Tile {
  readonly kernel: (epilogue?: Epilogue) => Kernel;
  readonly rows: number;
  readonly cols: number;
  /** Tiles that one workgroup computes. */
  readonly perGroup: number;
  /** Workgroups that keep the adapter busy. */
  readonly wanted: number;
  /** A share of k is a multiple of this, or all of it. */
  readonly unroll: number;
}

/** Which vector loads are possible: four along the last digit of k, four along the last digit of m, or none. */
function loadOfA(g: Gemm): 'k' | 'm' | 'scalar' {
  const { a } = g;
  const common = [a.m[0], a.m[1], a.k[0], a.k[1], a.h, a.w, a.batch];
  if (a.k[2] === 1 && multiples(4, ...common, g.k2, a.m[2])) return 'k';
  if (a.m[2] === 1 && multiples(4, ...common, a.k[2], ...g.w.map((p) => p.m))) return 'm';
  return 'scalar';
}

/** Along which axis B is loaded four at a time: the last digit of k, n, or none. */
function loadOfB(g: Gemm): 'k' | 'n' | 'scalar' {
  const { b } = g;
  const common = multiples(4, b.k[0], b.k[1], b.batch) && [...g.h, ...g.w].every((p) => p.b % 4 === 0);
  if (common && b.n === 1 && multiples(4, b.k[2], g.n)) return 'n';
  if (common && b.k[2] === 1 && multiples(4, b.n, g.k2)) return 'k';
  return 'scalar';
}

const vectorC = (g: Gemm) => multiples(4, g.n, ...g.c.m, g.c.h, g.c.w, g.c.batch, g.size);

function softwareTile(target: Target, g: Gemm, m: number, outer: number): Tile {
  // Lanes of a subgroup share rows and split the columns; a narrow matrix has too few columns for that.
  const size = target.subgroupSize;
  const wide = (size === 4 || size === 8) && g.n > size / 2 && m > 2;
  const lanes = wide ? size : 1;
  const colsPerLane = g.n > 2 * lanes ? 4 : g.n > lanes ? 2 : 1;
  const check = g.place ? (g.place.k.w[1] === 0 || g.k2 === 1 ? 'tap' : 'element') : 'none';
  // Rows cost loads of A, and each serves all columns; but a long loop takes a compiler of shaders a second more.
  const worth = size === 8 && check !== 'element' && m * g.n * g.batch * outer * g.k2 >= LARGE;
  const most = wide ? (worth ? 32 : 16) / lanes : 4;
  const rowsPerLane = [1, 2, 4].find((r) => r * lanes >= m && r <= most) ?? most;
  const loadA = loadOfA(g);
  const loadB = loadOfB(g);
  // Where an element takes more than its load, or SwiftShader's four lanes do, a loop over four k is too long for the caches.
  const long = check === 'element' || (lanes === 4 && check === 'tap' && loadB !== 'k');
  const unroll = (lanes * colsPerLane >= 16 && long ? [2, 3, 5] : [4, 5, 3, 2]).find((u) => g.k2 % u === 0) ?? 1;
  const four = unroll === 4;
  const tile: SoftwareTile = {
    lanes,
    rowsPerLane,
    colsPerLane,
    unroll,
    loadA: four && loadA === 'k' && lanes !== 4 ? 'k' : 'scalar',
    loadB: (loadB === 'n' && colsPerLane > 1) || (loadB === 'k' && four) ? loadB : 'scalar',
    check,
    vectorC: colsPerLane > 1 && vectorC(g),
  };
  const kernel = (epilogue?: Epilogue) => softwareKernel(tile, epilogue);
  const perGroup = lanes === 1 ? 8 : 1;
  return { kernel, rows: lanes * rowsPerLane, cols: lanes * colsPerLane, perGroup, wanted: SOFTWARE_GROUPS, unroll };
}

function hardwareTile(g: Gemm, m: number): Tile {
  const large = m > 32 && g.n > 32;
  const tile: HardwareTile = {
    per: large ? 8 : 4,
    loadA: loadOfA(g),
    loadB: loadOfB(g),
    checked: g.place !== undefined,
    vectorC: vectorC(g),
  };
  const kernel = (epilogue?: Epilogue) => hardwareKernel(tile, epilogue);
  const size = large ? 64 : 32;
  return { kernel, rows: size, cols: size, perGroup: 1, wanted: HARDWARE_GROUPS, unroll: 1024 / size };
}

type Extent = readonly [size: number, step: number];

/** All corners of the blocks that cut a box: for each axis its size and the block's. */
function* steps([a, da]: Extent, [b, db]: Extent, [c, dc]: Extent): Generator<[number, number, number]> {
  for (let i = 0; i < a; i += da) for (let j = 0; j < b; j += db) for (let k = 0; k < c; k += dc) yield [i, j, k];
}

interface Split {
  readonly count: number;
  readonly outer: number;
  readonly inner: number;
  readonly inners: number;
}

/**
 * Cuts k into about `wanted` shares: whole outer digits where there are enough of them, else runs of the last digit.
 */
function splitOf(wanted: number, outer: number, inner: number, unroll: number, flat: boolean): Split {
  if (flat) {
    // The hardware family walks k as one number.
    const k = outer * inner;
    const shares = Math.max(1, Math.min(Math.floor(wanted), Math.ceil(k / 128)));
    const size = Math.ceil(k / shares / unroll) * unroll;
    return { count: Math.max(1, Math.ceil(k / size)), outer: size, inner: 0, inners: 1 };
  }
  const shares = Math.max(1, Math.min(Math.floor(wanted), Math.ceil((outer * inner) / 128)));
  const outers = Math.min(shares, outer);
  if (outers > 1 || shares === 1) {
    const size = Math.max(1, Math.ceil(outer / Math.max(1, outers)));
    return { count: Math.max(1, Math.ceil(outer / size)), outer: size, inner, inners: 1 };
  }
  const size = Math.ceil(inner / shares / unroll) * unroll;
  const count = Math.max(1, Math.ceil(inner / size));
  return { count, outer: Math.max(1, outer), inner: size, inners: count };
}

function phaseWords(phases: readonly Phase[]): Param[] {
  const none = { m: 0, k: 0, origin: 0, b: 0 };
  return Array.from({ length: MAX_PHASES }, (_, i) => phases[i] ?? none).flatMap((p) => [p.m, p.k, p.origin, p.b]);
}

function placeWords(g: Gemm): number[] {
  const p = g.place;
  return p ? [...p.m.h, ...p.m.w, ...p.k.h, ...p.k.w, p.height, p.width] : [0, 0, 0, 0, 0, 0, 0, 0, 1, 1];
}

/** Adds the shares of a split k, always in the same order. */
const addShares = memo((vector: boolean, epilogue: Epilogue | undefined) => {
  const type = vector ? 'vec4f' : 'f32';
  const after = epilogueCode(epilogue, type, 'c');
  const at = vector ? 'i * 4u' : 'i';
  return {
    name: `gemm.addShares.${type}${after.name}`,
    access: ['read', 'write', ...after.access],
    source: /* wgsl */ `// shares:[S,E] -> c:[E]
struct Params { size: u32, shares: u32, row: u32, ${after.members} }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> shares: array<${type}>;
@group(0) @binding(2) var<storage, read_write> c: array<${type}>;
${after.head(3, 'p.size')}
${flatMain()}
  if (i >= p.size) { return; }
  var sum = shares[i];
  for (var s = 1u; s < p.shares; s++) { sum += shares[s * p.size + i]; }
  ${after.columns(`(${at}) % p.row`)}
  ${after.store('sum', at)}
}
`,
  };
});
