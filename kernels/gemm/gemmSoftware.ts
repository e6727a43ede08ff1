import { epilogueCode } from '../epilogue.ts';
import type { Epilogue } from '../functions.ts';
import { type Kernel, memo } from '../kernel.ts';
import { each, gemmHeader } from './gemmParams.ts';

/** Where elements of A may lie outside the image: nowhere, by whole filter taps, or by single elements of k. */
export type Check = 'none' | 'tap' | 'element';

const PARTS = ['x', 'y', 'z', 'w'] as const;

/** How the `d`-th of the rows that a subgroup shares reaches a lane. */
const SHARE: Readonly<Record<number, (value: string, d: number) => string>> = {
  1: (value) => value,
  // Lane l gets the value of lane l ^ d: one shuffle, where a broadcast costs SwiftShader fifteen instructions.
  4: (value, d) => (d === 0 ? value : `quadSwap${['X', 'Y', 'Diagonal'][d - 1]}(${value})`),
  8: (value, d) => `subgroupBroadcast(${value}, ${d}u)`,
};

/**
 * The GEMM for adapters that run on a CPU: no shared memory and no barriers, which are ruinous there.
 *
 * A subgroup of `lanes` computes a tile of lanes*rowsPerLane rows by lanes*cols columns. A lane owns its columns' sums for
 * all the rows; it loads B for its columns and A for its own rows, and hands A to the other lanes. On a CPU a load is one
 * scalar load for each lane and component, at ten times the price of a multiplication on SwiftShader, so what counts is
 * few loads for each multiplication, not their pattern; and loop-carried values are dear too, so there is one loop for
 * all of k. With one lane (no subgroups needed) an invocation computes its tile alone.
 */
export const softwareKernel = memo(
  (
    lanes: number,
    rowsPerLane: number,
    cols: number,
    unroll: number,
    loadA: 'k' | 'scalar',
    loadB: 'k' | 'n' | 'scalar',
    check: Check,
    vectorC: boolean,
    epilogue?: Epilogue,
  ): Kernel => {
    const rows = lanes * rowsPerLane;
    const type = cols === 1 ? 'f32' : (`vec${cols as 2 | 4}f` as const);
    const share = SHARE[lanes]!;
    const typeC = vectorC ? type : 'f32';
    const after = epilogueCode(epilogue, typeC, 'c');
    const shift = cols >> 1; // log2 of 1, 2, 4
    const rowsOf = (text: (i: number) => string) => each(rowsPerLane, text);
    const vectorOf = (part: (i: number) => string) => (cols === 1 ? part(0) : `${type}(${each(cols, part, ', ')})`);

    const a = (i: number, u: number) => (loadA === 'k' ? `x${i}_${u >> 2}.${PARTS[u & 3]}` : `x${i}_${u}`);
    const loadsA = (): string =>
      loadA === 'k'
        ? rowsOf((i) =>
            each(unroll / 4, (q) => {
              const value = `a[(at${i} >> 2u) + ${q}]`;
              return `    let x${i}_${q} = ${check === 'none' ? value : `select(vec4f(), ${value}, in${i})`};`;
            }),
          )
        : rowsOf((i) =>
            each(unroll, (u) => {
              const at = `at${i} + ${u} * stepA`;
              if (check === 'none') return `    let x${i}_${u} = a[${at}];`;
              if (check === 'tap') return `    let x${i}_${u} = select(0.0, a[${at}], in${i});`;
              return `    let in${i}_${u} = in${i} && u32(w${i} + ${u} * stepW) < width;
    let x${i}_${u} = select(0.0, a[select(0, ${at}, in${i}_${u})], in${i}_${u});`;
            }),
          );
    const loadsB = (): string => {
      if (loadB === 'n') return each(unroll, (u) => `    let b${u} = b[((bAt + ${u} * stepB) >> ${shift}u) + n0];`);
      if (loadB === 'scalar') {
        return each(unroll, (u) => `    let b${u} = ${vectorOf((i) => `b[bAt + ${u} * stepB + n${i}]`)};`);
      }
      return each(unroll / 4, (q) => {
        const columns = each(cols, (i) => `    let col${i}_${q} = b[((bAt + n${i}) >> 2u) + ${q}];`);
        return `${columns}\n${each(4, (u) => `    let b${q * 4 + u} = ${vectorOf((i) => `col${i}_${q}.${PARTS[u]}`)};`)}`;
      });
    };

    const place = (i: number): string => {
      const h = `r${i}.y + h`;
      const w = `r${i}.z + w`;
      if (check === 'none') return `    let at${i} = r${i}.x + aAt;`;
      if (check === 'tap')
        return `    let in${i} = u32(${h}) < size.x && u32(${w}) < size.y; let at${i} = select(0, r${i}.x + aAt, in${i});`;
      return `    let in${i} = u32(${h}) < size.x; let w${i} = ${w} + k2 * stepW; let at${i} = r${i}.x + aAt;`;
    };

    const multiply = (i: number) =>
      each(lanes, (d) => {
        const s = `s${d * rowsPerLane + i}`;
        return each(unroll, (u) => `    ${s} = fma(${type}(${share(a(i, u), d)}), b${u}, ${s});`);
      });

    /** Rows past the end have a negative offset in C. */
    const store = (i: number, d: number): string => {
      const s = `s${d * rowsPerLane + i}`;
      const columns = vectorC
        ? `if (n < nEnd) { ${after.store(s, 'at + n')} }`
        : each(
            cols,
            (q) => {
              const part = cols === 1 ? s : `${s}.${PARTS[q]}`;
              return `if (n + ${q} < nEnd) { ${after.store(part, `at + n + ${q}`, `${q}`)} }`;
            },
            ' ',
          );
      return `  { let at = ${share(`r${i}.w`, d)}; if (at >= 0) { ${columns} } }`;
    };

    const columns = vectorC
      ? after.columns(`min(n, nEnd - ${cols})`)
      : each(cols, (q) => after.columns(`min(n + ${q}, nEnd - 1)`, `${q}`), ' ');

    return {
      name: `gemm.software.${[lanes, rowsPerLane, cols, unroll, loadA, loadB, check, vectorC ? cols : 1].join('.')}${after.name}`,
      access: ['read', 'read', 'write', ...after.access],
      ...(lanes > 1 && { needs: ['subgroups'] as const }),
      source: /* wgsl */ `// a:[M,K] b:[K,N] -> c:[M,N], each row, column and k at its own stride (see Params)
${lanes > 1 ? 'enable subgroups;\ndiagnostic(off, subgroup_uniformity);' : ''}
${gemmHeader(loadA === 'k' ? 'vec4f' : 'f32', loadB === 'scalar' ? 'f32' : loadB === 'k' ? 'vec4f' : type, typeC, after)}
@compute @workgroup_size(${lanes === 1 ? 8 : lanes})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        ${lanes > 1 ? '@builtin(subgroup_invocation_id) sub: u32' : '@builtin(local_invocation_index) local: u32'}) {
  let j = job(group.z);
  let spot = spotOf(group, groups.x);
  let lane = ${lanes > 1 ? 'i32(sub)' : '0'};
  let m0 = ${lanes > 1 ? 'spot.x' : '(spot.x * 8 + i32(local))'} * ${rows};
  if (m0 >= j.m) { return; }
  let n = (spot.y * ${lanes} + lane) * ${cols};
  let nEnd = p.n;
${
  loadB === 'n'
    ? `  let n0 = min(n, nEnd - ${cols}) >> ${shift}u;`
    : `  let bn = p.bn;\n${each(cols, (i) => `  let n${i} = min(n + ${i}, nEnd - 1) * bn;`)}`
}
${rowsOf((i) => `  let r${i} = rowOf(j, m0 + lane * ${rowsPerLane} + ${i});`)}
${each(rows, (r) => `  var s${r} = ${type}();`)}
  let stepA = p.ak2; let stepB = p.bk2; let ak0 = p.ak0; let ak1 = p.ak1; let bk0 = p.bk0; let bk1 = p.bk1;
  ${check === 'none' ? '' : 'let hk0 = p.hk0; let hk1 = p.hk1; let wk1 = p.wk1; let size = vec2u(u32(p.height), u32(p.width));'}
  ${check === 'element' ? 'let stepW = p.wk2; let width = size.y;' : ''}
  let outer = j.share / p.innerShares * p.shareOuter;
  let inner = j.share % p.innerShares * p.shareInner;
  let innerEnd = min(inner + p.shareInner, p.k2);
  let steps = (min(outer + p.shareOuter, j.k0 * j.k1) - outer) * ((innerEnd - inner) / ${unroll});
  var k0 = outer / max(j.k1, 1);
  var k1 = outer - k0 * j.k1;
  var k2 = inner;
  for (var step = 0; step < steps; step++) {
    let aAt = k0 * ak0 + k1 * ak1 + k2 * stepA;
    let bAt = j.b + k0 * bk0 + k1 * bk1 + k2 * stepB;
    ${check === 'none' ? '' : 'let h = k0 * hk0 + k1 * hk1; let w = k1 * wk1;'}
${rowsOf(place)}
${loadsA()}
${loadsB()}
${rowsOf(multiply)}
    k2 += ${unroll};
    let down = k2 >= innerEnd; k2 = select(k2, inner, down); k1 += select(0, 1, down);
    let over = k1 >= j.k1; k1 = select(k1, 0, over); k0 += select(0, 1, over);
  }
  ${columns}
${rowsOf((i) => each(lanes, (d) => store(i, d)))}
}
`,
    };
  },
);
