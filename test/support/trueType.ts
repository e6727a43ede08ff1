/** Writes small TrueType fonts: as far as the reader of the data set of glyphs reads them. */

/** [x, y] on the curve, or [x, y, 'off'] for a control point. */
export type FontPoint = readonly [x: number, y: number, off?: 'off'];

/** A part of a composite glyph. */
export interface FontPart {
  readonly glyph: number;
  readonly dx: number;
  readonly dy: number;
  /** One number for both axes, two for x and y, or four: a, b, c, d of x' = a x + c y, y' = b x + d y. Each from -2 to below 2. */
  readonly scale?: readonly number[];
  /** Give the place as numbers of points, which the reader refuses. */
  readonly byPoints?: boolean;
}

/** A glyph: closed curves, parts, or neither. */
export interface FontGlyph {
  readonly contours?: readonly (readonly FontPoint[])[];
  readonly parts?: readonly FontPart[];
  /** Default: the em. */
  readonly advance?: number;
}

/** A font to write. */
export interface FontPlan {
  /** Units of the em. Default 1024. */
  readonly em?: number;
  readonly glyphs: readonly FontGlyph[];
  /** The glyph of each code point. */
  readonly characters: ReadonlyMap<number, number>;
  /** Whether the places of glyphs are halved 16-bit numbers. Default false: 32-bit ones. */
  readonly short?: boolean;
  /** Tables to leave out. */
  readonly without?: readonly string[];
  /** The format of the map of characters that the file claims. Default 12. */
  readonly mapFormat?: number;
}

const u16 = (...values: readonly number[]): number[] => values.flatMap((v) => [(v >> 8) & 255, v & 255]);
const u32 = (...values: readonly number[]): number[] => values.flatMap((v) => [...u16(v >>> 16), ...u16(v & 0xffff)]);
const zeros = (n: number): number[] => new Array<number>(n).fill(0);
const padded = (bytes: readonly number[]): number[] => [...bytes, ...zeros(-bytes.length & 3)];

/** Flags and steps as short as the format allows, with runs of equal flags told once. */
function simple(contours: readonly (readonly FontPoint[])[]): number[] {
  const points = contours.flat();
  const ends = contours.map((_, i) => contours.slice(0, i + 1).flat().length - 1);
  const flags: number[] = [];
  const [xs, ys]: [number[], number[]] = [[], []];
  points.forEach(([x, y, off], i) => {
    const [px, py] = i === 0 ? [0, 0] : points[i - 1]!;
    const axis = (step: number, out: number[], short: number, same: number): number => {
      if (step === 0) return same;
      if (Math.abs(step) > 255) out.push(...u16(step));
      else out.push(Math.abs(step));
      return Math.abs(step) > 255 ? 0 : short | (step > 0 ? same : 0);
    };
    flags.push((off ? 0 : 1) | axis(x - px, xs, 2, 16) | axis(y - py, ys, 4, 32));
  });
  const told: number[] = [];
  for (let i = 0; i < flags.length; ) {
    let n = 1;
    while (flags[i + n] === flags[i] && n < 256) n++;
    told.push(...(n > 1 ? [flags[i]! | 8, n - 1] : [flags[i]!]));
    i += n;
  }
  // Three bytes of hints, to be passed over.
  return [...u16(contours.length), ...zeros(8), ...u16(...ends), ...u16(3), 1, 2, 3, ...told, ...xs, ...ys];
}

function composite(parts: readonly FontPart[]): number[] {
  const bytes = parts.flatMap(({ glyph, dx, dy, scale = [], byPoints = false }, i) => {
    const words = [dx, dy].some((d) => d < -128 || d > 127);
    const kind = [0, 8, 64, 0, 128][scale.length]!;
    const flags = (words ? 1 : 0) | (byPoints ? 0 : 2) | kind | (i + 1 < parts.length ? 32 : 0);
    const place = words ? u16(dx, dy) : [dx & 255, dy & 255];
    return [...u16(flags, glyph), ...place, ...u16(...scale.map((s) => Math.round(s * 16384)))];
  });
  return [...u16(0xffff), ...zeros(8), ...bytes];
}

/** The tables of a font, by name. */
function tablesOf(plan: FontPlan): [name: string, bytes: number[]][] {
  const { em = 1024, glyphs, characters, short = false, mapFormat = 12 } = plan;
  const outlines = glyphs.map(({ contours, parts }) =>
    padded(parts ? composite(parts) : contours ? simple(contours) : []),
  );
  const starts = [0, ...outlines.map((_, i) => outlines.slice(0, i + 1).flat().length)];
  const advances = glyphs.map(({ advance = em }) => advance);
  // Of the last glyphs with one width, the first alone is listed.
  const listed = advances.length - [...advances].reverse().findIndex((a) => a !== advances.at(-1));
  const count = listed > advances.length ? 1 : listed + 1 > advances.length ? advances.length : listed + 1;
  const groups = [...characters].sort(([a], [b]) => a - b);
  const map = [...u16(mapFormat, 0), ...u32(16 + 12 * groups.length, 0, groups.length)];
  const tables: [string, number[]][] = [
    ['head', [...zeros(18), ...u16(em), ...zeros(30), ...u16(short ? 0 : 1, 0)]],
    ['maxp', [...u32(0x10000), ...u16(glyphs.length)]],
    ['hhea', [...zeros(34), ...u16(count)]],
    ['hmtx', [...advances.slice(0, count).flatMap((a) => u16(a, 0)), ...zeros(2 * (advances.length - count))]],
    ['cmap', [...u16(0, 1, 3, 10), ...u32(12), ...map, ...groups.flatMap(([code, glyph]) => u32(code, code, glyph))]],
    ['loca', short ? u16(...starts.map((s) => s / 2)) : u32(...starts)],
    ['glyf', outlines.flat()],
  ];
  return tables.filter(([name]) => !plan.without?.includes(name));
}

/** The header and tables of a font that begins at `start` of its file. */
function written(plan: FontPlan, start: number): number[] {
  const tables = tablesOf(plan);
  let at = start + 12 + 16 * tables.length;
  const records = tables.flatMap(([name, bytes]) => {
    const record = [...new TextEncoder().encode(name), ...u32(0, at, bytes.length)];
    at += padded(bytes).length;
    return record;
  });
  return [...u32(0x10000), ...u16(tables.length, 0, 0, 0), ...records, ...tables.flatMap(([, b]) => padded(b))];
}

/** A file of one font. */
export const writeFont = (plan: FontPlan): Uint8Array => Uint8Array.from(written(plan, 0));

/** A collection of fonts. */
export function writeCollection(plans: readonly FontPlan[]): Uint8Array {
  const fonts: number[] = [];
  const starts = plans.map((plan) => {
    const start = 12 + 4 * plans.length + fonts.length;
    fonts.push(...written(plan, start));
    return start;
  });
  return Uint8Array.from([...new TextEncoder().encode('ttcf'), ...u32(0x10000, plans.length, ...starts), ...fonts]);
}

/** A rectangle, as a contour. */
export const box = (x0: number, y0: number, x1: number, y1: number): FontPoint[] => [
  [x0, y0],
  [x0, y1],
  [x1, y1],
  [x1, y0],
];
