// a padded 3x3 convolution on a CPU, then bias and relu: gemm.software.8.2.4.4.k.n.tap.4+add+relu
// a:[M,K] b:[K,N] -> c:[M,N], each row, column and k at its own stride (see Params)
enable subgroups;
diagnostic(off, subgroup_uniformity);
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
@group(0) @binding(4) var<storage, read> epilogue0: array<vec4f>;
alias T = vec4f; alias U = vec4u; alias B = vec4<bool>;
fn isnan_(x: T) -> B { return (bitcast<U>(x) & U(0x7fffffffu)) > U(0x7f800000u); }
fn bits_(word: u32) -> T { return T(bitcast<f32>(word | (u32(p.n) & 0u))); }

fn link0(a: T, b: T) -> T { return a + b; }
fn link1(a: T) -> T { return select(a, 0.0, a < 0.0); }

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

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
    @builtin(subgroup_invocation_id) sub: u32) {
  let j = job(group.z);
  let spot = spotOf(group, groups.x);
  let lane = i32(sub);
  let m0 = spot.x * 16;
  if (m0 >= j.m) { return; }
  let n = (spot.y * 8 + lane) * 4;
  let nEnd = p.n;
  let n0 = min(n, nEnd - 4) >> 2u;
  let r0 = rowOf(j, m0 + lane * 2 + 0);
  let r1 = rowOf(j, m0 + lane * 2 + 1);
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  var s4 = vec4f();
  var s5 = vec4f();
  var s6 = vec4f();
  var s7 = vec4f();
  var s8 = vec4f();
  var s9 = vec4f();
  var s10 = vec4f();
  var s11 = vec4f();
  var s12 = vec4f();
  var s13 = vec4f();
  var s14 = vec4f();
  var s15 = vec4f();
  let stepA = p.ak2; let stepB = p.bk2; let ak0 = p.ak0; let ak1 = p.ak1; let bk0 = p.bk0; let bk1 = p.bk1;
  let hk0 = p.hk0; let hk1 = p.hk1; let wk1 = p.wk1; let size = vec2u(u32(p.height), u32(p.width));
  let outer = j.share / p.innerShares * p.shareOuter;
  let inner = j.share % p.innerShares * p.shareInner;
  let innerEnd = min(inner + p.shareInner, p.k2);
  let steps = (min(outer + p.shareOuter, j.k0 * j.k1) - outer) * ((innerEnd - inner) / 4);
  var k0 = outer / max(j.k1, 1);
  var k1 = outer - k0 * j.k1;
  var k2 = inner;
  for (var step = 0; step < steps; step++) {
    let aAt = k0 * ak0 + k1 * ak1 + k2 * stepA;
    let bAt = j.b + k0 * bk0 + k1 * bk1 + k2 * stepB;
    let h = k0 * hk0 + k1 * hk1; let w = k1 * wk1;
    let in0 = u32(r0.y + h) < size.x && u32(r0.z + w) < size.y; let at0 = select(0, r0.x + aAt, in0);
    let in1 = u32(r1.y + h) < size.x && u32(r1.z + w) < size.y; let at1 = select(0, r1.x + aAt, in1);
    let x0_0 = select(vec4f(), a[(at0 >> 2u) + 0], in0);
    let x1_0 = select(vec4f(), a[(at1 >> 2u) + 0], in1);
    let b0 = b[((bAt + 0 * stepB) >> 2u) + n0];
    let b1 = b[((bAt + 1 * stepB) >> 2u) + n0];
    let b2 = b[((bAt + 2 * stepB) >> 2u) + n0];
    let b3 = b[((bAt + 3 * stepB) >> 2u) + n0];
    s0 = fma(vec4f(subgroupBroadcast(x0_0.x, 0u)), b0, s0);
    s0 = fma(vec4f(subgroupBroadcast(x0_0.y, 0u)), b1, s0);
    s0 = fma(vec4f(subgroupBroadcast(x0_0.z, 0u)), b2, s0);
    s0 = fma(vec4f(subgroupBroadcast(x0_0.w, 0u)), b3, s0);
    s2 = fma(vec4f(subgroupBroadcast(x0_0.x, 1u)), b0, s2);
    s2 = fma(vec4f(subgroupBroadcast(x0_0.y, 1u)), b1, s2);
    s2 = fma(vec4f(subgroupBroadcast(x0_0.z, 1u)), b2, s2);
    s2 = fma(vec4f(subgroupBroadcast(x0_0.w, 1u)), b3, s2);
    s4 = fma(vec4f(subgroupBroadcast(x0_0.x, 2u)), b0, s4);
    s4 = fma(vec4f(subgroupBroadcast(x0_0.y, 2u)), b1, s4);
    s4 = fma(vec4f(subgroupBroadcast(x0_0.z, 2u)), b2, s4);
    s4 = fma(vec4f(subgroupBroadcast(x0_0.w, 2u)), b3, s4);
    s6 = fma(vec4f(subgroupBroadcast(x0_0.x, 3u)), b0, s6);
    s6 = fma(vec4f(subgroupBroadcast(x0_0.y, 3u)), b1, s6);
    s6 = fma(vec4f(subgroupBroadcast(x0_0.z, 3u)), b2, s6);
    s6 = fma(vec4f(subgroupBroadcast(x0_0.w, 3u)), b3, s6);
    s8 = fma(vec4f(subgroupBroadcast(x0_0.x, 4u)), b0, s8);
    s8 = fma(vec4f(subgroupBroadcast(x0_0.y, 4u)), b1, s8);
    s8 = fma(vec4f(subgroupBroadcast(x0_0.z, 4u)), b2, s8);
    s8 = fma(vec4f(subgroupBroadcast(x0_0.w, 4u)), b3, s8);
    s10 = fma(vec4f(subgroupBroadcast(x0_0.x, 5u)), b0, s10);
    s10 = fma(vec4f(subgroupBroadcast(x0_0.y, 5u)), b1, s10);
    s10 = fma(vec4f(subgroupBroadcast(x0_0.z, 5u)), b2, s10);
    s10 = fma(vec4f(subgroupBroadcast(x0_0.w, 5u)), b3, s10);
    s12 = fma(vec4f(subgroupBroadcast(x0_0.x, 6u)), b0, s12);
    s12 = fma(vec4f(subgroupBroadcast(x0_0.y, 6u)), b1, s12);
    s12 = fma(vec4f(subgroupBroadcast(x0_0.z, 6u)), b2, s12);
    s12 = fma(vec4f(subgroupBroadcast(x0_0.w, 6u)), b3, s12);
    s14 = fma(vec4f(subgroupBroadcast(x0_0.x, 7u)), b0, s14);
    s14 = fma(vec4f(subgroupBroadcast(x0_0.y, 7u)), b1, s14);
    s14 = fma(vec4f(subgroupBroadcast(x0_0.z, 7u)), b2, s14);
    s14 = fma(vec4f(subgroupBroadcast(x0_0.w, 7u)), b3, s14);
    s1 = fma(vec4f(subgroupBroadcast(x1_0.x, 0u)), b0, s1);
    s1 = fma(vec4f(subgroupBroadcast(x1_0.y, 0u)), b1, s1);
    s1 = fma(vec4f(subgroupBroadcast(x1_0.z, 0u)), b2, s1);
    s1 = fma(vec4f(subgroupBroadcast(x1_0.w, 0u)), b3, s1);
    s3 = fma(vec4f(subgroupBroadcast(x1_0.x, 1u)), b0, s3);
    s3 = fma(vec4f(subgroupBroadcast(x1_0.y, 1u)), b1, s3);
    s3 = fma(vec4f(subgroupBroadcast(x1_0.z, 1u)), b2, s3);
    s3 = fma(vec4f(subgroupBroadcast(x1_0.w, 1u)), b3, s3);
    s5 = fma(vec4f(subgroupBroadcast(x1_0.x, 2u)), b0, s5);
    s5 = fma(vec4f(subgroupBroadcast(x1_0.y, 2u)), b1, s5);
    s5 = fma(vec4f(subgroupBroadcast(x1_0.z, 2u)), b2, s5);
    s5 = fma(vec4f(subgroupBroadcast(x1_0.w, 2u)), b3, s5);
    s7 = fma(vec4f(subgroupBroadcast(x1_0.x, 3u)), b0, s7);
    s7 = fma(vec4f(subgroupBroadcast(x1_0.y, 3u)), b1, s7);
    s7 = fma(vec4f(subgroupBroadcast(x1_0.z, 3u)), b2, s7);
    s7 = fma(vec4f(subgroupBroadcast(x1_0.w, 3u)), b3, s7);
    s9 = fma(vec4f(subgroupBroadcast(x1_0.x, 4u)), b0, s9);
    s9 = fma(vec4f(subgroupBroadcast(x1_0.y, 4u)), b1, s9);
    s9 = fma(vec4f(subgroupBroadcast(x1_0.z, 4u)), b2, s9);
    s9 = fma(vec4f(subgroupBroadcast(x1_0.w, 4u)), b3, s9);
    s11 = fma(vec4f(subgroupBroadcast(x1_0.x, 5u)), b0, s11);
    s11 = fma(vec4f(subgroupBroadcast(x1_0.y, 5u)), b1, s11);
    s11 = fma(vec4f(subgroupBroadcast(x1_0.z, 5u)), b2, s11);
    s11 = fma(vec4f(subgroupBroadcast(x1_0.w, 5u)), b3, s11);
    s13 = fma(vec4f(subgroupBroadcast(x1_0.x, 6u)), b0, s13);
    s13 = fma(vec4f(subgroupBroadcast(x1_0.y, 6u)), b1, s13);
    s13 = fma(vec4f(subgroupBroadcast(x1_0.z, 6u)), b2, s13);
    s13 = fma(vec4f(subgroupBroadcast(x1_0.w, 6u)), b3, s13);
    s15 = fma(vec4f(subgroupBroadcast(x1_0.x, 7u)), b0, s15);
    s15 = fma(vec4f(subgroupBroadcast(x1_0.y, 7u)), b1, s15);
    s15 = fma(vec4f(subgroupBroadcast(x1_0.z, 7u)), b2, s15);
    s15 = fma(vec4f(subgroupBroadcast(x1_0.w, 7u)), b3, s15);
    k2 += 4;
    let down = k2 >= innerEnd; k2 = select(k2, inner, down); k1 += select(0, 1, down);
    let over = k1 >= j.k1; k1 = select(k1, 0, over); k0 += select(0, 1, over);
  }
  let o0_ = T(epilogue0[(min(n, nEnd - 4)) >> 2u]);
  {
    let at = subgroupBroadcast(r0.w, 0u);
    if (at >= 0) {
      if (n < nEnd) {
        let v_ = s0;
        let at_ = (at + n) >> 2u;
        let r0_ = link0(v_, o0_);
        let r1_ = link1(r0_);
        c[at_] = r1_;
      }
    }
  }
  {
    let at = subgroupBroadcast(r0.w, 1u);
    if (at >= 0) {
      if (n < nEnd) {
        let v_ = s2;
        let at_ = (at + n) >> 2u;
        let r0_ = link0(v_, o0_);
        let r1_ = link1(r0_);
        c[at_] = r1_;
      }
    }
  }
  {
    let at = subgroupBroadcast(r0.w, 2u);
    if (at >= 0) {
      if (n < nEnd) {
        let v_ = s4;
        let at_ = (at + n) >> 2u;
        let r0_ = link0(v_, o0_);
        let r1_ = link1(r0_);
        c[at_] = r1_;
      }
    }
  }
  {
    let at = subgroupBroadcast(r0.w, 3u);
    if (at >= 0) {
      if (n < nEnd) {
        let v_ = s6;
        let at_ = (at + n) >> 2u;
        let r0_ = link0(v_, o0_);
        let r1_ = link1(r0_);
        c[at_] = r1_;
      }
    }
  }
  {
    let at = subgroupBroadcast(r0.w, 4u);
    if (at >= 0) {
      if (n < nEnd) {
        let v_ = s8;
        let at_ = (at + n) >> 2u;
        let r0_ = link0(v_, o0_);
        let r1_ = link1(r0_);
        c[at_] = r1_;
      }
    }
  }
  {
    let at = subgroupBroadcast(r0.w, 5u);
    if (at >= 0) {
      if (n < nEnd) {
        let v_ = s10;
        let at_ = (at + n) >> 2u;
        let r0_ = link0(v_, o0_);
        let r1_ = link1(r0_);
        c[at_] = r1_;
      }
    }
  }
  {
    let at = subgroupBroadcast(r0.w, 6u);
    if (at >= 0) {
      if (n < nEnd) {
        let v_ = s12;
        let at_ = (at + n) >> 2u;
        let r0_ = link0(v_, o0_);
        let r1_ = link1(r0_);
        c[at_] = r1_;
      }
    }
  }
  {
    let at = subgroupBroadcast(r0.w, 7u);
    if (at >= 0) {
      if (n < nEnd) {
        let v_ = s14;
        let at_ = (at + n) >> 2u;
        let r0_ = link0(v_, o0_);
        let r1_ = link1(r0_);
        c[at_] = r1_;
      }
    }
  }
  {
    let at = subgroupBroadcast(r1.w, 0u);
    if (at >= 0) {
      if (n < nEnd) {
        let v_ = s1;
        let at_ = (at + n) >> 2u;
        let r0_ = link0(v_, o0_);
        let r1_ = link1(r0_);
        c[at_] = r1_;
      }
    }
  }
  {
    let at = subgroupBroadcast(r1.w, 1u);
    if (at >= 0) {
      if (n < nEnd) {
        let v_ = s3;
        let at_ = (at + n) >> 2u;
        let r0_ = link0(v_, o0_);
        let r1_ = link1(r0_);
        c[at_] = r1_;
      }
    }
  }
  {
    let at = subgroupBroadcast(r1.w, 2u);
    if (at >= 0) {
      if (n < nEnd) {
        let v_ = s5;
        let at_ = (at + n) >> 2u;
        let r0_ = link0(v_, o0_);
        let r1_ = link1(r0_);
        c[at_] = r1_;
      }
    }
  }
  {
    let at = subgroupBroadcast(r1.w, 3u);
    if (at >= 0) {
      if (n < nEnd) {
        let v_ = s7;
        let at_ = (at + n) >> 2u;
        let r0_ = link0(v_, o0_);
        let r1_ = link1(r0_);
        c[at_] = r1_;
      }
    }
  }
  {
    let at = subgroupBroadcast(r1.w, 4u);
    if (at >= 0) {
      if (n < nEnd) {
        let v_ = s9;
        let at_ = (at + n) >> 2u;
        let r0_ = link0(v_, o0_);
        let r1_ = link1(r0_);
        c[at_] = r1_;
      }
    }
  }
  {
    let at = subgroupBroadcast(r1.w, 5u);
    if (at >= 0) {
      if (n < nEnd) {
        let v_ = s11;
        let at_ = (at + n) >> 2u;
        let r0_ = link0(v_, o0_);
        let r1_ = link1(r0_);
        c[at_] = r1_;
      }
    }
  }
  {
    let at = subgroupBroadcast(r1.w, 6u);
    if (at >= 0) {
      if (n < nEnd) {
        let v_ = s13;
        let at_ = (at + n) >> 2u;
        let r0_ = link0(v_, o0_);
        let r1_ = link1(r0_);
        c[at_] = r1_;
      }
    }
  }
  {
    let at = subgroupBroadcast(r1.w, 7u);
    if (at >= 0) {
      if (n < nEnd) {
        let v_ = s15;
        let at_ = (at + n) >> 2u;
        let r0_ = link0(v_, o0_);
        let r1_ = link1(r0_);
        c[at_] = r1_;
      }
    }
  }
}
