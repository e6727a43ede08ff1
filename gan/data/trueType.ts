/**
 * Reads TrueType fonts (`.ttf`) and collections of them (`.ttc`) as far as pictures of characters need it: which characters there are,
 * how wide they are, and their outlines. Not read: hints, PostScript outlines (`CFF `), variations, and everything about layout.
 *
 * Source: ISO/IEC 14496-22, the OpenType specification: chapters `otff`, `head`, `maxp`, `cmap` (format 12), `hhea`, `hmtx`, `loca`, `glyf`.
 */

/** A font, as {@link readTrueType} gives it. Lengths are in its units, of which `unitsPerEm` are an em; x grows to the right, y upward. */
export interface TrueTypeFont {
  /** Units of the em square, which a full-width character fills. */
  readonly unitsPerEm: number;
  /** The number of the glyph that draws a character, by code point. Characters that the font has no glyph for are not in it. */
  readonly glyphs: ReadonlyMap<number, number>;
  /** Whether a glyph has no ink, as that of a space. */
  isBlank(glyph: number): boolean;
  /** How far the pen moves on after a glyph, in units. */
  advance(glyph: number): number;
  /**
   * The outline of a glyph: six numbers x0, y0, cx, cy, x1, y1 for each quadratic Bézier arc from (x0, y0) to (x1, y1) with the control point
   * (cx, cy), which for a straight line is its middle. The arcs form closed curves; inside is what they wind around (nonzero). Empty of a
   * glyph without ink.
   * @throws Error for a composite glyph that is made of itself or placed by points; RangeError where the file ends too early
   */
  outline(glyph: number): Float64Array;
}

/** Where a table lies in the file. */
type Tables = ReadonlyMap<string, number>;

/** How deep glyphs may be made of glyphs. */
const DEEPEST = 8;

/**
 * Reads a font.
 * @param bytes the whole file
 * @param face which font of a collection, from 0 on; a file of one font has 0 alone
 * @throws Error for what is no TrueType font or lacks a table, and says what; RangeError for a file that ends too early, or an unknown face
 * @example
 * const font = readTrueType(await readFile('/usr/share/fonts/truetype/arphic/uming.ttc'));
 * const arcs = font.outline(font.glyphs.get('永'.codePointAt(0))); // six numbers for each arc
 */
export function readTrueType(bytes: Uint8Array, face = 0): TrueTypeFont {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tables = tablesOf(view, face);
  const at = (name: string): number => {
    const start = tables.get(name);
    if (start === undefined) throw new Error(`the font has no table ${name}, and outlines of TrueType need one`);
    return start;
  };
  const [head, loca, glyf, hmtx] = [at('head'), at('loca'), at('glyf'), at('hmtx')];
  const isLong = view.getInt16(head + 50) === 1;
  const advances = view.getUint16(at('hhea') + 34);
  const count = view.getUint16(at('maxp') + 4);
  const offset = (glyph: number): number =>
    glyf + (isLong ? view.getUint32(loca + 4 * glyph) : 2 * view.getUint16(loca + 2 * glyph));
  const isBlank = (glyph: number): boolean => offset(glyph) === offset(glyph + 1);
  const arcsOf = (glyph: number, depth: number): number[] => {
    if (!(glyph < count)) throw new RangeError(`the font has ${count} glyphs, and none of number ${glyph}`);
    const start = offset(glyph);
    if (isBlank(glyph)) return [];
    const contours = view.getInt16(start);
    if (contours >= 0) return simpleArcs(view, start, contours);
    if (depth === DEEPEST) throw new Error(`glyph ${glyph} is made of glyphs of glyphs, more than ${DEEPEST} deep`);
    return partsOf(view, start + 10).flatMap(({ part, matrix }) => moved(arcsOf(part, depth + 1), matrix));
  };
  return {
    unitsPerEm: view.getUint16(head + 18),
    glyphs: charactersOf(view, at('cmap')),
    isBlank,
    // Glyphs beyond the list are as wide as the last in it.
    advance: (glyph) => view.getUint16(hmtx + 4 * Math.min(glyph, advances - 1)),
    outline: (glyph) => Float64Array.from(arcsOf(glyph, 0)),
  };
}

const tag = (view: DataView, at: number): string =>
  String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));

function tablesOf(view: DataView, face: number): Tables {
  const isCollection = tag(view, 0) === 'ttcf';
  const faces = isCollection ? view.getUint32(8) : 1;
  if (!(face < faces)) throw new RangeError(`the file holds ${faces} fonts, and none of number ${face}`);
  const start = isCollection ? view.getUint32(12 + 4 * face) : 0;
  const kind = view.getUint32(start);
  // 'true' is what Apple's tools write.
  if (kind !== 0x10000 && kind !== 0x74727565) throw new Error('it is no TrueType font');
  const records = Array.from({ length: view.getUint16(start + 4) }, (_, i) => start + 12 + 16 * i);
  return new Map(records.map((record) => [tag(view, record), view.getUint32(record + 8)]));
}

/** The map from code points to glyphs, of format 12, which covers all of Unicode. */
function charactersOf(view: DataView, cmap: number): Map<number, number> {
  const records = Array.from({ length: view.getUint16(cmap + 2) }, (_, i) => cmap + 4 + 8 * i);
  const starts = records.map((record) => cmap + view.getUint32(record + 4));
  const start = starts.find((s) => view.getUint16(s) === 12);
  if (start === undefined) throw new Error('the font has no map of characters of format 12');
  const glyphs = new Map<number, number>();
  for (let i = 0, group = start + 16; i < view.getUint32(start + 12); i++, group += 12) {
    const [first, last, glyph] = [0, 4, 8].map((at) => view.getUint32(group + at)) as [number, number, number];
    if (last > 0x10ffff) throw new Error(`the map of characters names ${last.toString(16)}, which is none`);
    for (let code = first; code <= last; code++) if (glyph + code - first > 0) glyphs.set(code, glyph + code - first);
  }
  return glyphs;
}

const [ON_CURVE, X_SHORT, Y_SHORT, REPEAT, X_SAME, Y_SAME] = [1, 2, 4, 8, 16, 32] as const;

/** The arcs of a glyph that is drawn, not made of others. */
function simpleArcs(view: DataView, start: number, contours: number): number[] {
  const ends = Array.from({ length: contours }, (_, i) => view.getUint16(start + 10 + 2 * i));
  const points = (ends.at(-1) ?? -1) + 1;
  let at = start + 10 + 2 * contours;
  at += 2 + view.getUint16(at); // hints
  const flags: number[] = [];
  while (flags.length < points) {
    const flag = view.getUint8(at++);
    const times = flag & REPEAT ? view.getUint8(at++) + 1 : 1;
    for (let i = 0; i < times; i++) flags.push(flag);
  }
  /** Steps from point to point, each of one byte, of two, or none. */
  const coordinates = (short: number, same: number): number[] => {
    let value = 0;
    return flags.slice(0, points).map((flag) => {
      if (flag & short) value += flag & same ? view.getUint8(at) : -view.getUint8(at);
      else if (!(flag & same)) value += view.getInt16(at);
      at += flag & short ? 1 : flag & same ? 0 : 2;
      return value;
    });
  };
  const xs = coordinates(X_SHORT, X_SAME);
  const ys = coordinates(Y_SHORT, Y_SAME);
  const all = xs.map((x, i) => ({ x, y: ys[i]!, on: (flags[i]! & ON_CURVE) !== 0 }));
  return ends.flatMap((end, i) => contourArcs(all.slice(i === 0 ? 0 : ends[i - 1]! + 1, end + 1)));
}

interface Point {
  readonly x: number;
  readonly y: number;
  readonly on: boolean;
}

const middle = (a: Point, b: Point): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, on: true });

/** The arcs of a closed curve: between two control points, the middle between them is on the curve. */
function contourArcs(points: readonly Point[]): number[] {
  if (points.length < 2) return [];
  const whole = points.flatMap((p, i) => {
    const before = points.at(i - 1)!;
    return p.on || before.on ? [p] : [middle(before, p), p];
  });
  const first = whole.findIndex((p) => p.on);
  const turned = [...whole.slice(first), ...whole.slice(0, first + 1)];
  const arcs: number[] = [];
  for (let i = 0; i + 1 < turned.length; ) {
    const [from, next] = [turned[i]!, turned[i + 1]!];
    const to = next.on ? next : turned[i + 2]!;
    const control = next.on ? middle(from, next) : next;
    arcs.push(from.x, from.y, control.x, control.y, to.x, to.y);
    i += next.on ? 1 : 2;
  }
  return arcs;
}

/** x' = a x + c y + e, y' = b x + d y + f. */
type Matrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

const [WORDS, OFFSETS, SCALE, MORE, TWO_SCALES, TWO_BY_TWO] = [1, 2, 8, 32, 64, 128] as const;

/** The glyphs that a composite glyph is made of, and where they are put. */
function partsOf(view: DataView, first: number): { part: number; matrix: Matrix }[] {
  const parts: { part: number; matrix: Matrix }[] = [];
  let at = first;
  for (let flags: number = MORE; flags & MORE; ) {
    flags = view.getUint16(at);
    const part = view.getUint16(at + 2);
    if (!(flags & OFFSETS)) throw new Error(`a part, glyph ${part}, is placed by points, which is not read here`);
    const [e, f] =
      flags & WORDS ? [view.getInt16(at + 4), view.getInt16(at + 6)] : [view.getInt8(at + 4), view.getInt8(at + 5)];
    at += flags & WORDS ? 8 : 6;
    const told = flags & TWO_BY_TWO ? 4 : flags & TWO_SCALES ? 2 : flags & SCALE ? 1 : 0;
    const start = at;
    const scales = Array.from({ length: told }, (_, i) => view.getInt16(start + 2 * i) / 16384);
    at += 2 * told;
    const [a = 1, b = 0, c = 0, d = a] = told === 2 ? [scales[0], 0, 0, scales[1]] : scales;
    parts.push({ part, matrix: [a, b, c, d, e, f] });
  }
  return parts;
}

const moved = (arcs: readonly number[], [a, b, c, d, e, f]: Matrix): number[] =>
  arcs.map((v, i) => (i % 2 === 0 ? a * v + c * arcs[i + 1]! + e : b * arcs[i - 1]! + d * v + f));
