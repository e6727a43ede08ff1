import { type EpilogueCode, epilogueCode } from '../epilogue.ts';
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

/** Which of the software kernels it is: the tile of a subgroup, and how elements of A, B and C are reached. */
export interface SoftwareTile {
  /** Lanes of the subgroup that computes a tile together; 1 needs no subgroups. */
  readonly lanes: number;
  readonly rowsPerLane: number;
  readonly colsPerLane: 1 | 2 | 4;
  /** Elements of k in one turn of the loop. */
  readonly unroll: number;
  /** Along which axis four elements of A are loaded at once. */
  readonly loadA: 'k' | 'scalar';
  /** Along which axis elements of B are loaded at once: four of k, or a lane's columns. */
  readonly loadB: 'k' | 'n' | 'scalar';
  readonly check: Check;
  /** Whether a lane's columns of C are stored at once. */
  readonly vectorC: boolean;
}

/** The type that holds a lane's columns of one row. */
const typeOf = ({ colsPerLane }: SoftwareTile) => (colsPerLane === 1 ? 'f32' : (`vec${colsPerLane}f` as const));

/** A value of that type, of an expression for each column. */
const columnsOf = (t: SoftwareTile, part: (i: number) => string) =>
  t.colsPerLane === 1 ? part(0) : `${typeOf(t)}(${each(t.colsPerLane, part, ', ')})`;

/** The sum of the row that the `i`-th of the lane's own rows is for the `d`-th lane from it. */
const sumOf = ({ rowsPerLane }: SoftwareTile, i: number, d: number) => `s${d * rowsPerLane + i}`;

/** Where element k of row i lies in A, and whether it lies in the image. */
function place({ check }: SoftwareTile, i: number): string {
  const h = `r${i}.y + h`;
  const w = `r${i}.z + w`;
  if (check === 'none') return `    let at${i} = r${i}.x + aAt;`;
  if (check === 'tap')
    return `    let in${i} = u32(${h}) < size.x && u32(${w}) < size.y; let at${i} = select(0, r${i}.x + aAt, in${i});`;
  return `    let in${i} = u32(${h}) < size.x; let w${i} = ${w} + k2 * stepW; let at${i} = r${i}.x + aAt;`;
}

/** Loads row i of A for all of the loop's turn. */
function loadRow({ loadA, unroll, check }: SoftwareTile, i: number): string {
  if (loadA === 'k')
    return each(unroll / 4, (q) => {
      const value = `a[(at${i} >> 2u) + ${q}]`;
      return `    let x${i}_${q} = ${check === 'none' ? value : `select(vec4f(), ${value}, in${i})`};`;
    });
  return each(unroll, (u) => {
    const at = `at${i} + ${u} * stepA`;
    if (check === 'none') return `    let x${i}_${u} = a[${at}];`;
    if (check === 'tap') return `    let x${i}_${u} = select(0.0, a[${at}], in${i});`;
    return `    let in${i}_${u} = in${i} && u32(w${i} + ${u} * stepW) < width;
    let x${i}_${u} = select(0.0, a[select(0, ${at}, in${i}_${u})], in${i}_${u});`;
  });
}

/** Loads the lane's columns of B for all of the loop's turn. */
function loadColumns(t: SoftwareTile): string {
  const { loadB, unroll, colsPerLane } = t;
  const shift = colsPerLane >> 1; // log2 of 1, 2, 4
  if (loadB === 'n') return each(unroll, (u) => `    let b${u} = b[((bAt + ${u} * stepB) >> ${shift}u) + n0];`);
  if (loadB === 'scalar')
    return each(unroll, (u) => `    let b${u} = ${columnsOf(t, (i) => `b[bAt + ${u} * stepB + n${i}]`)};`);
  return each(unroll / 4, (q) => {
    const columns = each(colsPerLane, (i) => `    let col${i}_${q} = b[((bAt + n${i}) >> 2u) + ${q}];`);
    const turned = each(4, (u) => `    let b${q * 4 + u} = ${columnsOf(t, (i) => `col${i}_${q}.${PARTS[u]}`)};`);
    return `${columns}\n${turned}`;
  });
}

/** Hands row i of A to each lane, which multiplies it with its columns. */
function multiply(t: SoftwareTile, i: number): string {
  const a = (u: number) => (t.loadA === 'k' ? `x${i}_${u >> 2}.${PARTS[u & 3]}` : `x${i}_${u}`);
  return each(t.lanes, (d) => {
    const s = sumOf(t, i, d);
    return each(t.unroll, (u) => `    ${s} = fma(${typeOf(t)}(${SHARE[t.lanes]!(a(u), d)}), b${u}, ${s});`);
  });
}

/** Stores the sums of a row. Rows past the end have a negative offset in C. */
function store(t: SoftwareTile, after: EpilogueCode, i: number, d: number): string {
  const s = sumOf(t, i, d);
  const column = (q: number) => {
    const part = t.colsPerLane === 1 ? s : `${s}.${PARTS[q]}`;
    return `if (n + ${q} < nEnd) { ${after.store(part, `at + n + ${q}`, `${q}`)} }`;
  };
  const columns = t.vectorC ? `if (n < nEnd) { ${after.store(s, 'at + n')} }` : each(t.colsPerLane, column, ' ');
  return `  { let at = ${SHARE[t.lanes]!(`r${i}.w`, d)}; if (at >= 0) { ${columns} } }`;
}

/** Reads what the epilogue takes for the lane's columns. */
const epilogueColumns = ({ vectorC, colsPerLane }: SoftwareTile, after: EpilogueCode): string =>
  vectorC
    ? after.columns(`min(n, nEnd - ${colsPerLane})`)
    : each(colsPerLane, (q) => after.columns(`min(n + ${q}, nEnd - 1)`, `${q}`), ' ');

/** Where the lane's columns begin in B. */
const columnStarts = ({ loadB, colsPerLane }: SoftwareTile): string =>
  loadB === 'n'
    ? `  let n0 = min(n, nEnd - ${colsPerLane}) >> ${colsPerLane >> 1}u;`
    : `  let bn = p.bn;\n${each(colsPerLane, (i) => `  let n${i} = min(n + ${i}, nEnd - 1) * bn;`)}`;

function source(t: SoftwareTile, after: EpilogueCode): string {
  const { lanes, rowsPerLane, colsPerLane, unroll, loadA, loadB, check } = t;
  const rowsOf = (text: (i: number) => string) => each(rowsPerLane, text);
  const rows = lanes * rowsPerLane;
  const typeA = loadA === 'k' ? 'vec4f' : 'f32';
  const typeB = { k: 'vec4f', n: typeOf(t), scalar: 'f32' }[loadB];
  return /* wgsl */ `// a:[M,K] b:[K,N] -> c:[M,N], each row, column and k at its own stride (see Params)
${lanes > 1 ? 'enable subgroups;\ndiagnostic(off, subgroup_uniformity);' : ''}
${gemmHeader(typeA, typeB, t.vectorC ? typeOf(t) : 'f32', after)}
@compute @workgroup_size(${lanes === 1 ? 8 : lanes})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        ${lanes > 1 ? '@builtin(subgroup_invocation_id) sub: u32' : '@builtin(local_invocation_index) local: u32'}) {
  let j = job(group.z);
  let spot = spotOf(group, groups.x);
  let lane = ${lanes > 1 ? 'i32(sub)' : '0'};
  let m0 = ${lanes > 1 ? 'spot.x' : '(spot.x * 8 + i32(local))'} * ${rows};
  if (m0 >= j.m) { return; }
  let n = (spot.y * ${lanes} + lane) * ${colsPerLane};
  let nEnd = p.n;
${columnStarts(t)}
${rowsOf((i) => `  let r${i} = rowOf(j, m0 + lane * ${rowsPerLane} + ${i});`)}
${each(rows, (r) => `  var s${r} = ${typeOf(t)}();`)}
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
${rowsOf((i) => place(t, i))}
${rowsOf((i) => loadRow(t, i))}
${loadColumns(t)}
${rowsOf((i) => multiply(t, i))}
    k2 += ${unroll};
    let down = k2 >= innerEnd; k2 = select(k2, inner, down); k1 += select(0, 1, down);
    let over = k1 >= j.k1; k1 = select(k1, 0, over); k0 += select(0, 1, over);
  }
  ${epilogueColumns(t, after)}
${rowsOf((i) => each(lanes, (d) => store(t, after, i, d)))}
}
`;
}

/**
 * The GEMM for adapters that run on a CPU: no shared memory and no barriers, which are ruinous there.
 *
 * A subgroup of `lanes` computes a tile of lanes*rowsPerLane rows by lanes*colsPerLane columns. A lane owns its columns' sums for
 * all the rows; it loads B for its columns and A for its own rows, and hands A to the other lanes. On a CPU a load is one
 * scalar load for each lane and component, at ten times the price of a multiplication on SwiftShader, so what counts is
 * few loads for each multiplication, not their pattern; and loop-carried values are dear too, so there is one loop for
 * all of k. With one lane (no subgroups needed) an invocation computes its tile alone.
 */
export const softwareKernel = memo((tile: SoftwareTile, epilogue?: Epilogue): Kernel => {
  const { lanes, rowsPerLane, colsPerLane, unroll, loadA, loadB, check, vectorC } = tile;
  const after = epilogueCode(epilogue, vectorC ? typeOf(tile) : 'f32', 'c');
  return {
    name: `gemm.software.${[lanes, rowsPerLane, colsPerLane, unroll, loadA, loadB, check, vectorC ? colsPerLane : 1].join('.')}${after.name}`,
    access: ['read', 'read', 'write', ...after.access],
    ...(lanes > 1 && { needs: ['subgroups'] as const }),
    source: source(tile, after),
  };
});
