/** How an outline lies in a picture: a point (x, y) of it is at column `scale` x + `left` and row `top` - `scale` y of the picture's edges. */
export interface Placement {
  /** Pixels for each unit of the outline. */
  readonly scale: number;
  /** The column of x = 0, in pixels from the left edge of the picture. */
  readonly left: number;
  /** The row of y = 0, in pixels from the upper edge of the picture. */
  readonly top: number;
}

/** How far a chord may be from its arc, in pixels. */
const FLATNESS = 1 / 256;

/**
 * The share of each pixel that lies inside an outline, 0 to 1: exact areas, but for arcs, which become chords at most 1/256 of a pixel from
 * them. What lies outside of the picture is cut off. Where curves overlap, inside is what they wind around (nonzero); a pixel in which curves
 * of opposite turns meet gets the difference of their areas.
 *
 * Source: the accumulation buffer of signed areas, as in Raph Levien's font-rs, "Inside the fastest font renderer in the world" (2016).
 * @param arcs six numbers for each quadratic Bézier arc: start, control point, end, as `TrueTypeFont.outline` gives them
 * @param size pixels along each side of the picture
 * @returns [size, size], row-major, the upper row first
 */
export function rasterize(arcs: ArrayLike<number>, size: number, { scale, left, top }: Placement): Float64Array {
  /** How much more of each pixel is inside than of the one left of it. */
  const areas = new Float64Array(size * size);
  for (let i = 0; i < arcs.length; i += 6) {
    const [x0, cx, x1] = [0, 2, 4].map((k) => scale * arcs[i + k]! + left) as [number, number, number];
    const [y0, cy, y1] = [1, 3, 5].map((k) => top - scale * arcs[i + k]!) as [number, number, number];
    addArc({ size, areas }, x0, y0, cx, cy, x1, y1);
  }
  const out = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    let winding = 0;
    for (let column = 0; column < size; column++) {
      winding += areas[row * size + column]!;
      out[row * size + column] = Math.min(1, Math.abs(winding));
    }
  }
  return out;
}

/** Areas of a picture of `size` rows, and what changes them. */
interface Picture {
  readonly size: number;
  readonly areas: Float64Array;
}

/** Adds a quadratic arc from (x0, y0) to (x1, y1) with the control point (cx, cy), as chords. */
function addArc(to: Picture, x0: number, y0: number, cx: number, cy: number, x1: number, y1: number): void {
  // The chord of 1/n of a quadratic arc is |p0 - 2c + p1| / 4n² away from it at most.
  const bend = Math.abs(x0 - 2 * cx + x1) + Math.abs(y0 - 2 * cy + y1);
  const n = Math.max(1, Math.ceil(Math.sqrt(bend / (4 * FLATNESS))));
  let x = x0;
  let y = y0;
  for (let k = 1; k <= n; k++) {
    const t = k / n;
    const s = 1 - t;
    const nextX = s * s * x0 + 2 * s * t * cx + t * t * x1;
    const nextY = s * s * y0 + 2 * s * t * cy + t * t * y1;
    if (y < nextY) addLine(to, 1, x, y, nextX, nextY);
    else if (y > nextY) addLine(to, -1, nextX, nextY, x, y);
    x = nextX;
    y = nextY;
  }
}

/** Adds a line downward from (x0, y0) to (x1, y1); `turn` is 1 if the curve goes down here and -1 if it goes up. */
function addLine(to: Picture, turn: number, x0: number, y0: number, x1: number, y1: number): void {
  const slope = (x1 - x0) / (y1 - y0);
  const end = Math.min(to.size, Math.ceil(y1));
  for (let row = Math.max(0, Math.floor(y0)); row < end; row++) {
    const from = Math.max(row, y0);
    const until = Math.min(row + 1, y1);
    const a = x0 + (from - y0) * slope;
    const b = x0 + (until - y0) * slope;
    addSpan(to, row, Math.min(a, b), Math.max(a, b), turn * (until - from));
  }
}

/** Adds a line within a row, from column `x0` to column `x1`, of signed height `height`: all that is right of it is inside. */
function addSpan({ size, areas }: Picture, row: number, x0: number, x1: number, height: number): void {
  // All that is left of the picture comes in at its edge.
  const last = Math.min(size - 1, Math.max(0, Math.ceil(x1)));
  let before = 0;
  for (let column = Math.max(0, Math.floor(x0)); column <= last; column++) {
    const share = widthTo(column + 1, x0, x1) - widthTo(column, x0, x1);
    areas[row * size + column]! += height * (share - before);
    before = share;
  }
}

/** The mean width between a line from column `x0` to column `x1` and the column `edge` right of it. */
function widthTo(edge: number, x0: number, x1: number): number {
  if (edge <= x0) return 0;
  return edge < x1 ? (edge - x0) ** 2 / (2 * (x1 - x0)) : edge - (x0 + x1) / 2;
}
