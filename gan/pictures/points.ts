/** Points of the plane with a critic's level sets, as SVG. */
import { checked } from '../../engine/internal.ts';
import { largest, smallest } from '../extremes.ts';
import type { SampleArray } from '../sampling/draw.ts';
import { type Box, checkBox, levelSet, type ScalarField } from '../sampling/field.ts';
import { draw, type Picture } from './drawSpecs.ts';
import { INK, PALETTE } from './plotTheme.ts';

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
  /** The text under the title, such as the run's settings. */
  readonly subtitle?: string;
  /** Side of the square in pixels, 64 to 4096. Default 480. */
  readonly size?: number;
}

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
  const { title = '', subtitle = '', field, size = 480 } = plot;
  const note = field ? 'lines: level sets of the critic, the darker the higher' : '';
  const axis = { grid: false, labels: true, ticks: true, title: null };
  return draw([specOf(plot, axis)], { title, under: [subtitle, note].filter(Boolean).join(' · '), width: size + 76 });
}

/**
 * The picture of {@link plotPoints} without any text, which needs fonts that a machine may not have.
 *
 * @returns the text of an SVG file, `size` by `size`
 * @throws as {@link plotPoints}
 */
export function barePoints(plot: PointsPlot): string {
  return draw([specOf(plot, null)], { width: plot.size ?? 480, edge: 0 });
}

/** @param axis how both axes look; null for none, and no legend */
function specOf(plot: PointsPlot, axis: object | null): Picture {
  const names = ['samples', 'real', 'field', 'levels', 'box', 'title', 'subtitle', 'size'] as const;
  const { samples, real, field, levels = 10, size = 480 } = checked(OP, plot, names);
  needPoints(OP, 'samples', samples);
  if (real) needPoints(OP, 'real', real);
  if (!(Number.isInteger(size) && size >= 64 && size <= 4096)) {
    throw new RangeError(`${OP}: size is ${size}; use an integer from 64 to 4096`);
  }
  const box = plot.box ?? boxOf(real ?? samples);
  checkBox(OP, box);
  const at = (name: 'x' | 'y') => ({
    field: name,
    type: 'quantitative',
    scale: { domain: box[name], nice: false },
    axis,
  });
  const place = { x: at('x'), y: at('y') };
  const kinds = real ? ['real', 'generated'] : ['generated'];
  const legend = axis && {
    title: null,
    orient: 'top',
    direction: 'horizontal',
    symbolType: 'circle',
    offset: 6,
  };
  const scatter = (kind: string, points: SampleArray) => ({
    data: { values: pairs(points) },
    mark: {
      type: 'point',
      filled: true,
      clip: true,
      opacity: 0.55,
      size: Math.max(2, size / 120) ** 2,
    },
    encoding: {
      ...place,
      color: {
        datum: kind,
        type: 'nominal',
        scale: { domain: kinds, range: kinds.map((k) => COLORS[k as never]) },
        legend,
      },
    },
  });
  return {
    left: axis ? 56 : 0,
    width: size,
    height: size,
    autosize: 'none',
    layer: [
      ...(field ? [contours(field, levels, place)] : []),
      ...(real ? [scatter('real', real)] : []),
      scatter('generated', samples),
    ],
  };
}

const OP = 'plotPoints';
/** Blue and orange of Okabe and Ito: apart for colour-blind readers too. */
const COLORS = { real: PALETTE[0], generated: PALETTE[1] } as const;

/** Places of the points that are numbers. */
const pairs = ({ data }: SampleArray): { x: number; y: number }[] =>
  Array.from({ length: data.length / 2 }, (_, i) => ({ x: data[2 * i]!, y: data[2 * i + 1]! })).filter(
    ({ x, y }) => Number.isFinite(x) && Number.isFinite(y),
  );

function contours(field: ScalarField, levels: number | readonly number[], place: object): object {
  if (typeof levels === 'number' && !(Number.isInteger(levels) && levels >= 1)) {
    throw new RangeError(`${OP}: levels is ${levels}; use an integer >= 1, or a list of values`);
  }
  const finite = field.values.filter(Number.isFinite);
  const [least, most] = [smallest(finite), largest(finite)];
  // A constant field has no level sets.
  const even = (n: number) =>
    least < most ? Array.from({ length: n }, (_, i) => least + ((most - least) * (i + 1)) / (n + 1)) : [];
  const heights = typeof levels === 'number' ? even(levels) : [...levels].sort((a, b) => a - b);
  let part = 0;
  const values = heights.flatMap((level, i) =>
    levelSet(field, level).flatMap((line) => {
      part++;
      const opacity = 0.25 + (0.75 * (i + 1)) / heights.length;
      return line.map(([x, y], order) => ({ x, y, part, order, opacity }));
    }),
  );
  return {
    data: { values },
    mark: { type: 'line', strokeWidth: 1.2, color: INK.muted, clip: true },
    encoding: {
      ...place,
      detail: { field: 'part' },
      order: { field: 'order' },
      opacity: { field: 'opacity', type: 'quantitative', scale: null },
    },
  };
}
