/**
 * Points that a person gave: in a link, and from a table of numbers.
 * @module
 */

/** The most points that are kept: links stay short enough to be sent. */
export const MOST_POINTS = 600;
/** Points lie in the square from -EXTENT to EXTENT. */
export const EXTENT = 2.5;

/** Steps of the grid in a unit: a coordinate is a whole number of 16 bits over it. */
export const SCALE = 32_767 / EXTENT;

/** The points of a page on which nothing was drawn yet: a heart. */
export const usualPoints: readonly number[] = Array.from({ length: 60 }, (_, i) => (2 * Math.PI * i) / 60).flatMap(
  (t) => [
    onGrid((2 * Math.sin(t) ** 3) / 1.1),
    onGrid((13 * Math.cos(t) - 5 * Math.cos(2 * t) - 2 * Math.cos(3 * t) - Math.cos(4 * t)) / 8.5),
  ],
);

/** Whether a list is of points in the square. */
export const arePoints = (v: unknown): v is readonly number[] =>
  Array.isArray(v) &&
  v.length >= 2 &&
  v.length % 2 === 0 &&
  v.length <= 2 * MOST_POINTS &&
  v.every((x) => typeof x === 'number' && Math.abs(x) <= EXTENT);

/** Points x, y, x, y, ... as text for a link: 16 bits for each number, in base64url. */
export function writePoints(points: readonly number[]): string {
  const bytes = new Uint8Array(2 * points.length);
  const view = new DataView(bytes.buffer);
  for (const [i, v] of points.entries()) view.setInt16(2 * i, Math.round(v * SCALE));
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** What {@link writePoints} wrote; undefined for anything else. */
export function readPoints(text: string): number[] | undefined {
  let raw: string;
  try {
    raw = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  } catch {
    return undefined; // no base64
  }
  if (raw.length % 4 !== 0 || raw.length > 4 * MOST_POINTS) return undefined;
  const view = new DataView(Uint8Array.from(raw, (c) => c.charCodeAt(0)).buffer);
  return Array.from({ length: raw.length / 2 }, (_, i) => onGrid(view.getInt16(2 * i) / SCALE));
}

/** A coordinate as a link keeps it, so that a page and its link have the same points. */
export function onGrid(v: number): number {
  const held = Math.max(-EXTENT, Math.min(EXTENT, v));
  return Math.round(held * SCALE) / SCALE;
}

/** What came of a table. */
export interface Table {
  readonly points: readonly number[];
  /** What was done to the numbers, or why there are no points. */
  readonly note: string;
}

/**
 * Points of a text with two numbers in a line, between commas, semicolons, tabs or spaces. Other lines, such as a heading, are left out. They
 * are moved and scaled to fit the square, by the same factor along both axes.
 */
export function parseTable(text: string): Table {
  const rows = text
    .split(/\r?\n/)
    .map((line) =>
      line
        .trim()
        .split(/[\s,;]+/)
        .map(Number),
    )
    .filter((row) => row.length >= 2 && row.slice(0, 2).every(Number.isFinite))
    .map(([x, y]) => [x!, y!] as const);
  if (rows.length < 2) return { points: [], note: 'there are no two lines with two numbers each' };
  const every = Math.ceil(rows.length / MOST_POINTS);
  const kept = rows.filter((_, i) => i % every === 0);
  const ends = (axis: 0 | 1): readonly [number, number] =>
    kept.reduce<[number, number]>(
      ([a, b], row) => [Math.min(a, row[axis]), Math.max(b, row[axis])],
      [Infinity, -Infinity],
    );
  const [[left, right], [low, high]] = [ends(0), ends(1)];
  const scale = 4 / (Math.max(right - left, high - low) || 1);
  const points = kept.flatMap(([x, y]) => [
    onGrid((x - (left + right) / 2) * scale),
    onGrid((y - (low + high) / 2) * scale),
  ]);
  return {
    points,
    note: `${kept.length} points${every > 1 ? ` of ${rows.length}, every ${every}th` : ''}, scaled by ${scale.toPrecision(3)}`,
  };
}
