import { LinesChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import sharp from 'sharp';
import { checked } from '../../engine/internal.ts';
import type { SampleArray } from '../sampling/draw.ts';
import { type Box, checkBox, levelSet, type ScalarField } from '../sampling/field.ts';
import type { ByteImage } from './grid.ts';

use([LinesChart, ScatterChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

/** What {@link plotPoints} draws. */
export interface PointsPlot {
  /** Generated points, [N,2]. */
  readonly samples: SampleArray;
  /** Real points, [M,2], drawn below. */
  readonly real?: SampleArray;
  /** A critic's values, drawn as level sets; see `evaluateField`. */
  readonly field?: ScalarField;
  /** How many level sets, evenly spaced between the field's extremes, or their values. Default 10. */
  readonly levels?: number | readonly number[];
  /** What is shown; see {@link boxOf} for what is unless given. */
  readonly box?: Box;
  /** Above the picture. */
  readonly title?: string;
  /** Under the title, such as the run's settings. */
  readonly subtitle?: string;
  /** Side of the square in pixels, 64 to 4096. Default 480. */
  readonly size?: number;
}

/** Blue and orange of Okabe and Ito: apart for colour-blind readers too. */
const REAL = '#0072b2';
const GENERATED = '#d55e00';
const INK = '#333333';
/** Around the square with text, in pixels. */
const MARGIN = { left: 56, right: 20, top: 76, bottom: 36 };

/**
 * The square that holds all points with a tenth to spare, and the same along both axes: of the real points, if there are
 * any, so that it stays through a run.
 *
 * @param points [N,2]
 * @throws RangeError for no points, or others
 */
export function boxOf(points: SampleArray): Box {
  needPoints('boxOf', 'the points', points);
  const [x, y] = [0, 1].map((axis) => {
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = axis; i < points.data.length; i += 2) {
      const v = points.data[i]!;
      if (!Number.isFinite(v)) continue;
      least = Math.min(least, v);
      most = Math.max(most, v);
    }
    return least <= most ? [least, most] : [0, 0];
  }) as [[number, number], [number, number]];
  const half = Math.max(x[1] - x[0], y[1] - y[0]) * 0.6 || 1;
  const around = ([least, most]: readonly [number, number]) =>
    [(least + most) / 2 - half, (least + most) / 2 + half] as const;
  return { x: around(x), y: around(y) };
}

/** Points of one dimension along an axis, with heights that spread them out. */
export function onPlane({ data, shape }: SampleArray): SampleArray {
  if (shape[1] === 2) return { data, shape };
  const flat = Float32Array.from({ length: 2 * data.length }, (_, i) =>
    i % 2 === 0 ? data[i >> 1]! : ((i * 7) % 101) / 50 - 1,
  );
  return { data: flat, shape: [data.length, 2] };
}

function needPoints(op: string, what: string, { data, shape }: SampleArray): void {
  if (shape.length === 2 && shape[1] === 2 && shape[0]! >= 1 && data.length === shape[0]! * 2) return;
  throw new RangeError(`${op}: ${what} must be [N,2], not ${data.length} values of [${shape}]`);
}

/**
 * Draws generated points over real ones, and a critic's level sets (the darker the higher), as one self-contained SVG.
 *
 * @returns the text of an SVG file
 * @throws RangeError for points that are not [N,2], or an option out of range
 */
export function plotPoints(plot: PointsPlot): string {
  return draw(plot, true);
}

/**
 * The picture of {@link plotPoints} in pixels and without any text, which needs fonts that a machine may not have: for run
 * grids and animations, under `titled`.
 *
 * @returns RGB, `size` by `size`
 * @throws as {@link plotPoints}
 */
export async function pointsImage(plot: PointsPlot): Promise<ByteImage> {
  const svg = Buffer.from(draw(plot, false));
  const { data, info } = await sharp(svg)
    .flatten({ background: '#ffffff' })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: 3, data: Uint8Array.from(data) };
}

function draw(plot: PointsPlot, text: boolean): string {
  const names = ['samples', 'real', 'field', 'levels', 'box', 'title', 'subtitle', 'size'] as const;
  const { samples, real, field, levels = 10, title = '', subtitle = '', size = 480 } = checked(OP, plot, names);
  needPoints(OP, 'samples', samples);
  if (real) needPoints(OP, 'real', real);
  if (!(Number.isInteger(size) && size >= 64 && size <= 4096)) {
    throw new RangeError(`${OP}: size is ${size}; use an integer from 64 to 4096`);
  }
  const box = plot.box ?? boxOf(real ?? samples);
  checkBox(OP, box);
  const margin = text ? MARGIN : { left: 0, right: 0, top: 0, bottom: 0 };
  const [width, height] = [size + margin.left + margin.right, size + margin.top + margin.bottom];
  const axis = (ends: readonly [number, number]) =>
    ({
      type: 'value',
      min: ends[0],
      max: ends[1],
      axisLine: { show: true, onZero: false, lineStyle: { color: '#999999' } },
      // The ends of a box are no round numbers.
      axisLabel: { show: text, color: INK, showMinLabel: false, showMaxLabel: false },
      axisTick: { show: text },
      splitLine: { show: false },
    }) as const;
  const scatter = (name: string, points: SampleArray, color: string) => ({
    type: 'scatter' as const,
    name,
    data: pairs(points),
    symbolSize: Math.max(2, size / 120),
    itemStyle: { color, opacity: 0.55 },
    silent: true,
  });
  const note = field ? 'lines: level sets of the critic, the darker the higher' : '';
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'Helvetica, Arial, sans-serif' },
    title: {
      show: text,
      text: title,
      subtext: [subtitle, note].filter(Boolean).join(' · '),
      left: 12,
      top: 8,
      itemGap: 4,
      textStyle: { fontSize: 15, color: '#111111' },
      subtextStyle: { color: '#666666', fontSize: 11 },
    },
    legend: {
      show: text,
      data: real ? ['real', 'generated'] : ['generated'],
      right: margin.right,
      top: 54,
      itemHeight: 8,
    },
    grid: { ...margin, show: true, borderColor: '#999999' },
    xAxis: axis(box.x),
    yAxis: axis(box.y),
    series: [
      ...(field ? contours(field, levels) : []),
      ...(real ? [scatter('real', real, REAL)] : []),
      scatter('generated', samples, GENERATED),
    ],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg.replaceAll(/ ecmeta_\w+="[^"]*"/g, ''); // for scripts in a page; half of the file
}

const OP = 'plotPoints';

/** Points in three digits beyond the picture's pixels; those that are not numbers are left out. */
function pairs({ data }: SampleArray): (readonly [number, number])[] {
  return Array.from({ length: data.length / 2 }, (_, i) => [data[2 * i]!, data[2 * i + 1]!] as const).filter((p) =>
    p.every(Number.isFinite),
  );
}

function contours(field: ScalarField, levels: number | readonly number[]) {
  const finite = field.values.filter(Number.isFinite);
  const [least, most] = [
    finite.reduce((a, b) => Math.min(a, b), Infinity),
    finite.reduce((a, b) => Math.max(a, b), -Infinity),
  ];
  if (typeof levels === 'number' && !(Number.isInteger(levels) && levels >= 1)) {
    throw new RangeError(`${OP}: levels is ${levels}; use an integer >= 1, or a list of values`);
  }
  // A constant field has no level sets.
  const values =
    typeof levels === 'number'
      ? least < most
        ? Array.from({ length: levels }, (_, i) => least + ((most - least) * (i + 1)) / (levels + 1))
        : []
      : [...levels].sort((a, b) => a - b);
  return values.map((level, i) => {
    const shade = Math.round(215 - (150 * (i + 1)) / values.length);
    return {
      type: 'lines' as const,
      name: `level ${level}`,
      coordinateSystem: 'cartesian2d' as const,
      polyline: true,
      data: levelSet(field, level).map((coords) => ({ coords: coords.map(([x, y]) => [x, y]) })),
      lineStyle: { color: `rgb(${shade},${shade},${shade})`, width: 1.2, opacity: 1 },
      silent: true,
    };
  });
}
