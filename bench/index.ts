/** `npm run bench`: what the kernels and a training step reach on this adapter, beside its measured roofs. */
import { parseArgs } from 'node:util';
import {
  conv2d,
  conv2dWeight,
  convTranspose2d,
  destroy,
  Generator,
  init,
  keep,
  matmul,
  measureRoofs,
  scope,
  type Tensor,
  WebGpuDevice,
} from '../engine/index.ts';
import { mnistNetworks, WganGp } from '../gan/index.ts';

const usage = `usage: npm run bench -- [--adapter hardware|lavapipe|swiftshader] [--rounds n] [--json]
Times matmul, the convolutions and WGAN-GP steps; each figure is the median over the rounds.`;

interface Row {
  readonly name: string;
  readonly shape: string;
  readonly ms: number;
  readonly gflops: number | null;
}

const half = { stride: 2, padding: 1 };
const flops = (n: number, oh: number, ow: number, cin: number, cout: number, k: number) =>
  2 * n * oh * ow * cin * cout * k * k;

/** [name, shapes of the inputs, floating point operations, function] */
const OPS: [string, number[][], number, (a: Tensor, b: Tensor) => Tensor][] = [
  ...[256, 512].map((n): (typeof OPS)[number] => [
    'matmul',
    [
      [n, n],
      [n, n],
    ],
    2 * n ** 3,
    (a, b) => matmul(a, b),
  ]),
  [
    'matmul',
    [
      [64, 64],
      [64, 1568],
    ],
    2 * 64 * 64 * 1568,
    (a, b) => matmul(a, b),
  ],
  [
    'conv2d',
    [
      [64, 28, 28, 1],
      [4, 4, 1, 32],
    ],
    flops(64, 14, 14, 1, 32, 4),
    (x, w) => conv2d(x, w, half),
  ],
  [
    'conv2d',
    [
      [64, 14, 14, 32],
      [4, 4, 32, 64],
    ],
    flops(64, 7, 7, 32, 64, 4),
    (x, w) => conv2d(x, w, half),
  ],
  [
    'convTranspose2d',
    [
      [64, 7, 7, 64],
      [4, 4, 32, 64],
    ],
    flops(64, 7, 7, 32, 64, 4),
    (y, w) => convTranspose2d(y, w, half),
  ],
  [
    'convTranspose2d',
    [
      [64, 14, 14, 32],
      [4, 4, 1, 32],
    ],
    flops(64, 14, 14, 1, 32, 4),
    (y, w) => convTranspose2d(y, w, half),
  ],
  [
    'conv2dWeight',
    [
      [64, 14, 14, 32],
      [64, 7, 7, 64],
    ],
    flops(64, 7, 7, 32, 64, 4),
    (x, y) => conv2dWeight(x, y, [4, 4], half),
  ],
  [
    'conv2dWeight',
    [
      [64, 28, 28, 1],
      [64, 14, 14, 32],
    ],
    flops(64, 14, 14, 1, 32, 4),
    (x, y) => conv2dWeight(x, y, [4, 4], half),
  ],
];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      adapter: { type: 'string' },
      rounds: { type: 'string', default: '7' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(`${usage}\n`);
  const rounds = Number(values.rounds);
  const adapter = (['hardware', 'lavapipe', 'swiftshader'] as const).find((a) => a === values.adapter);
  if ((values.adapter && !adapter) || !Number.isInteger(rounds) || rounds < 1) throw new RangeError(usage);
  const device = await init({ adapter });
  if (!(device instanceof WebGpuDevice))
    throw new Error('bench: the reference device is not for timing; choose an adapter');
  const roofs = await measureRoofs(device);
  const rows: Row[] = [];
  const rng = new Generator(1);
  for (const [name, shapes, count, fn] of OPS) {
    const [a, b] = shapes.map((s) => keep(rng.normal(s))) as [Tensor, Tensor];
    const ms = await median(device, rounds, () => scope(() => void fn(a, b)));
    rows.push({ name, shape: shapes.map((s) => s.join('x')).join(' '), ms, gflops: count / ms / 1e6 });
    a.dispose();
    b.dispose();
  }
  const trainer = new WganGp(mnistNetworks(rng), rng, { emaDecay: 0.99 });
  const real = keep(rng.uniform([32, 28, 28, 1], { low: -1 }));
  const critic = await median(device, rounds, () => scope(() => void trainer.criticStep(real)));
  const generator = await median(device, rounds, () => scope(() => void trainer.generatorStep(32)));
  rows.push({ name: 'WGAN-GP critic step', shape: 'batch 32', ms: critic, gflops: null });
  rows.push({ name: 'WGAN-GP generator step', shape: 'batch 32', ms: generator, gflops: null });
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ adapter: device.name, roofs, rows }, null, 2)}\n`
      : table(device.name, roofs.gflops, rows),
  );
  destroy();
}

/** Milliseconds of one call, work on the device included: the median of rounds that each last long enough to time. */
async function median(device: WebGpuDevice, rounds: number, fn: () => void): Promise<number> {
  const timed = async (calls: number): Promise<number> => {
    const began = performance.now();
    for (let i = 0; i < calls; i++) fn();
    await device.sync();
    return (performance.now() - began) / calls;
  };
  await timed(1);
  const calls = Math.max(1, Math.ceil(30 / (await timed(2))));
  const times: number[] = [];
  for (let r = 0; r < rounds; r++) times.push(await timed(calls));
  return times.sort((a, b) => a - b)[rounds >> 1]!;
}

function table(adapter: string, roof: number, rows: readonly Row[]): string {
  const lines = rows.map(
    (r) =>
      `${r.name.padEnd(24)}${r.shape.padEnd(30)}${r.ms.toFixed(2).padStart(10)} ms${
        r.gflops === null
          ? ''
          : `${r.gflops.toFixed(2).padStart(9)} GFLOPS${((100 * r.gflops) / roof).toFixed(0).padStart(5)} % of the FMA roof`
      }`,
  );
  return `${adapter}, FMA roof ${roof.toFixed(1)} GFLOPS\n${lines.join('\n')}\n`;
}

main().catch((error: Error) => {
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = error instanceof RangeError ? 2 : 1;
  destroy();
});
