import type { EpilogueCode } from '../epilogue.ts';

/** Phases along an axis that one launch holds in its parameters; more phases take more launches. */
export const MAX_PHASES = 2;

/** Texts for i = 0 .. n-1, joined by newlines: the kernels unroll by hand so that every accumulator has a name. */
export const each = (n: number, text: (i: number) => string, join = '\n') =>
  Array.from({ length: n }, (_, i) => text(i)).join(join);

/** The parameters of both families of GEMM (60 words and the epilogue's scalars), and where a flat index of workgroups stands in the product. */
export const gemmHeader = (a: string, b: string, c: string, epilogue: EpilogueCode) => /* wgsl */ `struct Params {
  // (count in m, count in k, origin in the image, offset in B) of each phase down and across
  phaseH: array<vec4i, ${MAX_PHASES}>, phaseW: array<vec4i, ${MAX_PHASES}>,
  phasesH: i32, phasesW: i32, shares: i32, shareOuter: i32, shareInner: i32, innerShares: i32, zBase: i32,
  colTiles: i32, firstCol: i32,
  m0: i32, k2: i32, n: i32,
  am0: i32, am1: i32, am2: i32, ak0: i32, ak1: i32, ak2: i32, ah: i32, aw: i32, aBatch: i32,
  bk0: i32, bk1: i32, bk2: i32, bn: i32, bBatch: i32,
  cm0: i32, cm1: i32, cm2: i32, ch: i32, cw: i32, cBase: i32, cBatch: i32, cShare: i32,
  hm0: i32, hm1: i32, wm1: i32, wm2: i32, hk0: i32, hk1: i32, wk1: i32, wk2: i32, height: i32, width: i32,
  ${epilogue.members}
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<${a}>;
@group(0) @binding(2) var<storage, read> b: array<${b}>;
@group(0) @binding(3) var<storage, read_write> c: array<${c}>;
${epilogue.head(4, 'u32(p.n)')}

// Which tile, share of k, phase and batch this is; the digit counts and starts that follow from them.
struct Job { m1: i32, m2: i32, m: i32, k0: i32, k1: i32, share: i32, h0: i32, w0: i32, a: i32, b: i32, c: i32 }
fn job(layer: u32) -> Job {
  var z = i32(layer) + p.zBase;
  var share = 0; var pw = 0; var ph = 0; var batch = 0;
  // Divisions are slow where the GPU is a CPU, so both functions skip those that do nothing.
  if (z > 0) {
    share = z % p.shares; z /= p.shares;
    pw = z % p.phasesW; z /= p.phasesW;
    ph = z % p.phasesH; batch = z / p.phasesH;
  }
  let h = p.phaseH[ph]; let w = p.phaseW[pw];
  return Job(h.x, w.x, p.m0 * h.x * w.x, h.y, w.y, share, h.z, w.z,
    batch * p.aBatch + h.z * p.ah + w.z * p.aw, batch * p.bBatch + h.w + w.w,
    batch * p.cBatch + p.cBase + ph * p.ch + pw * p.cw + share * p.cShare);
}

// The tile's row and column among the tiles: rows run along x, and past the end of x on along y.
fn spotOf(group: vec3u, width: u32) -> vec2i {
  var x = i32(group.x); var y = i32(group.y);
  if (y >= p.colTiles) { let fold = y / p.colTiles; y -= fold * p.colTiles; x += fold * i32(width); }
  return vec2i(x, p.firstCol + y);
}

// Row m: its offset in A, its place in the image, its offset in C.
fn rowOf(j: Job, row: i32) -> vec4i {
  var d2 = min(row, j.m - 1); var d1 = 0; var d0 = 0;
  if (j.m != j.m2) {
    d1 = d2 / j.m2; d2 -= d1 * j.m2;
    d0 = d1 / j.m1; d1 -= d0 * j.m1;
  }
  return vec4i(d0 * p.am0 + d1 * p.am1 + d2 * p.am2 + j.a,
    d0 * p.hm0 + d1 * p.hm1 + j.h0, d1 * p.wm1 + d2 * p.wm2 + j.w0,
    select(-1, d0 * p.cm0 + d1 * p.cm1 + d2 * p.cm2 + j.c, row < j.m));
}
fn inside(h: i32, w: i32) -> bool { return u32(h) < u32(p.height) && u32(w) < u32(p.width); }
`;
