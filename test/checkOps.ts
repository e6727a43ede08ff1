/**
 * `npm run check:ops -- [--json FILE] [words]`: holds every op's derivatives against central differences in float64, and its
 * kernels against float64, and lists the largest errors. Ends with 1 if one is too large, or an op has no case.
 */
import { parseArgs } from 'node:util';
import type { AnyRow } from '../engine/autograd/row.ts';
import * as engine from '../engine/index.ts';
import { gradcheck, gradgradcheck, init, type Tensor } from '../engine/index.ts';
import { fused, primitives, views } from '../engine/ops/table.ts';
import { writeFileAtomic } from '../engine/platform/atomicWrite.node.ts';
import { type Case, elementsOf } from './support/builders.ts';
import { cases, compositions } from './support/cases.ts';
import { openGpu, reference } from './support/devices.ts';
import { NOT_OPS } from './support/notOps.ts';
import { gradientOfSquares, leavesOf, listOf, runCase, thirdOrderCases } from './support/runCase.ts';
import { distance } from './support/values.ts';

interface OpRow {
  readonly op: string;
  readonly cases: number;
  /** Largest relative error of the gradient, and of the gradient's gradient; null where there is none. */
  readonly order1: number | null;
  readonly order2: number | null;
  /** The same at third order, of the squares of the outputs. */
  readonly order3: number | null;
  /** Largest error of the kernel, of the scale of its result. */
  readonly kernelVsReference: number;
  readonly adapter: string;
}

const rowsByName: Readonly<Record<string, AnyRow>> = { ...primitives, ...fused, ...views };
const ALLOWED = { order: 1e-5, kernel: 1e-4 };
/** Elements of the largest case that is differentiated to first and to second order. */
const [FIRST, SECOND] = [130, 50];

const USAGE = `usage: npm run check:ops -- [--json FILE] [words]
Checks every op, or those whose names contain a word: derivatives against central differences in float64, kernels against
float64. Ends with 1 if an error is too large or an exported op has no case. WGRAD_ADAPTER chooses the adapter.
`;

function commandLine(): { readonly json: string | undefined; readonly words: readonly string[] } {
  try {
    const options = { json: { type: 'string' }, help: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (values.help) {
      process.stdout.write(USAGE);
      process.exit(0);
    }
    const odd = positionals.find((w) => !Object.keys(all).some((op) => op.includes(w)));
    if (odd) throw new Error(`no op's name contains ${odd}`);
    return { json: values.json, words: positionals };
  } catch (error) {
    process.stderr.write(`check:ops: ${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}

const all: Readonly<Record<string, readonly Case[]>> = { ...cases, ...compositions };
const { json, words } = commandLine();
await init({ adapter: 'reference' });
const gpu = await openGpu();
const rows: OpRow[] = [];
const problems: string[] = [];

const line = (op: string, count: string, ...errors: string[]) =>
  `${op.padEnd(28)}${count.padStart(10)}${errors.map((e) => e.padStart(10)).join('')}\n`;
process.stdout.write(line('largest relative errors', 'cases', 'order 1', 'order 2', 'order 3', 'kernel'));
for (const [op, list] of Object.entries(all)) {
  if (words.length > 0 && !words.some((w) => op.includes(w))) continue;
  const row = await checkOp(op, list);
  rows.push(row);
  const errors = [row.order1, row.order2, row.order3, row.kernelVsReference];
  process.stdout.write(line(op, String(list.length), ...errors.map((v) => (v === null ? '-' : v.toExponential(1)))));
}
for (const name of Object.keys(engine).filter((n) => isOp(n) && !(n in all)))
  problems.push(`${name} is exported and has no case`);
if (json) await writeFileAtomic(json, `${JSON.stringify(rows, null, 1)}\n`);
process.stdout.write(
  `${rows.length} ops on ${gpu.name}; ${problems.length} problems\n${problems.map((p) => `  ${p}\n`).join('')}`,
);
gpu.destroy();
process.exitCode = problems.length > 0 ? 1 : 0;

async function checkOp(op: string, list: readonly Case[]): Promise<OpRow> {
  // Updates in place have no derivative.
  const inPlace = rowsByName[op]?.mutates !== undefined;
  const smooth = list.filter((c) => !inPlace && c.inputs.length > 0 && elementsOf(c) > 0 && depends(c));
  const worst = async (
    some: readonly Case[],
    check: typeof gradcheck,
    fnOf = (c: Case) =>
      (...xs: Tensor[]) => [...listOf(c.fn(...xs))],
  ): Promise<number | null> => {
    let found: number | null = null;
    for (const c of some) {
      const fn = fnOf(c);
      try {
        found = Math.max(found ?? 0, await check(fn, leavesOf(c), { atol: ALLOWED.order, rtol: ALLOWED.order }));
      } catch (error) {
        // A gradient that is constant has no second derivative to check.
        if (error instanceof engine.GradError && check === gradgradcheck) continue;
        problems.push(`${op}, ${c.name}: ${(error as Error).message}`);
      }
    }
    return found;
  };
  const upTo = (most: number) => smooth.filter((c) => elementsOf(c) <= most);
  let kernelVsReference = 0;
  for (const c of list) {
    const [found, exact] = [await runCase(gpu, c), await runCase(reference, c)];
    exact.forEach((v, i) => {
      kernelVsReference = Math.max(kernelVsReference, distance(found[i]!, v));
    });
  }
  if (!(kernelVsReference <= ALLOWED.kernel)) problems.push(`${op}: kernels are off by ${kernelVsReference}`);
  return {
    op,
    cases: list.length,
    kernelVsReference,
    adapter: gpu.name,
    order1: await worst(upTo(FIRST), gradcheck),
    order2: await worst(upTo(SECOND), gradgradcheck),
    order3: await worst(thirdOrderCases(smooth), gradgradcheck, gradientOfSquares),
  };
}

/** Whether a gradient flows at all: comparisons and constants have none. */
function depends(c: Case): boolean {
  return engine.scope(() => listOf(c.fn(...leavesOf(c))).some((y) => y.requiresGrad));
}

/** Whether an export is an op that needs cases of its own. */
function isOp(name: string): boolean {
  const others = [
    ...NOT_OPS,
    ...['convMatrix', 'hessian', 'hvp', 'jacobian', 'jvp', 'vhp', 'vjp'],
    // Held constant in the derivative: test/nn/heads.test.ts.
    ...['powerIteration', 'spectralNorm'],
    // Made of uploads, of equal and of fill.
    ...['arange', 'linspace', 'eye', 'fullLike', 'onesLike', 'zerosLike'],
    // Their rows have cases: fill, uniform, normal, randint, adam and its like, ema, runningStats.
    ...[
      'full',
      'ones',
      'zeros',
      'rand',
      'randn',
      'randint',
      'optimizerStep',
      'emaStep',
      'updateRunningStats',
      'copyFrom',
    ],
  ];
  const value: unknown = (engine as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'function' && !others.includes(name);
}
