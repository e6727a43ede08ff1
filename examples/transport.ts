/**
 * The numbers and the two figures of docs/transport.md: `npx tsx examples/transport.ts --out docs/transport`. Everything is
 * computed in float64 on the host or the reference device, so that it prints the same everywhere.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { init, Rng, scope, tensor } from '../engine/index.ts';
import { plot, wassersteinLp } from '../gan/index.node.ts';
import {
  jsDivergence,
  klDivergence,
  type LineTransport,
  sinkhornDivergence,
  sinkhornLoss,
  slicedWasserstein,
  totalVariation,
  transport1d,
  wasserstein1d,
} from '../gan/index.ts';

/** The lecture's example. */
const p = { edges: [1, 2, 3, 4, 9, 10], masses: [0.25, 0, 0.25, 0, 0.5] };
const q = { edges: [5, 7], masses: [1] };
const POINTS = 12;

/** Densities as steps above, the potential below. */
function drawLine({ potential }: LineTransport): string {
  const x = { label: 'x', min: 0, max: 11 };
  return plot({
    title: 'p, q, and a 1-Lipschitz f with E_p f - E_q f = W1 = 3',
    width: 760,
    panels: [
      {
        x,
        y: { label: 'density' },
        height: 140,
        series: [
          {
            kind: 'histogram',
            label: 'p',
            edges: p.edges,
            counts: p.masses.map((m, i) => m / (p.edges[i + 1]! - p.edges[i]!)),
          },
          { kind: 'histogram', label: 'q', edges: q.edges, counts: [0.5] },
        ],
      },
      {
        x,
        y: { label: 'f' },
        height: 160,
        series: [
          {
            kind: 'line',
            label: 'f',
            color: 2,
            points: [0, ...potential.knots, 11].map((at) => [at, potential.at(at) - potential.at(6) - 1.5] as const),
          },
        ],
      },
    ],
  });
}

/** Two clouds, and a line for each pair between which mass moves. */
function drawPlan(x: Float64Array, y: Float64Array, plan: Float64Array): string {
  const points = (cloud: Float64Array) =>
    Array.from({ length: POINTS }, (_, i) => [cloud[2 * i]!, cloud[2 * i + 1]!] as const);
  const [from, to] = [points(x), points(y)];
  const moves = Array.from(plan).flatMap((mass, k) =>
    mass > 1e-9 ? [[from[Math.floor(k / POINTS)]!, to[k % POINTS]!] as const] : [],
  );
  return plot({
    title: 'The optimal plan between two clouds, by linear program',
    width: 620,
    panels: [
      {
        x: { label: 'first coordinate' },
        y: { label: 'second coordinate' },
        height: 360,
        series: [
          ...moves.map((move) => ({ kind: 'line' as const, label: '', color: 'grey' as const, points: move })),
          { kind: 'scatter', label: 'x', size: 10, color: 0, points: from },
          { kind: 'scatter', label: 'y', size: 10, color: 1, points: to },
        ],
      },
    ],
  });
}

/** Rows of text in columns. */
function print(title: string, rows: readonly (readonly (string | number)[])[]): void {
  const shown = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toFixed(4) : cell)));
  const widths = shown[0]!.map((_, c) => Math.max(...shown.map((row) => row[c]!.length)));
  console.log(title);
  for (const row of shown)
    console.log(`  ${row.map((cell, c) => (c ? cell.padStart(widths[c]!) : cell.padEnd(widths[0]!))).join('  ')}`);
}

async function main({ out }: { out: string }): Promise<void> {
  await init({ adapter: 'reference' });
  await mkdir(out, { recursive: true });

  const bins = (at: number) => Float64Array.from({ length: 9 }, (_, k) => (k === at ? 1 : 0));
  print('an atom at 0 against an atom at theta', [
    ['theta', 'KL', 'JSD', 'TV', 'W1'],
    ...[0, 1, 4, 8].map((theta) => [
      ...[String(theta), klDivergence(bins(0), bins(theta)), jsDivergence(bins(0), bins(theta))],
      ...[totalVariation(bins(0), bins(theta)), wasserstein1d([0], [theta])],
    ]),
  ]);

  const line = transport1d(p, q);
  print(
    'mass moved, from, to',
    line.plan.map(({ mass, from, to }) => [String(mass), `[${from}]`, `[${to}]`]),
  );
  print('its cost', [['W1', line.distance]]);
  await writeFile(join(out, 'potential.svg'), drawLine(line));

  const rng = new Rng(1);
  const x = rng.hostNormal(2 * POINTS);
  const y = rng.hostNormal(2 * POINTS).map((c, k) => c + (k % 2 ? 0 : 3));
  const [w1, w2] = [await wassersteinLp(x, y, { dimension: 2 }), await wassersteinLp(x, y, { dimension: 2, p: 2 })];
  await writeFile(join(out, 'plan.svg'), drawPlan(x, y, w1.plan));
  const mean = (cloud: Float64Array) =>
    Array.from({ length: POINTS }, (_, i) => w1.potential(cloud.subarray(2 * i, 2 * i + 2))).reduce((s, f) => s + f) /
    POINTS;
  print('two clouds of 12 points, by linear program', [
    ['W1, cost of the plan', w1.distance],
    ['W1, mean f(x) - mean f(y)', mean(x) - mean(y)],
    ['W2 squared', w2.cost],
    ['sliced W2 squared', slicedWasserstein(Float32Array.from(x), Float32Array.from(y), { dimension: 2, p: 2 }) ** 2],
  ]);

  const clouds = [x, y].map((cloud) => tensor(cloud, { shape: [POINTS, 2] })) as [
    ReturnType<typeof tensor>,
    ReturnType<typeof tensor>,
  ];
  const rows: (string | number)[][] = [['epsilon', 'OT', 'Sinkhorn divergence']];
  for (const epsilon of [10, 1, 0.1, 0.01]) {
    const options = { epsilon, iterations: 400, unroll: 0 };
    const loss = await scope(() => sinkhornLoss(...clouds, options).item());
    rows.push([String(epsilon), loss, await scope(() => sinkhornDivergence(...clouds, options).item())]);
  }
  print('the same clouds, p = 2, with entropy', rows);
}

await new Command('transport')
  .description('Print the numbers of docs/transport.md and draw its figures.')
  .option('--out <folder>', 'for the figures', 'runs/transport')
  .action(main)
  .parseAsync();
