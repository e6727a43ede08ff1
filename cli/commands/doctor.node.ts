import {
  conv2d,
  conv2dWeight,
  convTranspose2d,
  type Device,
  destroy,
  init,
  matmul,
  measureRoofs,
  Rng,
  reference,
  type Tensor,
  WebGpuDevice,
  withDevice,
} from '../../engine/index.ts';
import { largest } from '../../gan/extremes.ts';
import { terminal } from '../terminal/terminal.node.ts';
import type { DoctorOptions } from './options.ts';

/** What `wgrad doctor` finds out. */
interface Findings {
  adapter: string;
  kind: string;
  kernels: string;
  features: string[];
  limits: Record<string, number>;
  roofs: { gflops: number; gbps: number } | null;
  selfTest: { op: string; shapes: string; error: number; ok: boolean }[];
}

/** Largest error of a kernel, relative to the largest value of its result, that counts as right. */
const TOLERANCE = 1e-5;

const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
] as const;

/** Shows the adapter, its limits and speed, and holds the kernels against float64. @throws Error if one is wrong */
export async function doctor({ adapter, json }: DoctorOptions): Promise<void> {
  const device = await init({ adapter });
  try {
    const findings = await examine(device);
    terminal.out.text(json ? JSON.stringify(findings, null, 2) : describe(findings));
    const wrong = findings.selfTest.filter((t) => !t.ok).map((t) => t.op);
    if (wrong.length > 0)
      throw new Error(`self-test: wrong results from ${wrong.join(', ')} on ${findings.adapter}; please report it`);
  } finally {
    destroy();
  }
}

async function examine(device: Device): Promise<Findings> {
  const gpu = device instanceof WebGpuDevice ? device : undefined;
  return {
    adapter: device.name,
    kind: gpu ? (gpu.software ? 'software' : 'hardware') : 'float64 in JavaScript',
    kernels: gpu
      ? `${device.target.family}${device.target.subgroupSize ? `, subgroups of ${device.target.subgroupSize}` : ''}`
      : 'none',
    features: gpu ? [...gpu.gpu.features].sort() : [],
    limits: gpu ? Object.fromEntries(LIMITS.map((name) => [name, gpu.gpu.limits[name]])) : {},
    roofs: gpu ? await measureRoofs(gpu) : null,
    selfTest: await selfTest(device),
  };
}

/** The hot kernels on awkward shapes: [op, shapes of its inputs, function]. */
const CASES: [string, string, (a: Tensor, b: Tensor) => Tensor][] = [
  ['matmul', '65x33 33x17', (a, b) => matmul(a, b)],
  ['matmul', '64x64 64x64', (a, b) => matmul(a, b, { transposeB: true })],
  ['matmul', '3x8192 8192x1', (a, b) => matmul(a, b)],
  ['conv2d', '3x28x28x1 4x4x1x16', (x, w) => conv2d(x, w, { stride: 2, padding: 1 })],
  ['conv2d', '2x9x7x5 3x3x5x3', (x, w) => conv2d(x, w, { padding: 1 })],
  ['convTranspose2d', '2x7x7x32 4x4x16x32', (y, w) => convTranspose2d(y, w, { stride: 2, padding: 1 })],
  ['convTranspose2d', '2x5x4x3 5x5x2x3', (y, w) => convTranspose2d(y, w, { stride: 3, padding: 1 })],
  ['conv2dWeight', '4x14x14x16 4x7x7x32', (x, y) => conv2dWeight(x, y, [4, 4], { stride: 2, padding: 1 })],
  ['conv2dWeight', '3x9x9x3 3x9x9x5', (x, y) => conv2dWeight(x, y, [3, 3], { padding: 1 })],
];

async function selfTest(device: Device): Promise<Findings['selfTest']> {
  const results: Findings['selfTest'] = [];
  for (const [op, shapes, fn] of CASES) {
    const run = (on: Device) =>
      withDevice(on, () => {
        const rng = new Rng(7);
        const [a, b] = shapes.split(' ').map((s) => rng.normal(s.split('x').map(Number))) as [Tensor, Tensor];
        return fn(a, b);
      }).data();
    const [found, exact] = await Promise.all([run(device), run(reference)]);
    const error = largest(Array.from(exact, (v, i) => Math.abs(v - found[i]!))) / largest(exact.map(Math.abs));
    results.push({ op, shapes, error, ok: error <= TOLERANCE });
  }
  return results;
}

function describe(f: Findings): string {
  const rows: [string, string][] = [
    ['adapter', `${f.adapter} (${f.kind})`],
    ['kernels', f.kernels],
    ['features', f.features.join(', ') || 'none'],
    ...Object.entries(f.limits).map(([name, v]): [string, string] => [name, v.toLocaleString('en')]),
    ['FMA roof', f.roofs ? `${f.roofs.gflops.toFixed(1)} GFLOPS` : 'not measured'],
    ['copy roof', f.roofs ? `${f.roofs.gbps.toFixed(1)} GB/s` : 'not measured'],
    ...f.selfTest.map((t): [string, string] => [
      t.op,
      `${t.ok ? 'ok   ' : 'WRONG'}  error ${t.error.toExponential(1)}  ${t.shapes}`,
    ]),
  ];
  // Dawn prints this in C++, to the process's own stderr, each time that it looks at Mesa's drivers.
  if (/llvmpipe/i.test(f.adapter)) {
    rows.push([
      'note',
      'Dawn warns that limits on dynamic buffers were "artificially reduced": harmless, they are not used',
    ]);
  }
  const width = largest(rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, text]) => `${name.padEnd(width)}${text}\n`).join('');
}
