/** Axes and words of a plot. */
import { largest, smallest } from '../extremes.ts';
import { INK } from './plotTheme.ts';
import type { PlotAxis, PlotPanel, PlotSeries } from './plotTypes.ts';

const LABEL = { color: INK.text, fontSize: 11, hideOverlap: true };
const LINE = { onZero: false, lineStyle: { color: INK.axis } };

/** The horizontal axis of the panel of this index. */
export function horizontal(
  panel: PlotPanel,
  series: readonly PlotSeries[],
  named: boolean,
  index: number,
  width: number,
) {
  const { label = '', categories } = panel.x ?? {};
  const name = {
    name: named ? label : '',
    nameLocation: 'middle' as const,
    nameTextStyle: { color: INK.muted, fontSize: 11 },
  };
  const common = { gridIndex: index, axisLine: { ...LINE, show: true }, splitLine: { show: false }, ...name };
  if (categories) {
    const names = namesOf(categories, width);
    const lines = largest(names.map((n) => n.split('\n').length));
    return {
      ...common,
      type: 'category' as const,
      data: names,
      axisTick: { show: false },
      nameGap: 12 + lines * 13,
      axisLabel: { ...LABEL, hideOverlap: false, interval: 0, lineHeight: 13 },
    };
  }
  const tick = { show: true, lineStyle: { color: INK.axis } };
  const ends = scale(panel, panel.x, xsOf(series));
  const axisLabel = { ...LABEL, formatter: tickText, ...roundEnds(ends.min, ends.max) };
  return { ...common, ...ends, nameGap: 25, axisTick: tick, axisLabel };
}

/** A vertical axis of the panel of this index; hidden where it has no series. */
export function vertical(
  panel: PlotPanel,
  axis: PlotAxis | undefined,
  series: readonly PlotSeries[],
  index: number,
  position: 'left' | 'right',
) {
  const { min, max, ...rest } = scale(panel, axis, panel.square ? xsOf(series) : []);
  // A level has no data of its own that the axis would make room for.
  const levels = series.flatMap((s) => (s.kind === 'level' ? [s.at] : []));
  const beyond = (at: number, sign: number, e: Ends) =>
    axis?.log ? at * 1.2 ** sign : at + sign * 0.05 * (Math.max(e.max, at) - Math.min(e.min, at));
  const [lowest, highest] = [smallest(levels), largest(levels)];
  return {
    gridIndex: index,
    position,
    show: series.length > 0,
    ...rest,
    min: min ?? ((e: Ends) => (lowest < e.min ? beyond(lowest, -1, e) : null)),
    max: max ?? ((e: Ends) => (highest > e.max ? beyond(highest, 1, e) : null)),
    // Above bars there is room for their values.
    ...(series.some((s) => s.kind === 'bars') && { boundaryGap: ['0%', '12%'] }),
    scale: true,
    splitNumber: axis?.log ? 6 : 4,
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { ...LABEL, formatter: tickText, ...roundEnds(min, max) },
    splitLine: { show: position === 'left', lineStyle: { color: INK.grid } },
  };
}

interface Ends {
  readonly min: number;
  readonly max: number;
}

/** Hides the labels of ends that are not round numbers. */
const roundEnds = (min: number | undefined, max: number | undefined) => {
  const odd = (v: number | undefined) => v !== undefined && Number(v.toPrecision(3)) !== v;
  return { ...(odd(min) && { showMinLabel: false }), ...(odd(max) && { showMaxLabel: false }) };
};

/** Type and ends of an axis of numbers; the values decide where the options do not. */
function scale(
  panel: PlotPanel,
  axis: PlotAxis | undefined,
  values: readonly number[],
): { type: 'log' | 'value'; min?: number; max?: number } {
  const type = axis?.log ? 'log' : 'value';
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const all = panel.square ? [...xsOf(panel.series), ...ysOf(panel.series)] : values;
  for (const value of all) {
    if (!Number.isFinite(value)) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const given = panel.square
    ? {}
    : { ...(axis?.min !== undefined && { min: axis.min }), ...(axis?.max !== undefined && { max: axis.max }) };
  if (least > most || type === 'log') return { type, ...given };
  if (panel.square) {
    const edge = 0.05 * (most - least) || 1;
    const unit = 10 ** Math.floor(Math.log10((most - least || 1) / 4));
    return { type, min: Math.floor((least - edge) / unit) * unit, max: Math.ceil((most + edge) / unit) * unit };
  }
  return least < most ? { type, min: least, max: most, ...given } : { type, min: least - 1, max: most + 1, ...given };
}

const xsOf = (series: readonly PlotSeries[]): number[] =>
  series.flatMap((s) =>
    'points' in s ? s.points.map((p) => p[0]) : s.kind === 'histogram' ? Array.from(s.edges) : [],
  );
const ysOf = (series: readonly PlotSeries[]): number[] =>
  series.flatMap((s) => ('points' in s ? s.points.map((p) => p[1]) : []));

const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** A number at an axis, in at most eight characters: `12,000`, `0.05`, `10⁻⁷`, `2·10⁹`. */
export function tickText(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 1e6 && size >= 1e-3)
    return Number(value.toPrecision(6)).toLocaleString('en', { maximumSignificantDigits: 6 });
  const [digits, power] = value.toExponential(2).split('e') as [string, string];
  const raised = power
    .replace('+', '')
    .replace('-', '⁻')
    .replace(/\d/g, (d) => RAISED[Number(d)]!);
  const factor = Number(digits);
  return factor === 1 ? `10${raised}` : factor === -1 ? `-10${raised}` : `${factor}·10${raised}`;
}

/** Pixels of a character of 12 pixels, on average, a little too wide rather than cut. */
export const LETTER = 6.7;

/** The names broken into lines that fit under the bars. */
export const namesOf = (categories: readonly string[], width: number): string[] =>
  categories.map((name) => {
    const letters = Math.max(3, Math.floor(width / categories.length / LETTER));
    return wrap(name, letters)
      .map((line) => clip(line, letters))
      .slice(0, 3)
      .join('\n');
  });

/** Breaks a text at spaces and after hyphens into lines of at most so many characters, where it has such places. */
export function wrap(text: string, letters: number): string[] {
  const lines: string[] = [];
  for (const piece of text.split(/(?<= )|(?<=\w-)(?=\w)/)) {
    const last = lines.at(-1);
    if (last !== undefined && (last + piece).trimEnd().length <= letters) lines[lines.length - 1] = last + piece;
    else lines.push(piece);
  }
  return lines.map((line) => line.trim()).filter(Boolean);
}

/** The text, or as much of it as so many characters hold, with an ellipsis. */
export const clip = (text: string, letters: number): string =>
  text.length <= letters ? text : `${text.slice(0, Math.max(1, Math.floor(letters) - 1))}…`;

/** `2 %`, or `2 % and 5 %`, of the points. */
export const percents = (shares: readonly number[]): string =>
  `${[...new Set(shares)].map((share) => `${Number((share * 100).toPrecision(2))} %`).join(' and ')} of the points`;

/**
 * Removes what echarts adds for its scripts and styles in a page, and names what is left by `prefix`, since ids in a page
 * must not clash.
 */
export const cleaned = (svg: string, prefix: string): string =>
  svg
    .replace(/<style ?><!\[CDATA\[.*?\]\]>\s*<\/style>\s*/s, '')
    .replace(/ (ecmeta_\w+|class|pointer-events)="[^"]*"/g, '')
    .replace(/(id="|url\(#)zr\d+-/g, `$1${prefix}-`)
    .replace(/<rect ([^>]*?)id="0"/, '<rect $1');
