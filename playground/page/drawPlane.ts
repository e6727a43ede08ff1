/**
 * The plane on a canvas: a pure function of what is to be seen, so that any panel may draw it.
 * @module
 */
import type { Field, Frame, Look } from '../trial/look.ts';
import type { LayerName } from './layers.ts';

/** Colours of the page, as its style sheet has them. */
export interface Palette {
  readonly paper: string;
  readonly ink: string;
  readonly real: string;
  readonly fake: string;
  readonly line: string;
}

type Colour = readonly [number, number, number];

const BLUE: Colour = [86, 150, 214];
const ORANGE: Colour = [240, 160, 74];
const VIOLET: Colour = [140, 92, 178];
const GREEN: Colour = [54, 160, 96];

const mixed = (a: Colour, b: Colour, share: number): Colour => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
];

/** The slope at a point of a field. */
const slopeAt = ({ gradients }: Field, i: number): number => Math.hypot(gradients[2 * i]!, gradients[2 * i + 1]!);

/** How far from 0 values are shown: the larger of the two ends. */
const extent = (values: Float32Array): readonly [number, number] =>
  values.reduce<[number, number]>(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);

/** The colours of a field, an image of as many pixels as it has points. */
function image(field: Field, layer: 'critic' | 'slopes' | 'ideal', paper: Colour): ImageData {
  const { side, values } = field;
  const [least, most] = extent(values);
  const middle = (least + most) / 2;
  const half = (most - least) / 2 || 1;
  const at = {
    critic: (i: number): number => (values[i]! - middle) / half,
    slopes: (i: number): number => ratio(slopeAt(field, i)),
    ideal: (i: number): number => 2 * (field.ideal?.[i] ?? 0.5) - 1,
  }[layer];
  const pixels = new ImageData(side, side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const i = row * side + column;
      const t = at(i);
      const [low, high] = layer === 'slopes' ? [VIOLET, GREEN] : [ORANGE, BLUE];
      const colour = mixed(paper, t < 0 ? low : high, Number.isFinite(t) ? 0.85 * Math.abs(t) : 0);
      pixels.data.set([...colour, 255], 4 * ((side - 1 - row) * side + column));
    }
  }
  return pixels;
}

const rgb = (hex: string): Colour => {
  const n = Number.parseInt(hex.trim().slice(1), 16);
  return [(n >> 16) & 255, (n >> 8) & 255, n & 255];
};

/** The colour of a slope, by its ratio to 1: twice and half are as far. */
const ratio = (slope: number): number => Math.max(-1, Math.min(1, Math.log2(Math.max(slope, 1e-6)) / 2));

/** Draws what is shown of a look on a square canvas of `size` pixels. */
export function drawPlane(
  context: CanvasRenderingContext2D,
  size: number,
  look: Look,
  shown: ReadonlySet<LayerName>,
  palette: Palette,
): void {
  const { frame, field, lines, plan, folds, arrows, real, fake } = look;
  const { paper, ink } = palette;
  const brush = new Brush(context, size, frame);
  context.fillStyle = paper;
  context.fillRect(0, 0, size, size);
  const colouring = (['slopes', 'ideal', 'critic'] as const).find((name) => shown.has(name));
  if (field && colouring) {
    const small = new OffscreenCanvas(field.side, field.side);
    small.getContext('2d')!.putImageData(image(field, colouring, rgb(paper)), 0, 0);
    context.imageSmoothingQuality = 'high';
    // The field's first and last points are on the edges, the middles of the outer pixels.
    const pixel = size / (field.side - 1);
    context.drawImage(small, -pixel / 2, -pixel / 2, size + pixel, size + pixel);
  }
  if (field && shown.has('levels')) {
    brush.stroke(ink, 0.8, 0.35, () => {
      for (const line of field.levels) brush.polyline(line);
    });
  }
  if (folds && shown.has('folds')) brush.stroke(palette.fake, 0.9, 0.7, () => brush.grid(folds));
  if (plan && shown.has('plan')) brush.stroke(ink, 1, 0.55, () => brush.segments(plan.ends));
  if (lines && shown.has('lines')) {
    brush.stroke(palette.line, 0.8, 0.6, () => brush.segments(lines.ends));
    for (let i = 0; i < lines.slopes.length; i++) {
      const t = ratio(lines.slopes[i]!);
      context.fillStyle = ink;
      brush.dot(lines.at[2 * i]!, lines.at[2 * i + 1]!, 4.2);
      context.fillStyle = `rgb(${mixed([255, 255, 255], t < 0 ? VIOLET : GREEN, Math.abs(t)).join(' ')})`;
      brush.dot(lines.at[2 * i]!, lines.at[2 * i + 1]!, 3.4);
    }
  }
  if (shown.has('real')) {
    context.fillStyle = palette.real;
    context.globalAlpha = 0.75;
    for (let i = 0; i < real.length; i += 2) brush.dot(real[i]!, real[i + 1]!, 2.6);
    context.globalAlpha = 1;
  }
  if (shown.has('fake')) {
    // Crosses: the two kinds differ in shape too.
    brush.stroke(paper, 3.4, 0.8, () => brush.crosses(fake, 3.4));
    brush.stroke(palette.fake, 1.7, 1, () => brush.crosses(fake, 3.4));
  }
  if (arrows && shown.has('arrows')) brush.stroke(ink, 1.2, 0.8, () => brush.arrows(fake, arrows));
}

/** What layers draw with: places of the plane as pixels, and strokes in sizes that follow the canvas. */
export class Brush {
  readonly context: CanvasRenderingContext2D;
  /** Pixels of a line of width 1. */
  readonly unit: number;
  readonly size: number;
  readonly frame: Frame;

  constructor(context: CanvasRenderingContext2D, size: number, frame: Frame) {
    this.context = context;
    this.size = size;
    this.frame = frame;
    this.unit = size / 600;
  }

  x(v: number): number {
    const { middle, reach } = this.frame;
    return ((v - middle[0] + reach) / (2 * reach)) * this.size;
  }

  y(v: number): number {
    const { middle, reach } = this.frame;
    return ((middle[1] + reach - v) / (2 * reach)) * this.size;
  }

  /** Strokes what `path` lays down. */
  stroke(colour: string, width: number, alpha: number, path: () => void): void {
    const { context } = this;
    context.globalAlpha = alpha;
    context.strokeStyle = colour;
    context.lineWidth = width * this.unit;
    context.beginPath();
    path();
    context.stroke();
    context.globalAlpha = 1;
  }

  /** A dot of a radius in line widths. */
  dot(x: number, y: number, radius: number): void {
    this.context.beginPath();
    this.context.arc(this.x(x), this.y(y), radius * this.unit, 0, 2 * Math.PI);
    this.context.fill();
  }

  /** A line through points: x and y, one after the other. */
  polyline(points: Float32Array): void {
    for (let i = 0; i < points.length; i += 2) {
      if (i === 0) this.context.moveTo(this.x(points[0]!), this.y(points[1]!));
      else this.context.lineTo(this.x(points[i]!), this.y(points[i + 1]!));
    }
  }

  /** Lines from one end to the other: x, y, x, y of each. */
  segments(ends: Float32Array): void {
    for (let i = 0; i < ends.length; i += 4) this.polyline(ends.subarray(i, i + 4));
  }

  /** Crosses of a size in line widths. */
  crosses(points: Float32Array, radius: number): void {
    const r = radius * this.unit;
    for (let i = 0; i < points.length; i += 2) {
      const [a, b] = [this.x(points[i]!), this.y(points[i + 1]!)];
      for (const up of [r, -r]) {
        this.context.moveTo(a - r, b - up);
        this.context.lineTo(a + r, b + up);
      }
    }
  }

  /** The lines of a square grid that was carried somewhere: x and y of its points, row by row. */
  grid(points: Float32Array): void {
    const side = Math.round(Math.sqrt(points.length / 2));
    const line = (at: (k: number) => number): void => {
      this.polyline(Float32Array.from({ length: 2 * side }, (_, i) => points[2 * at(i >> 1) + (i % 2)]!));
    };
    for (let row = 0; row < side; row++) {
      line((k) => row * side + k);
      line((k) => k * side + row);
    }
  }

  /** Arrows of every fourth point; the longest is a tenth of the frame. */
  arrows(from: Float32Array, by: Float32Array): void {
    let longest = 0;
    for (let i = 0; i < by.length; i += 2) longest = Math.max(longest, Math.hypot(by[i]!, by[i + 1]!));
    if (!(longest > 0 && Number.isFinite(longest))) return;
    const scale = (0.2 * this.frame.reach) / longest;
    for (let i = 0; i < by.length; i += 8) {
      const [a, b] = [this.x(from[i]!), this.y(from[i + 1]!)];
      const [c, d] = [this.x(from[i]! + scale * by[i]!), this.y(from[i + 1]! + scale * by[i + 1]!)];
      const angle = Math.atan2(d - b, c - a);
      this.context.moveTo(a, b);
      this.context.lineTo(c, d);
      for (const turn of [2.6, -2.6]) {
        this.context.moveTo(c, d);
        this.context.lineTo(c + 5 * this.unit * Math.cos(angle + turn), d + 5 * this.unit * Math.sin(angle + turn));
      }
    }
  }
}
