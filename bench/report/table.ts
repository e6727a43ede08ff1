/** Rows as text. */
import type { Roofs } from '../../engine/index.ts';
import type { Row } from '../run.ts';
import type { Case } from '../task.ts';

export const COLUMNS = ['', 'shape', 'wgrad', 'tfjs', 'jax-js', 'vs tfjs', 'vs jax-js', 'rate', 'of roof'] as const;
const WIDTHS = [27, 22, 15, 15, 15, 9, 10, 13, 8] as const;

/** Milliseconds with three digits; microseconds where they are few. */
export const duration = (ms: number | null): string =>
  ms === null ? '-' : ms < 0.1 ? `${(1000 * ms).toPrecision(3)} µs` : `${digits(ms)} ms`;

/** A median with the spread of its rounds: '1.23 ms ±4 %'. */
const timed = (ms: number | null, spread: number | null | undefined): string =>
  spread === null || spread === undefined ? duration(ms) : `${duration(ms)} ±${(100 * spread).toFixed(0)} %`;

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
      : [timed(r.wgrad_ms, r.wgrad_spread), timed(r.tfjs_ms, r.tfjs_spread), timed(r.jaxjs_ms, r.jaxjs_spread)];
  const rate = r.gflops !== null ? `${digits(r.gflops)} GFLOPS` : r.gbps !== null ? `${digits(r.gbps)} GB/s` : '';
  const share = r.of_roof === null ? '' : r.of_roof > 1 ? '>100 %' : `${(100 * r.of_roof).toFixed(0)} %`;
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

/** The rows that there are, as `--list` prints them: what `--only` finds is the name and the shape. */
export function listText(cases: readonly Pick<Case, 'suite' | 'name' | 'shape' | 'quick'>[]): string {
  const width = Math.max(...cases.map(({ name }) => name.length));
  return cases
    .map(
      ({ suite, name, shape, quick }) => `${suite.padEnd(9)}${name.padEnd(width)}  ${shape}${quick ? '  (quick)' : ''}`,
    )
    .join('\n');
}
