import { each, gemmHeader } from './gemmParams.ts';
import { type Kernel, memo } from './kernel.ts';

/** Where elements of A may lie outside the image: nowhere, by whole filter taps, or by single elements of k. */
export type Check = 'none' | 'tap' | 'element';

const PARTS = ['x', 'y', 'z', 'w'] as const;

/**
 * The GEMM for adapters that run on a CPU: no shared memory and no barriers, which are ruinous there.
 *
 * A subgroup of `lanes` computes a tile of lanes*rowsPerLane rows by lanes*cols columns. A lane owns its columns' sums for
 * all the rows; it loads B for its columns and A for its own rows, and broadcasts A to the other lanes. On a CPU a load is
 * one scalar load for each lane and component, so what counts is few loads for each multiplication, not their pattern.
 * With one lane (no subgroups needed) an invocation computes its tile alone.
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
  ): Kernel => {
    const rows = lanes * rowsPerLane;
    const type = cols === 4 ? 'vec4f' : 'f32';
    const zero = `${type}()`;

    const a = (j: number, u: number) => (loadA === 'k' ? `x${j}.${PARTS[u]}` : `x${j}_${u}`);
    const outside = (value: string, j: number, u: number, zeroValue: string) =>
      check === 'none'
        ? value
        : check === 'tap'
          ? `select(${zeroValue}, ${value}, in${j})`
          : `select(${zeroValue}, ${value}, in${j}_${u})`;
    const loads = (): string => {
      if (loadA === 'k') {
        return each(rowsPerLane, (j) => `      let x${j} = ${outside(`a[(at${j} + k2) >> 2u]`, j, 0, 'vec4f()')};`);
      }
      const walk = each(unroll, (u) => (u ? `      let da${u} = da${u - 1} + stepA;` : '      let da0 = da;'));
      const address = (j: number, u: number) =>
        check === 'element' ? `select(0, at${j} + da${u}, in${j}_${u})` : `at${j} + da${u}`;
      const test = each(rowsPerLane, (j) =>
        each(unroll, (u) => `      let in${j}_${u} = inside${j} && u32(w${j} + ${u} * stepW) < width;`),
      );
      const load = each(rowsPerLane, (j) =>
        each(unroll, (u) => `      let x${j}_${u} = ${outside(`a[${address(j, u)}]`, j, u, '0.0')};`),
      );
      return [walk, ...(check === 'element' ? [test] : []), load].join('\n');
    };
    const loadsB = (): string => {
      if (loadB === 'k') {
        return `${each(4, (i) => `      let col${i} = b[(bAt + n${i} + k2) >> 2u];`)}
${each(unroll, (u) => `      let b${u} = vec4f(${each(4, (i) => `col${i}.${PARTS[u]}`, ', ')});`)}`;
      }
      const walk = each(unroll, (u) => (u ? `      let db${u} = db${u - 1} + stepB;` : '      let db0 = db;'));
      const load = each(unroll, (u) =>
        cols === 1 || loadB === 'n'
          ? `      let b${u} = b[db${u} + n0];`
          : `      let b${u} = vec4f(${each(4, (i) => `b[db${u} + n${i}]`, ', ')});`,
      );
      return `${walk}\n${load}`;
    };
    /** Addresses along the innermost digit of k are walked, not multiplied out: start, step. */
    const walks: readonly (readonly [name: string, start: string, step: string])[] = [
      ...(loadA === 'k' ? [] : [['da', 'inner * stepA', 'stepA'] as const]),
      ...(loadB === 'k' ? [] : [['db', `${loadB === 'n' ? '(bAt >> 2u)' : 'bAt'} + inner * stepB`, 'stepB'] as const]),
      ...(check === 'element'
        ? Array.from({ length: rowsPerLane }, (_, i) => [`w${i}`, `place${i} + inner * stepW`, 'stepW'] as const)
        : []),
    ];
    const broadcast = (value: string, lane: number) => (lanes === 1 ? value : `subgroupBroadcast(${value}, ${lane}u)`);
    const rowAt = (r: number) => broadcast(`r${r % rowsPerLane}.w`, Math.floor(r / rowsPerLane));

    const store = (r: number): string => {
      const guard = `if (m0 + ${r} < j.m)`;
      if (vectorC) return `  { let at = ${rowAt(r)}; ${guard} { if (n < p.n) { c[(at + n) >> 2u] = s${r}; } } }`;
      if (cols === 1) return `  { let at = ${rowAt(r)}; ${guard} { c[at + n] = s${r}; } }`;
      return `  { let at = ${rowAt(r)}; ${guard} { ${each(4, (i) => `if (n + ${i} < p.n) { c[at + n + ${i}] = s${r}.${PARTS[i]}; }`, ' ')} } }`;
    };

    return {
      name: `gemm.software.${[lanes, rowsPerLane, cols, unroll, loadA, loadB, check, vectorC ? 4 : 1].join('.')}`,
      access: ['read', 'read', 'write'],
      ...(lanes > 1 && { needs: ['subgroups'] as const }),
      source: /* wgsl */ `// a:[M,K] b:[K,N] -> c:[M,N], each row, column and k at its own stride (see Params)
${lanes > 1 ? 'enable subgroups;\ndiagnostic(off, subgroup_uniformity);' : ''}
${gemmHeader(loadA === 'scalar' ? 'f32' : 'vec4f', loadB === 'scalar' ? 'f32' : 'vec4f', vectorC ? 'vec4f' : 'f32')}
@compute @workgroup_size(${lanes === 1 ? 8 : lanes})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        ${lanes > 1 ? '@builtin(subgroup_invocation_id) sub: u32' : '@builtin(local_invocation_index) local: u32'}) {
  let j = job(group.z);
  let spot = spotOf(group, groups.x);
  let lane = ${lanes > 1 ? 'i32(sub)' : '0'};
  let m0 = ${lanes > 1 ? 'spot.x' : '(spot.x * 8 + i32(local))'} * ${rows};
  if (m0 >= j.m) { return; }
  let n = (spot.y * ${lanes} + lane) * ${cols};
${
  cols === 1
    ? '  let n0 = n * p.bn;'
    : loadB === 'n'
      ? '  let n0 = min(n, p.n - 4) >> 2u;'
      : each(4, (i) => `  let n${i} = min(n + ${i}, p.n - 1) * p.bn;`)
}
${each(rowsPerLane, (i) => `  let r${i} = rowOf(j, m0 + lane * ${rowsPerLane} + ${i});`)}
${each(rows, (r) => `  var s${r} = ${zero};`)}
  let stepA = p.ak2; let stepB = p.bk2${loadB === 'n' ? ' >> 2u' : ''};
  ${check === 'element' ? 'let stepW = p.wk2; let width = u32(p.width);' : ''}
  let outer = j.share / p.innerShares * p.shareOuter;
  let inner = j.share % p.innerShares * p.shareInner;
  let outerEnd = min(outer + p.shareOuter, j.k0 * j.k1);
  let innerEnd = min(inner + p.shareInner, p.k2);
  var k0 = 0; var k1 = outer;
  if (outer > 0) { k0 = outer / j.k1; k1 = outer - k0 * j.k1; }
  for (var o = outer; o < outerEnd; o++) {
    if (k1 == j.k1) { k1 = 0; k0++; }
    let bAt = k0 * p.bk0 + k1 * p.bk1 + j.b;
    let tap = k0 * p.ak0 + k1 * p.ak1;
${each(rowsPerLane, (i) => {
  const h = `r${i}.y + k0 * p.hk0 + k1 * p.hk1`;
  const w = `r${i}.z + k1 * p.wk1`;
  if (check === 'none') return `    let at${i} = r${i}.x + tap;`;
  if (check === 'tap') return `    let in${i} = inside(${h}, ${w}); let at${i} = select(0, r${i}.x + tap, in${i});`;
  return `    let inside${i} = u32(${h}) < u32(p.height); let place${i} = ${w}; let at${i} = r${i}.x + tap;`;
})}
${walks.map(([name, start]) => `    var ${name} = ${start};`).join('\n')}
    for (var k2 = inner; k2 < innerEnd; k2 += ${unroll}) {
${loads()}
${loadsB()}
${each(unroll, (u) => each(rows, (r) => `      s${r} = fma(${type}(${broadcast(a(r % rowsPerLane, u), Math.floor(r / rowsPerLane))}), b${u}, s${r});`))}
${walks.map(([name, , step]) => `      ${name} += ${unroll} * ${step};`).join('\n')}
    }
    k1++;
  }
${each(rows, store)}
}
`,
    };
  },
);
