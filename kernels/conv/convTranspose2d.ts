import { epilogueCode, epilogueParams, epilogueSlots, takesEpilogue } from '../epilogue.ts';
import type { Epilogue } from '../functions.ts';
import { gemm, type Phase } from '../gemm/gemm.ts';
import { each } from '../gemm/gemmParams.ts';
import { matmul } from '../gemm/matmul.ts';
import { flatMain, grid1d, type Kernel, MAX_GROUPS, memo, type Plan, type Target } from '../kernel.ts';
import { type ConvGeometry, naiveHeader, naiveParams } from './convGeometry.ts';

/**
 * The transposed convolution: the adjoint of `conv2d` in x, hence also the gradient of its input.
 * Inputs y [N,OH,OW,Cout], w [KH,KW,Cin/groups,Cout]; output x [N,H,W,Cin]. Places of x that no window reaches are zero.
 *
 * Rows of x that are equal modulo the stride are reached by the same taps. Each such phase is a dense product of its own,
 * so that no multiplication is spent on the zeros that a textbook puts between the elements of y.
 */
export function convTranspose2d(target: Target, g: ConvGeometry): Plan {
  const cin = g.cin / g.groups;
  const cout = g.cout / g.groups;
  const spread = g.n * g.oh * g.ow * g.kh * g.kw * g.cin;
  const few = cin <= 4 && g.groups === 1 && Math.max(g.strideH, g.strideW) <= 4 && g.kh * g.kw <= 64;
  const fits = spread <= MAX_SPREAD && Math.max(g.n, g.h) <= MAX_GROUPS && Math.min(g.padTop, g.padLeft) >= 0;
  if (few && fits) return viaTaps(target, g, spread);
  const down = g.ow * g.cout;
  const rows = axis(g.h, g.kh, g.strideH, g.dilationH, g.padTop, g.kw * cin * g.cout);
  const columns = axis(g.w, g.kw, g.strideW, g.dilationW, g.padLeft, cin * g.cout);
  return gemm(target, {
    name: 'convTranspose2d',
    // Rows are the pixels of one phase of x, k its taps, columns the channels of x; groups are a batch.
    m0: g.n,
    k2: cout,
    n: cin,
    a: {
      m: [g.oh * down, down, g.cout],
      k: [-rows.back * down, -columns.back * g.cout, 1],
      h: down,
      w: g.cout,
      batch: cout,
    },
    b: { k: [rows.tapStride, columns.tapStride, 1], n: g.cout, batch: cout },
    c: {
      m: [g.h * g.w * g.cin, g.strideH * g.w * g.cin, g.strideW * g.cin],
      h: g.w * g.cin,
      w: g.cin,
      batch: cin,
    },
    size: g.n * g.h * g.w * g.cin,
    batch: g.groups,
    place: {
      height: g.oh,
      width: g.ow,
      m: { h: [0, 1], w: [0, 1] },
      k: { h: [-rows.back, 0], w: [-columns.back, 0] },
    },
    h: rows.phases,
    w: columns.phases,
  });
}

/** Words of the uniform block that `gather` takes without an epilogue. */
const GATHER_WORDS = 32;
/** Elements that the scratch buffer of `viaTaps` may have. */
const MAX_SPREAD = 2 ** 24;

/**
 * With few channels in x a product has too few columns to reuse what it loads. Then every pixel of y is multiplied with
 * all taps at once, y w^T [N*OH*OW, KH*KW*Cin], and each element of x adds up the few products that belong to it.
 */
function viaTaps(target: Target, g: ConvGeometry, spread: number, epilogue?: Epilogue): Plan {
  const product = matmul(target, {
    batch: 1,
    m: g.n * g.oh * g.ow,
    n: g.kh * g.kw * g.cin,
    k: g.cout,
    transposeA: false,
    transposeB: true,
    batchStrideA: 0,
    batchStrideB: 0,
  });
  const rows = reach(g.kh, g.strideH, g.dilationH);
  const columns = reach(g.kw, g.strideW, g.dilationW);
  const { output, next: temp } = epilogueSlots(2, epilogue);
  // The product's output is our scratch; its own scratch comes after.
  const slots = [0, 1, temp, temp + 1];
  return {
    temps: [spread, ...(product.temps ?? [])],
    dispatches: [
      ...product.dispatches.map((d) => ({ ...d, args: d.args.map((a) => slots[a]!) })),
      {
        kernel: gather(Math.ceil(g.kh / rows.step), Math.ceil(g.kw / columns.step), epilogue),
        args: [temp, ...output],
        params: [
          ...[g.w * g.cin, g.cin, g.oh, g.ow, g.kh, g.kw, g.strideH, g.strideW, g.padTop, g.padLeft],
          ...[rows.step, columns.step, rows.back, columns.back],
          (rows.step * g.kw - rows.back * g.ow * g.kh * g.kw) * g.cin,
          (columns.step - columns.back * g.kh * g.kw) * g.cin,
          ...[...rows.taps, ...rows.origins, ...columns.taps, ...columns.origins],
          ...epilogueParams(epilogue),
        ],
        grid: [Math.ceil((g.w * g.cin) / 32), g.h, g.n],
      },
    ],
    withEpilogue: (next) =>
      epilogue || !takesEpilogue(target, 1, GATHER_WORDS, next) ? undefined : viaTaps(target, g, spread, next),
  };
}

/** For a place modulo the stride (at most 4): the first tap that reaches it, and from where; the steps of both. */
function reach(count: number, stride: number, dilation: number) {
  const common = gcd(stride, dilation);
  const phases = [0, 1, 2, 3];
  const taps = phases.map((phase) => {
    const tap = Array.from({ length: count }, (_, t) => t).find((t) => (phase - t * dilation) % stride === 0);
    return phase < stride && tap !== undefined ? tap : count;
  });
  const origins = phases.map((phase, i) => Math.trunc((phase - taps[i]! * dilation) / stride));
  return { step: stride / common, back: dilation / common, taps, origins };
}

/** `taps` down and across is how many taps reach a place at most. */
const gather = memo((tapsH: number, tapsW: number, epilogue?: Epilogue): Kernel => {
  const after = epilogueCode(epilogue, 'f32', 'x');
  return {
    name: `convTranspose2d.gather.${tapsH}.${tapsW}${after.name}`,
    access: ['read', 'write', ...after.access],
    source: /* wgsl */ `// products:[N,OH,OW,KH,KW,Cin] -> x:[N,H,W,Cin]; a workgroup has 32 elements of one line
struct Params {
  line: i32, cin: i32, oh: i32, ow: i32, kh: i32, kw: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
  // What follows from a step of the taps: so many taps on, so many pixels back, so many products on.
  stepH: i32, stepW: i32, backH: i32, backW: i32, down: i32, right: i32,
  // For the places modulo the stride: the first tap that reaches them, and from how far.
  tapH: vec4i, originH: vec4i, tapW: vec4i, originW: vec4i,
  ${after.members}
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> products: array<f32>;
@group(0) @binding(2) var<storage, read_write> x: array<f32>;
${after.head(3, 'u32(p.line)')}
@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = i32(gid.x); let line = p.line;
  if (i >= line) { return; }
  let cin = p.cin; let strideH = p.strideH; let strideW = p.strideW;
  let pixel = i / cin; let ci = i - pixel * cin;
  let h = i32(gid.y) + p.padTop; let w = pixel + p.padLeft;
  let h0 = h / strideH; let w0 = w / strideW;
  let phaseH = h - h0 * strideH; let phaseW = w - w0 * strideW;
  let kh0 = p.tapH[phaseH]; let kw0 = p.tapW[phaseW];
  let y = h0 + p.originH[phaseH]; let z = w0 + p.originW[phaseW];
  let kh = p.kh; let kw = p.kw; let ow = p.ow; let oh = p.oh; let down = p.down; let right = p.right;
  let at = ((((i32(gid.z) * oh + y) * ow + z) * kh + kh0) * kw + kw0) * cin + ci;
  let stepH = p.stepH; let stepW = p.stepW; let backH = p.backH; let backW = p.backW;
${each(tapsH, (a) => `  let y${a} = u32(y - ${a} * backH) < u32(oh) && kh0 + ${a} * stepH < kh;`)}
${each(tapsW, (b) => `  let z${b} = u32(z - ${b} * backW) < u32(ow) && kw0 + ${b} * stepW < kw;`)}
  var sum = 0.0;
${each(tapsH, (a) => each(tapsW, (b) => `  sum += select(0.0, products[select(0, at + ${a} * down + ${b} * right, y${a} && z${b})], y${a} && z${b});`))}
  ${after.columns('ci')}
  ${after.store('sum', '(i32(gid.z) * i32(groups.y) + i32(gid.y)) * line + i')}
}
`,
  };
});

/** The phases along one axis, how far a step of the taps goes back in y, and a step's stride in w. */
function axis(size: number, taps: number, stride: number, dilation: number, pad: number, tapStride: number) {
  const common = gcd(stride, dilation);
  const step = stride / common;
  const phases = Array.from({ length: Math.min(stride, size) }, (_, phase): Phase => {
    const m = Math.ceil((size - phase) / stride);
    for (let tap = 0; tap < Math.min(step, taps); tap++) {
      const origin = (phase + pad - tap * dilation) / stride;
      if (Number.isInteger(origin)) return { m, k: Math.ceil((taps - tap) / step), origin, b: tap * tapStride };
    }
    return { m, k: 0, origin: 0, b: 0 };
  });
  return { phases, back: dilation / common, tapStride: step * tapStride };
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** `convTranspose2d` with one invocation for each element of x: what the fast one is tested against. */
export const convTranspose2dNaive = (_target: Target, g: ConvGeometry): Plan => ({
  dispatches: [{ kernel: naive, args: [0, 1, 2], params: naiveParams(g), grid: grid1d(g.n * g.h * g.w * g.cin) }],
});

const naive: Kernel = {
  name: 'convTranspose2d.naive',
  access: ['read', 'read', 'write'],
  source: /* wgsl */ `// y:[N,OH,OW,Cout] w:[KH,KW,Cin/G,Cout] -> x:[N,H,W,Cin]
${naiveHeader('y', 'w', 'x')}
${flatMain()}
  if (i >= u32(p.n * p.h * p.w * p.cin)) { return; }
  let ci = i32(i) % p.cin;
  let iw = i32(i) / p.cin % p.w;
  let ih = i32(i) / (p.cin * p.w) % p.h;
  let n = i32(i) / (p.cin * p.w * p.h);
  let cin = p.cin / p.groups;
  let cout = p.cout / p.groups;
  let group = ci / cin;
  var sum = 0.0;
  for (var kh = 0; kh < p.kh; kh++) {
    let h = ih + p.padTop - kh * p.dilationH;
    if (h < 0 || h % p.strideH != 0 || h / p.strideH >= p.oh) { continue; }
    for (var kw = 0; kw < p.kw; kw++) {
      let v = iw + p.padLeft - kw * p.dilationW;
      if (v < 0 || v % p.strideW != 0 || v / p.strideW >= p.ow) { continue; }
      let start = ((n * p.oh + h / p.strideH) * p.ow + v / p.strideW) * p.cout + group * cout;
      let tap = ((kh * p.kw + kw) * cin + ci % cin) * p.cout + group * cout;
      for (var co = 0; co < cout; co++) { sum += y[start + co] * w[tap + co]; }
    }
  }
  x[i] = sum;
}
`,
};
