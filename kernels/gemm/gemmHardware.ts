import { type EpilogueCode, epilogueCode } from '../epilogue.ts';
import type { Epilogue } from '../functions.ts';
import { type Kernel, memo } from '../kernel.ts';
import { each, gemmHeader } from './gemmParams.ts';

const PARTS = ['x', 'y', 'z', 'w'] as const;

/** Which of the hardware kernels it is: the tile of a workgroup, and how elements of A, B and C are reached. */
export interface HardwareTile {
  /** Rows, and columns, of an invocation: 4 or 8. */
  readonly per: number;
  /** Along which axis four elements of A are loaded at once: k, m or none. */
  readonly loadA: 'k' | 'm' | 'scalar';
  /** Along which axis four elements of B are loaded at once: k, n or none. */
  readonly loadB: 'k' | 'n' | 'scalar';
  /** Whether places may lie outside the image. */
  readonly checked: boolean;
  /** Whether four columns of C are stored at once. */
  readonly vectorC: boolean;
}

/** The extents that follow from `per`. */
const extents = ({ per }: HardwareTile) => {
  const tile = 8 * per; // rows and columns of a tile
  const depth = 1024 / tile; // elements of k in shared memory
  return { tile, depth, quads: tile / 4, halves: per / 4 };
};

/** Where each of an invocation's elements of k lies: counted in A (x) and B (y), and in the image (h, w). */
const stepsOfK = ({ loadA, loadB, checked }: HardwareTile): string =>
  each(
    loadA === 'k' && loadB === 'k' ? 1 : 4,
    (u) => `      let on${u} = kTile + kq * 4 + ${u} < kEnd;
      let d${u}_2 = (kTile + kq * 4 + ${u}) % p.k2; let q${u} = (kTile + kq * 4 + ${u}) / p.k2;
      let d${u}_1 = q${u} % j.k1; let d${u}_0 = q${u} / j.k1;
      let x${u} = d${u}_0 * p.ak0 + d${u}_1 * p.ak1 + d${u}_2 * p.ak2;
      let y${u} = d${u}_0 * p.bk0 + d${u}_1 * p.bk1 + d${u}_2 * p.bk2;
      ${checked ? `let h${u} = d${u}_0 * p.hk0 + d${u}_1 * p.hk1; let w${u} = d${u}_1 * p.wk1 + d${u}_2 * p.wk2;` : ''}`,
  );

/** Fetches the invocation's 4x4 block of A into shared memory, k outermost. */
function fetchA(t: HardwareTile): string {
  const { quads } = extents(t);
  const ok = (i: number, u: number) =>
    `on${u} && row${i}${t.checked ? ` && inside(r${i}.y + h${u}, r${i}.z + w${u})` : ''}`;
  const at = (i: number, u: number) => `select(0, r${i}.x + x${u}, ${ok(i, u)})`;
  const put = (u: number, value: string) => `      tileA[(kq * 4 + ${u}) * ${quads} + xq] = ${value};`;
  if (t.loadA === 'k') {
    const rows = each(4, (i) => `      let f${i} = select(vec4f(), a[(${at(i, 0)}) >> 2u], ${ok(i, 0)});`);
    return `${rows}\n${each(4, (u) => put(u, `vec4f(${each(4, (i) => `f${i}.${PARTS[u]}`, ', ')})`))}`;
  }
  if (t.loadA === 'm') return each(4, (u) => put(u, `select(vec4f(), a[(${at(0, u)}) >> 2u], ${ok(0, u)})`));
  const one = (i: number, u: number) => `select(0.0, a[${at(i, u)}], ${ok(i, u)})`;
  return each(4, (u) => put(u, `vec4f(${each(4, (i) => one(i, u), ', ')})`));
}

/** Fetches the invocation's 4x4 block of B into shared memory, k outermost. */
function fetchB(t: HardwareTile): string {
  const { quads } = extents(t);
  const at = (i: number, u: number) => `select(0, n${i} + y${u}, on${u})`;
  const put = (u: number, value: string) => `      tileB[(kq * 4 + ${u}) * ${quads} + xq] = ${value};`;
  if (t.loadB === 'k') {
    const columns = each(4, (i) => `      let g${i} = select(vec4f(), b[${at(i, 0)} >> 2u], on0);`);
    return `${columns}\n${each(4, (u) => put(u, `vec4f(${each(4, (i) => `g${i}.${PARTS[u]}`, ', ')})`))}`;
  }
  if (t.loadB === 'n') return each(4, (u) => put(u, `select(vec4f(), b[${at(0, u)} >> 2u], on${u})`));
  const one = (i: number, u: number) => `select(0.0, b[${at(i, u)}], on${u})`;
  return each(4, (u) => put(u, `vec4f(${each(4, (i) => one(i, u), ', ')})`));
}

/** Where the columns that the invocation fetches begin in B. */
const columnStarts = ({ loadB }: HardwareTile): string =>
  each(4, (i) => {
    if (loadB !== 'n') return `  let n${i} = min(nTile + xq * 4 + ${i}, p.n - 1) * p.bn + j.b;`;
    return i === 0 ? '  let n0 = min(nTile + xq * 4, p.n - 4) + j.b;' : '';
  });

/** Adds the products of one element of k, which all lie in shared memory. */
function multiply(t: HardwareTile): string {
  const { quads, halves } = extents(t);
  const reads = (v: number) =>
    `      let a${v} = tileA[k * ${quads} + ty + ${8 * v}]; let b${v} = tileB[k * ${quads} + tx + ${8 * v}];`;
  const sum = (r: number, v: number) => `      s${r}_${v} += a${Math.floor(r / 4)}.${PARTS[r % 4]} * b${v};`;
  return `${each(halves, reads)}\n${each(t.per, (r) => each(halves, (v) => sum(r, v)))}`;
}

/** Stores the sums of the invocation's row r, four columns at a time. */
const storeRow = (t: HardwareTile, r: number): string =>
  `  { let m = m0 + ty * 4 + ${Math.floor(r / 4) * 32 + (r % 4)}; if (m < j.m) { let at = rowOf(j, m).w;
${each(extents(t).halves, (v) => `    put(at, nTile + tx * 4 + ${v * 32}, s${r}_${v});`)} } }`;

/** Stores four sums from column n on. */
function put({ vectorC }: HardwareTile, after: EpilogueCode): string {
  if (vectorC) return `if (n < p.n) { ${after.columns('n')} ${after.store('sum', 'at + n')} }`;
  const one = (i: number) =>
    `if (n + ${i} < p.n) { ${after.columns(`n + ${i}`)} ${after.store(`sum.${PARTS[i]}`, `at + n + ${i}`)} }`;
  return each(4, one, '\n  ');
}

function source(t: HardwareTile, after: EpilogueCode): string {
  const { tile, depth, quads, halves } = extents(t);
  const typeOf = (load: string) => (load === 'scalar' ? 'f32' : 'vec4f');
  return /* wgsl */ `// a:[M,K] b:[K,N] -> c:[M,N], each row, column and k at its own stride (see Params)
${gemmHeader(typeOf(t.loadA), typeOf(t.loadB), t.vectorC ? 'vec4f' : 'f32', after)}
var<workgroup> tileA: array<vec4f, 256>; // [${depth} k][${quads} rows/4]
var<workgroup> tileB: array<vec4f, 256>; // [${depth} k][${quads} columns/4]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let j = job(group.z);
  let t = i32(local);
  let spot = spotOf(group, groups.x);
  let m0 = spot.x * ${tile};
  let nTile = spot.y * ${tile};
  if (m0 >= j.m) { return; }

  // What this invocation fetches: rows and columns 4*xq.. of the tile, k 4*kq..
  let kq = t % ${depth / 4}; let xq = t / ${depth / 4};
${each(4, (i) => `  let r${i} = rowOf(j, m0 + xq * 4 + ${i}); let row${i} = m0 + xq * 4 + ${i} < j.m;`)}
${columnStarts(t)}
  // What it computes: rows 4*ty.., columns 4*tx.., and with 8 of each those half a tile further.
  let tx = t % 8; let ty = t / 8;
${each(t.per, (r) => each(halves, (v) => `  var s${r}_${v} = vec4f();`))}

  let kEnd = min((j.share + 1) * p.shareOuter, j.k0 * j.k1 * p.k2);
  for (var kTile = j.share * p.shareOuter; kTile < kEnd; kTile += ${depth}) {
    {
${stepsOfK(t)}
${fetchA(t)}
${fetchB(t)}
    }
    workgroupBarrier();
    for (var k = 0; k < ${depth}; k++) {
${multiply(t)}
    }
    workgroupBarrier();
  }

${each(t.per, (r) => storeRow(t, r))}
}

fn put(at: i32, n: i32, sum: vec4f) {
  ${put(t, after)}
}
`;
}

/**
 * The GEMM for hardware: 64 invocations compute a square tile, per*per elements each, from shared memory.
 *
 * Each step along k an invocation fetches one 4x4 block of A and one of B and stores it with k outermost, so that the
 * inner loop reads vec4s of both. An 8-wide invocation takes two groups of 4 rows, half a tile apart: neighbours then
 * read neighbouring vec4s, and no bank of the shared memory is asked twice.
 */
export const hardwareKernel = memo((t: HardwareTile, epilogue?: Epilogue): Kernel => {
  const { loadA, loadB, checked, vectorC } = t;
  const after = epilogueCode(epilogue, vectorC ? 'vec4f' : 'f32', 'c');
  return {
    name: `gemm.hardware.${[8 * t.per, loadA, loadB, checked ? 'checked' : 'free', vectorC ? 4 : 1].join('.')}${after.name}`,
    access: ['read', 'read', 'write', ...after.access],
    source: source(t, after),
  };
});
