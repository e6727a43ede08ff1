import { plot } from '../../gan/pictures/plot.ts';
import { spreadOf } from '../../gan/pictures/plotData.ts';
import type { PlotPanel, PlotSeries } from '../../gan/pictures/plotTypes.ts';
import { pointsImage } from '../../gan/pictures/points.node.ts';
import { boxOf } from '../../gan/pictures/points.ts';
import { labelPictures, pngOf } from '../pictures.node.ts';
import { publishedModes } from './modesPublished.ts';
import { finals, type ModesResults, methodNames, mixtureNames, modesIn } from './modesResults.ts';
import { type MixtureName, methods, mixtures, modesData } from './modesRun.ts';

/** Side of a panel of the samples in pixels. */
const SIDE = 224;

/** The findings as `plot.svg`, and what the generators of the first seed make as `samples.png`. */
export async function modesPictures(
  results: ModesResults,
  seeds: readonly number[],
): Promise<Record<string, string | Uint8Array>> {
  const over =
    seeds.length > 1
      ? `${seeds.length} seeds: mean and standard deviation (bars) or range (bands)`
      : `seed ${seeds[0]}`;
  return {
    'plot.svg': plot({
      title: 'Modes of a mixture that generators reach, in 2,500 samples',
      subtitle: `${over}; dashed: published GAN baselines, with other networks`,
      panels: [
        ...mixtureNames.map((m) => bars(results, m, 'covered')),
        ...mixtureNames.map((m) => bars(results, m, 'highQuality')),
        ...mixtureNames.map((m) => curves(results, m)),
      ],
      columns: 2,
    }),
    'samples.png': await samples(results, seeds[0]!),
  };
}

const quantities = {
  covered: { title: 'modes covered', axis: (of: number) => `modes of ${of}`, scale: 1 },
  highQuality: { title: 'high-quality samples', axis: () => 'share within 3 σ of a mode (%)', scale: 100 },
} as const;

/** What each method reaches in the end, over the published GANs. */
function bars(results: ModesResults, mixture: MixtureName, quantity: keyof typeof quantities): PlotPanel {
  const { title, axis, scale } = quantities[quantity];
  const ends = methodNames.map((name) => finals(results[mixture][name])[quantity]);
  const of = modesIn(mixture);
  const most = quantity === 'covered' ? of : 100;
  // Round numbers that leave room for the values over the bars.
  const top = quantity === 'covered' ? Math.ceil((of * 1.1) / 3) * 3 : 120;
  const baselines = publishedModes.filter(({ method }) => method === 'GAN');
  return {
    title: `${mixtures[mixture].title}: ${title}`,
    x: { categories: methodNames.map((name) => methods[name].title) },
    y: { label: axis(of), min: 0, max: top },
    series: [
      {
        kind: 'bars',
        label: '',
        values: ends.map(({ mean }) => mean * scale),
        low: ends.map(({ mean, std }) => Math.max(0, mean - std) * scale),
        high: ends.map(({ mean, std }) => Math.min(most, (mean + std) * scale)),
      },
      ...baselines.map(
        (row, i): PlotSeries => ({
          kind: 'level',
          label: `GAN, ${row.source.replace(/^.*\((.*)\).*$/, '$1')}`,
          at: row[mixture][quantity],
          color: i + 5,
        }),
      ),
    ],
  };
}

/** Modes covered during training. */
function curves(results: ModesResults, mixture: MixtureName): PlotPanel {
  const of = modesIn(mixture);
  return {
    title: `${mixtures[mixture].title}: covered in training`,
    x: { label: 'generator steps' },
    y: { label: `modes of ${of}`, min: 0, max: of },
    series: methodNames.flatMap((name): PlotSeries[] => {
      const label = methods[name].title;
      const runs = results[mixture][name];
      const { mean, band } = spreadOf(runs.map(({ rows }) => rows.map((r) => [r.step, r.covered] as const)));
      const range: PlotSeries[] = runs.length > 1 ? [{ kind: 'band', label, points: band }] : [];
      return [...range, { kind: 'line', label, points: mean, markers: true }];
    }),
  };
}

/** Generated points over real ones. */
async function samples(results: ModesResults, seed: number): Promise<Uint8Array> {
  const pictures = [];
  for (const mixture of mixtureNames) {
    const { test } = modesData(mixture, seed);
    const real = { data: Float32Array.from(test.data.subarray(0, 2000)), shape: [1000, 2] };
    const box = boxOf(real);
    for (const method of methodNames) {
      const data = Float32Array.from(results[mixture][method][0]!.points);
      pictures.push(await pointsImage({ samples: { data, shape: [data.length / 2, 2] }, real, box, size: SIDE }));
    }
  }
  return pngOf(
    labelPictures(pictures, {
      columns: methodNames.length,
      padding: 6,
      columnLabels: methodNames.map((name) => methods[name].title),
      rowLabels: [...mixtureNames],
    }),
  );
}
