/**
 * The numbers and the two figures of docs/transport.md: `npx tsx examples/transport.ts --out docs/transport`. Everything is
 * computed in float64 on the host or the reference device, so that it prints the same everywhere.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { init as initChart, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { init, Rng, scope, tensor } from '../engine/index.ts';
import { wassersteinLp } from '../gan/index.node.ts';
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

use([LineChart, ScatterChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

/** The lecture's example. */
const p = { edges: [1, 2, 3, 4, 9, 10], masses: [0.25, 0, 0.25, 0, 0.5] };
const q = { edges: [5, 7], masses: [1] };
const POINTS = 12;
const COLORS = { p: '#0072b2', q: '#d55e00', f: '#009e73', plan: '#999999' };

type Option = Parameters<ReturnType<typeof initChart>['setOption']>[0];

function svgOf(width: number, height: number, option: Option): string {
  const chart = initChart(null, null, { renderer: 'svg', ssr: true, width, height });
  const font = { fontFamily: 'Helvetica, Arial, sans-serif' };
  chart.setOption({ animation: false, backgroundColor: '#ffffff', textStyle: font, ...option });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${svg}\n`;
}

const axis = (name: string) => ({
  type: 'value',
  name,
  nameLocation: 'middle',
  nameGap: 26,
  scale: true,
  splitLine: { lineStyle: { color: '#eeeeee' } },
});

/** Densities as steps above, the potential below. */
function drawLine({ potential }: LineTransport): string {
  const steps = [0, 1, 2, 3, 4, 9, 10, 11].map((x) => [x, x === 9 ? 0.5 : x === 1 || x === 3 ? 0.25 : 0]);
  const f = [0, ...potential.knots, 11].map((x) => [x, potential.at(x) - potential.at(6) - 1.5]);
  const line = { type: 'line', showSymbol: false, symbol: 'none' } as const;
  const frame = { left: 60, right: 24 };
  return svgOf(760, 460, {
    title: {
      text: 'p, q, and a 1-Lipschitz f with E_p f - E_q f = W1 = 3',
      left: 16,
      top: 8,
      textStyle: { fontSize: 15 },
    },
    legend: { right: 24, top: 34 },
    grid: [
      { ...frame, top: 64, height: 140 },
      { ...frame, top: 246, height: 160 },
    ],
    xAxis: [0, 1].map((gridIndex) => ({ ...axis(gridIndex ? 'x' : ''), gridIndex, min: 0, max: 11 })),
    yAxis: ['density', 'f'].map((name, gridIndex) => ({ ...axis(name), gridIndex })),
    series: [
      { ...line, name: 'p', step: 'end', data: steps, color: COLORS.p, areaStyle: { opacity: 0.2 } },
      {
        ...line,
        name: 'q',
        step: 'end',
        color: COLORS.q,
        areaStyle: { opacity: 0.2 },
        data: [0, 5, 7, 11].map((x) => [x, x === 5 ? 0.5 : 0]),
      },
      { ...line, name: 'f', data: f, color: COLORS.f, xAxisIndex: 1, yAxisIndex: 1 },
    ],
  });
}

/** Two clouds, and a line for each pair between which mass moves. */
function drawPlan(x: Float64Array, y: Float64Array, plan: Float64Array): string {
  const points = (cloud: Float64Array) => Array.from({ length: POINTS }, (_, i) => [cloud[2 * i]!, cloud[2 * i + 1]!]);
  const [from, to] = [points(x), points(y)];
  const moves = Array.from(plan).flatMap((mass, k) => {
    return mass > 1e-9 ? [[from[Math.floor(k / POINTS)]!, to[k % POINTS]!]] : [];
  });
  return svgOf(620, 460, {
    title: {
      text: 'The optimal plan between two clouds, by linear program',
      left: 16,
      top: 8,
      textStyle: { fontSize: 15 },
    },
    legend: { right: 24, top: 34, data: ['x', 'y'] },
    grid: { left: 60, right: 24, top: 64, bottom: 46 },
    xAxis: axis('first coordinate'),
    yAxis: axis('second coordinate'),
    series: [
      ...moves.map((data) => ({
        type: 'line' as const,
        data,
        showSymbol: false,
        symbol: 'none',
        lineStyle: { color: COLORS.plan, width: 1.5 },
      })),
      { type: 'scatter', name: 'x', data: from, symbolSize: 10, color: COLORS.p },
      { type: 'scatter', name: 'y', data: to, symbolSize: 10, color: COLORS.q },
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
