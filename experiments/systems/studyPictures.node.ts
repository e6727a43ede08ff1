import { largest, smallest } from '../../gan/extremes.ts';
import { labelTiles } from '../../gan/pictures/labels.ts';
import { plot } from '../../gan/pictures/plot.ts';
import type { PlotPanel, PlotSeries } from '../../gan/pictures/plotTypes.ts';
import { pngOf } from '../pictures.node.ts';
import type { StudyFindings } from './study.ts';
import type { ShownPixels } from './systemRun.node.ts';

/** The pictures of a study: its measures over the steps, and what each way shows at the end, of the first seed. */
export async function drawStudy(
  findings: StudyFindings,
  shown: readonly (readonly [way: string, picture: ShownPixels])[],
): Promise<Record<string, string | Uint8Array>> {
  const pictures: Record<string, string | Uint8Array> = { 'measures.svg': drawMeasures(findings) };
  for (const [way, { pixels, shape, ...layout }] of shown) {
    const grid = labelTiles(Float32Array.from(pixels), shape, { ...layout, range: [0, 255], scale: 2 });
    pictures[`${way}.png`] = await pngOf(grid, 16);
  }
  return pictures;
}

function drawMeasures({ measures, ways, data }: StudyFindings): string {
  const all = Object.values(ways);
  const panels = Object.entries(measures).map(([key, { title, better }]): PlotPanel => {
    const lines = all.flatMap(({ title: label, runs }, color): PlotSeries[] => {
      const band = runs[0]!.steps.map((step, i) => {
        const values = runs.map(({ measured }) => measured[i]![key]!);
        return [step, smallest(values), largest(values), values.reduce((a, b) => a + b, 0) / values.length] as const;
      });
      return [
        { kind: 'band', label, color, points: band.map(([x, low, high]) => [x, low, high] as const) },
        { kind: 'line', label, color, points: band.map(([x, , , mean]) => [x, mean] as const), markers: true },
      ];
    });
    const levels = Object.entries(all[0]!.runs[0]!.controls[key] ?? {}).map(
      ([label, value]): PlotSeries => ({ kind: 'level', label, at: value, color: 'grey' }),
    );
    return {
      title,
      x: { label: 'steps' },
      y: { label: `${better} is better` },
      height: 220,
      series: [...lines, ...levels],
    };
  });
  const seeds = all[0]!.runs.length;
  return plot({
    title: `Measures while training: ${data}`,
    subtitle: `means of ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}, bands from the least to the greatest; dashed: controls that learn nothing`,
    panels,
    columns: 1,
  });
}
