import { epilogueCode } from '../epilogue.ts';
import type { Epilogue } from '../functions.ts';
import { type Kernel, memo } from '../kernel.ts';
import { each, gemmHeader } from './gemmParams.ts';

const PARTS = ['x', 'y', 'z', 'w'] as const;

/**
 * The GEMM for hardware: 64 invocations compute a square tile, per*per elements each, from shared memory.
 *
 * Each step along k an invocation fetches one 4x4 block of A and one of B and stores it with k outermost, so that the
 * inner loop reads vec4s of both. An 8-wide invocation takes two groups of 4 rows, half a tile apart: neighbours then
 * read neighbouring vec4s, and no bank of the shared memory is asked twice.
 */
export const hardwareKernel = memo(
  (
    per: number,
    loadA: 'k' | 'm' | 'scalar',
    loadB: 'k' | 'n' | 'scalar',
    checked: boolean,
    vectorC: boolean,
    epilogue?: Epilogue,
  ): Kernel => {
    const typeC = vectorC ? 'vec4f' : 'f32';
    const after = epilogueCode(epilogue, typeC, 'c');
    const tile = 8 * per; // rows and columns of a tile
    const depth = 1024 / tile; // elements of k in shared memory
    const quads = tile / 4;
    const halves = per / 4;

    const at = (i: number, u: number) =>
      `select(0, r${i}.x + x${u}, on${u} && row${i}${checked ? ` && inside(r${i}.y + h${u}, r${i}.z + w${u})` : ''})`;
    const ok = (i: number, u: number) =>
      `on${u} && row${i}${checked ? ` && inside(r${i}.y + h${u}, r${i}.z + w${u})` : ''}`;
    const fetchA = (): string => {
      if (loadA === 'k') {
        return `${each(4, (i) => `      let f${i} = select(vec4f(), a[(${at(i, 0)}) >> 2u], ${ok(i, 0)});`)}
${each(4, (u) => `      tileA[(kq * 4 + ${u}) * ${quads} + xq] = vec4f(${each(4, (i) => `f${i}.${PARTS[u]}`, ', ')});`)}`;
      }
      if (loadA === 'm') {
        return each(
          4,
          (u) => `      tileA[(kq * 4 + ${u}) * ${quads} + xq] = select(vec4f(), a[(${at(0, u)}) >> 2u], ${ok(0, u)});`,
        );
      }
      return each(
        4,
        (u) =>
          `      tileA[(kq * 4 + ${u}) * ${quads} + xq] = vec4f(${each(4, (i) => `select(0.0, a[${at(i, u)}], ${ok(i, u)})`, ', ')});`,
      );
    };
    const fetchB = (): string => {
      if (loadB === 'k') {
        return `${each(4, (i) => `      let g${i} = select(vec4f(), b[select(0, n${i} + y0, on0) >> 2u], on0);`)}
${each(4, (u) => `      tileB[(kq * 4 + ${u}) * ${quads} + xq] = vec4f(${each(4, (i) => `g${i}.${PARTS[u]}`, ', ')});`)}`;
      }
      if (loadB === 'n') {
        return each(
          4,
          (u) =>
            `      tileB[(kq * 4 + ${u}) * ${quads} + xq] = select(vec4f(), b[select(0, n0 + y${u}, on${u}) >> 2u], on${u});`,
        );
      }
      return each(
        4,
        (u) =>
          `      tileB[(kq * 4 + ${u}) * ${quads} + xq] = vec4f(${each(4, (i) => `select(0.0, b[select(0, n${i} + y${u}, on${u})], on${u})`, ', ')});`,
      );
    };

    return {
      name: `gemm.hardware.${[tile, loadA, loadB, checked ? 'checked' : 'free', vectorC ? 4 : 1].join('.')}${after.name}`,
      access: ['read', 'read', 'write', ...after.access],
      source: /* wgsl */ `// a:[M,K] b:[K,N] -> c:[M,N], each row, column and k at its own stride (see Params)
${gemmHeader(loadA === 'scalar' ? 'f32' : 'vec4f', loadB === 'scalar' ? 'f32' : 'vec4f', typeC, after)}
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
${each(4, (i) => (loadB === 'n' ? (i ? '' : '  let n0 = min(nTile + xq * 4, p.n - 4) + j.b;') : `  let n${i} = min(nTile + xq * 4 + ${i}, p.n - 1) * p.bn + j.b;`))}
  // What it computes: rows 4*ty.., columns 4*tx.., and with 8 of each those half a tile further.
  let tx = t % 8; let ty = t / 8;
${each(per, (r) => each(halves, (v) => `  var s${r}_${v} = vec4f();`))}

  let kEnd = min((j.share + 1) * p.shareOuter, j.k0 * j.k1 * p.k2);
  for (var kTile = j.share * p.shareOuter; kTile < kEnd; kTile += ${depth}) {
    {
${each(
  loadA === 'k' && loadB === 'k' ? 1 : 4,
  (u) => `      let on${u} = kTile + kq * 4 + ${u} < kEnd;
      let d${u}_2 = (kTile + kq * 4 + ${u}) % p.k2; let q${u} = (kTile + kq * 4 + ${u}) / p.k2;
      let d${u}_1 = q${u} % j.k1; let d${u}_0 = q${u} / j.k1;
      let x${u} = d${u}_0 * p.ak0 + d${u}_1 * p.ak1 + d${u}_2 * p.ak2;
      let y${u} = d${u}_0 * p.bk0 + d${u}_1 * p.bk1 + d${u}_2 * p.bk2;
      ${checked ? `let h${u} = d${u}_0 * p.hk0 + d${u}_1 * p.hk1; let w${u} = d${u}_1 * p.wk1 + d${u}_2 * p.wk2;` : ''}`,
)}
${fetchA()}
${fetchB()}
    }
    workgroupBarrier();
    for (var k = 0; k < ${depth}; k++) {
${each(halves, (v) => `      let a${v} = tileA[k * ${quads} + ty + ${8 * v}]; let b${v} = tileB[k * ${quads} + tx + ${8 * v}];`)}
${each(per, (r) => each(halves, (v) => `      s${r}_${v} += a${Math.floor(r / 4)}.${PARTS[r % 4]} * b${v};`))}
    }
    workgroupBarrier();
  }

${each(
  per,
  (r) => `  { let m = m0 + ty * 4 + ${Math.floor(r / 4) * 32 + (r % 4)}; if (m < j.m) { let at = rowOf(j, m).w;
${each(halves, (v) => `    put(at, nTile + tx * 4 + ${v * 32}, s${r}_${v});`)} } }`,
)}
}

fn put(at: i32, n: i32, sum: vec4f) {
  ${vectorC ? `if (n < p.n) { ${after.columns('n')} ${after.store('sum', 'at + n')} }` : each(4, (i) => `if (n + ${i} < p.n) { ${after.columns(`n + ${i}`)} ${after.store(`sum.${PARTS[i]}`, `at + n + ${i}`)} }`, '\n  ')}
}
`,
    };
  },
);
