/** Rows as text. */
import type { Roofs } from '../../engine/index.ts';
import type { Row } from '../run.ts';

export const COLUMNS = ['', 'shape', 'wgrad', 'tfjs', 'jax-js', 'vs tfjs', 'vs jax-js', 'rate', 'of roof'] as const;
const WIDTHS = [27, 22, 10, 10, 10, 9, 10, 13, 8] as const;

/** Milliseconds with three digits; microseconds where they are few. */
export const duration = (ms: number | null): string =>
  ms === null ? '-' : ms < 0.1 ? `${(1000 * ms).toPrecision(3)} µs` : `${digits(ms)} ms`;

const digits = (x: number): string => (x >= 100 ? x.toFixed(0) : x.toPrecision(3));
/** A ratio with three digits. */
export const times = (ratio: number | null): string => (ratio === null ? '-' : `${digits(ratio)}x`);
const megabytes = (mb: number | null | undefined): string =>
  mb === null || mb === undefined ? '-' : `${digits(mb)} MB`;

/** The cells of a row, in the order of the columns. */
export function cells(r: Row): string[] {
  const figures =
    'wgrad_mb' in r
      ? [r.wgrad_mb, r.tfjs_mb, r.jaxjs_mb].map(megabytes)
      : [r.wgrad_ms, r.tfjs_ms, r.jaxjs_ms].map(duration);
  const rate = r.gflops !== null ? `${digits(r.gflops)} GFLOPS` : r.gbps !== null ? `${digits(r.gbps)} GB/s` : '';
  const share = r.of_roof === null ? '' : `${(100 * r.of_roof).toFixed(0)} %`;
  return [r.name, r.shape, ...figures, times(r.vs_tfjs), times(r.vs_jaxjs), rate, share];
}

const line = (texts: readonly string[]): string =>
  texts
    .map((text, i) => (i < 2 ? text.padEnd(WIDTHS[i]!) : text.padStart(WIDTHS[i]!)))
    .join(' ')
    .trimEnd();

export const roofText = ({ gflops, gbps }: Roofs): string =>
  `FMA roof ${digits(gflops)} GFLOPS, copy roof ${digits(gbps)} GB/s`;

/** What stands above all rows. */
export const heading = (adapter: string, roofs: Roofs): string => `${adapter}: ${roofText(roofs)}\n\n${line(COLUMNS)}`;

/** One row, with its note on a line of its own. */
export const rowText = (r: Row): string => line(cells(r)) + (r.note ? `\n    ${r.note}` : '');
