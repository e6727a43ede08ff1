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

/** The hot kernels on awkward shapes: [op, inputs, function]. */
const CASES: [string, number[][], (a: Tensor, b: Tensor) => Tensor][] = [
  [
    'matmul',
    [
      [65, 33],
      [33, 17],
    ],
    (a, b) => matmul(a, b),
  ],
  [
    'matmul',
    [
      [64, 64],
      [64, 64],
    ],
    (a, b) => matmul(a, b, { transposeB: true }),
  ],
  [
    'matmul',
    [
      [3, 8192],
      [8192, 1],
    ],
    (a, b) => matmul(a, b),
  ],
  [
    'conv2d',
    [
      [3, 28, 28, 1],
      [4, 4, 1, 16],
    ],
    (x, w) => conv2d(x, w, { stride: 2, padding: 1 }),
  ],
  [
    'conv2d',
    [
      [2, 9, 7, 5],
      [3, 3, 5, 3],
    ],
    (x, w) => conv2d(x, w, { padding: 1 }),
  ],
  [
    'convTranspose2d',
    [
      [2, 7, 7, 32],
      [4, 4, 16, 32],
    ],
    (y, w) => convTranspose2d(y, w, { stride: 2, padding: 1 }),
  ],
  [
    'convTranspose2d',
    [
      [2, 5, 4, 3],
      [5, 5, 2, 3],
    ],
    (y, w) => convTranspose2d(y, w, { stride: 3, padding: 1 }),
  ],
  [
    'conv2dWeight',
    [
      [4, 14, 14, 16],
      [4, 7, 7, 32],
    ],
    (x, y) => conv2dWeight(x, y, [4, 4], { stride: 2, padding: 1 }),
  ],
  [
    'conv2dWeight',
    [
      [3, 9, 9, 3],
      [3, 9, 9, 5],
    ],
    (x, y) => conv2dWeight(x, y, [3, 3], { padding: 1 }),
  ],
];

async function selfTest(device: Device): Promise<Findings['selfTest']> {
  const results: Findings['selfTest'] = [];
  for (const [op, shapes, fn] of CASES) {
    const run = (on: Device) =>
      withDevice(on, () => {
        const rng = new Rng(7);
        const [a, b] = shapes.map((s) => rng.normal(s)) as [Tensor, Tensor];
        return fn(a, b);
      }).data();
    const [found, exact] = (await Promise.all([run(device), run(reference)])).map((v) => Array.from(v)) as [
      number[],
      number[],
    ];
    const scale = exact.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    const error = exact.reduce((m, v, i) => Math.max(m, Math.abs(v - found[i]!)), 0) / scale;
    results.push({ op, shapes: shapes.map((s) => s.join('x')).join(' '), error, ok: error <= TOLERANCE });
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
