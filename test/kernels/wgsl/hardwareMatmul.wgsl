// a batch of [64,64] times [64,64] on a GPU: gemm.hardware.64.k.n.free.4
// a:[M,K] b:[K,N] -> c:[M,N], each row, column and k at its own stride (see Params)
struct Params {
  // (count in m, count in k, origin in the image, offset in B) of each phase down and across
  phaseH: array<vec4i, 2>, phaseW: array<vec4i, 2>,
  phasesH: i32, phasesW: i32, shares: i32, shareOuter: i32, shareInner: i32, innerShares: i32, zBase: i32,
  colTiles: i32, firstCol: i32,
  m0: i32, k2: i32, n: i32,
  am0: i32, am1: i32, am2: i32, ak0: i32, ak1: i32, ak2: i32, ah: i32, aw: i32, aBatch: i32,
  bk0: i32, bk1: i32, bk2: i32, bn: i32, bBatch: i32,
  cm0: i32, cm1: i32, cm2: i32, ch: i32, cw: i32, cBase: i32, cBatch: i32, cShare: i32,
  hm0: i32, hm1: i32, wm1: i32, wm2: i32, hk0: i32, hk1: i32, wk1: i32, wk2: i32, height: i32, width: i32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;

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

var<workgroup> tileA: array<vec4f, 256>; // [16 k][16 rows/4]
var<workgroup> tileB: array<vec4f, 256>; // [16 k][16 columns/4]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) local: u32) {
  let j = job(group.z);
  let t = i32(local);
  let spot = spotOf(group, groups.x);
  let m0 = spot.x * 64;
  let nTile = spot.y * 64;
  if (m0 >= j.m) { return; }
  // What this invocation fetches: rows and columns 4*xq.. of the tile, k 4*kq..
  let kq = t % 4; let xq = t / 4;
  let r0 = rowOf(j, m0 + xq * 4 + 0); let row0 = m0 + xq * 4 + 0 < j.m;
  let r1 = rowOf(j, m0 + xq * 4 + 1); let row1 = m0 + xq * 4 + 1 < j.m;
  let r2 = rowOf(j, m0 + xq * 4 + 2); let row2 = m0 + xq * 4 + 2 < j.m;
  let r3 = rowOf(j, m0 + xq * 4 + 3); let row3 = m0 + xq * 4 + 3 < j.m;
  let n0 = min(nTile + xq * 4, p.n - 4) + j.b;
  // What it computes: rows 4*ty.., columns 4*tx.., and with 8 of each those half a tile further.
  let tx = t % 8; let ty = t / 8;
  var s0_0 = vec4f();
  var s0_1 = vec4f();
  var s1_0 = vec4f();
  var s1_1 = vec4f();
  var s2_0 = vec4f();
  var s2_1 = vec4f();
  var s3_0 = vec4f();
  var s3_1 = vec4f();
  var s4_0 = vec4f();
  var s4_1 = vec4f();
  var s5_0 = vec4f();
  var s5_1 = vec4f();
  var s6_0 = vec4f();
  var s6_1 = vec4f();
  var s7_0 = vec4f();
  var s7_1 = vec4f();
  let kEnd = min((j.share + 1) * p.shareOuter, j.k0 * j.k1 * p.k2);
  for (var kTile = j.share * p.shareOuter; kTile < kEnd; kTile += 16) {
    {
      let on0 = kTile + kq * 4 + 0 < kEnd;
      let d0_2 = (kTile + kq * 4 + 0) % p.k2; let q0 = (kTile + kq * 4 + 0) / p.k2;
      let d0_1 = q0 % j.k1; let d0_0 = q0 / j.k1;
      let x0 = d0_0 * p.ak0 + d0_1 * p.ak1 + d0_2 * p.ak2;
      let y0 = d0_0 * p.bk0 + d0_1 * p.bk1 + d0_2 * p.bk2;
      let on1 = kTile + kq * 4 + 1 < kEnd;
      let d1_2 = (kTile + kq * 4 + 1) % p.k2; let q1 = (kTile + kq * 4 + 1) / p.k2;
      let d1_1 = q1 % j.k1; let d1_0 = q1 / j.k1;
      let x1 = d1_0 * p.ak0 + d1_1 * p.ak1 + d1_2 * p.ak2;
      let y1 = d1_0 * p.bk0 + d1_1 * p.bk1 + d1_2 * p.bk2;
      let on2 = kTile + kq * 4 + 2 < kEnd;
      let d2_2 = (kTile + kq * 4 + 2) % p.k2; let q2 = (kTile + kq * 4 + 2) / p.k2;
      let d2_1 = q2 % j.k1; let d2_0 = q2 / j.k1;
      let x2 = d2_0 * p.ak0 + d2_1 * p.ak1 + d2_2 * p.ak2;
      let y2 = d2_0 * p.bk0 + d2_1 * p.bk1 + d2_2 * p.bk2;
      let on3 = kTile + kq * 4 + 3 < kEnd;
      let d3_2 = (kTile + kq * 4 + 3) % p.k2; let q3 = (kTile + kq * 4 + 3) / p.k2;
      let d3_1 = q3 % j.k1; let d3_0 = q3 / j.k1;
      let x3 = d3_0 * p.ak0 + d3_1 * p.ak1 + d3_2 * p.ak2;
      let y3 = d3_0 * p.bk0 + d3_1 * p.bk1 + d3_2 * p.bk2;
      let f0 = select(vec4f(), a[(select(0, r0.x + x0, on0 && row0)) >> 2u], on0 && row0);
      let f1 = select(vec4f(), a[(select(0, r1.x + x0, on0 && row1)) >> 2u], on0 && row1);
      let f2 = select(vec4f(), a[(select(0, r2.x + x0, on0 && row2)) >> 2u], on0 && row2);
      let f3 = select(vec4f(), a[(select(0, r3.x + x0, on0 && row3)) >> 2u], on0 && row3);
      tileA[(kq * 4 + 0) * 16 + xq] = vec4f(f0.x, f1.x, f2.x, f3.x);
      tileA[(kq * 4 + 1) * 16 + xq] = vec4f(f0.y, f1.y, f2.y, f3.y);
      tileA[(kq * 4 + 2) * 16 + xq] = vec4f(f0.z, f1.z, f2.z, f3.z);
      tileA[(kq * 4 + 3) * 16 + xq] = vec4f(f0.w, f1.w, f2.w, f3.w);
      tileB[(kq * 4 + 0) * 16 + xq] = select(vec4f(), b[select(0, n0 + y0, on0) >> 2u], on0);
      tileB[(kq * 4 + 1) * 16 + xq] = select(vec4f(), b[select(0, n0 + y1, on1) >> 2u], on1);
      tileB[(kq * 4 + 2) * 16 + xq] = select(vec4f(), b[select(0, n0 + y2, on2) >> 2u], on2);
      tileB[(kq * 4 + 3) * 16 + xq] = select(vec4f(), b[select(0, n0 + y3, on3) >> 2u], on3);
    }
    workgroupBarrier();
    for (var k = 0; k < 16; k++) {
      let a0 = tileA[k * 16 + ty + 0]; let b0 = tileB[k * 16 + tx + 0];
      let a1 = tileA[k * 16 + ty + 8]; let b1 = tileB[k * 16 + tx + 8];
      s0_0 += a0.x * b0;
      s0_1 += a0.x * b1;
      s1_0 += a0.y * b0;
      s1_1 += a0.y * b1;
      s2_0 += a0.z * b0;
      s2_1 += a0.z * b1;
      s3_0 += a0.w * b0;
      s3_1 += a0.w * b1;
      s4_0 += a1.x * b0;
      s4_1 += a1.x * b1;
      s5_0 += a1.y * b0;
      s5_1 += a1.y * b1;
      s6_0 += a1.z * b0;
      s6_1 += a1.z * b1;
      s7_0 += a1.w * b0;
      s7_1 += a1.w * b1;
    }
    workgroupBarrier();
  }
  { let m = m0 + ty * 4 + 0; if (m < j.m) { let at = rowOf(j, m).w;
      put(at, nTile + tx * 4 + 0, s0_0);
      put(at, nTile + tx * 4 + 32, s0_1); } }
  { let m = m0 + ty * 4 + 1; if (m < j.m) { let at = rowOf(j, m).w;
      put(at, nTile + tx * 4 + 0, s1_0);
      put(at, nTile + tx * 4 + 32, s1_1); } }
  { let m = m0 + ty * 4 + 2; if (m < j.m) { let at = rowOf(j, m).w;
      put(at, nTile + tx * 4 + 0, s2_0);
      put(at, nTile + tx * 4 + 32, s2_1); } }
  { let m = m0 + ty * 4 + 3; if (m < j.m) { let at = rowOf(j, m).w;
      put(at, nTile + tx * 4 + 0, s3_0);
      put(at, nTile + tx * 4 + 32, s3_1); } }
  { let m = m0 + ty * 4 + 32; if (m < j.m) { let at = rowOf(j, m).w;
      put(at, nTile + tx * 4 + 0, s4_0);
      put(at, nTile + tx * 4 + 32, s4_1); } }
  { let m = m0 + ty * 4 + 33; if (m < j.m) { let at = rowOf(j, m).w;
      put(at, nTile + tx * 4 + 0, s5_0);
      put(at, nTile + tx * 4 + 32, s5_1); } }
  { let m = m0 + ty * 4 + 34; if (m < j.m) { let at = rowOf(j, m).w;
      put(at, nTile + tx * 4 + 0, s6_0);
      put(at, nTile + tx * 4 + 32, s6_1); } }
  { let m = m0 + ty * 4 + 35; if (m < j.m) { let at = rowOf(j, m).w;
      put(at, nTile + tx * 4 + 0, s7_0);
      put(at, nTile + tx * 4 + 32, s7_1); } }
}

fn put(at: i32, n: i32, sum: vec4f) {
  if (n < p.n) {  c[(at + n) >> 2u] = sum; }
}
