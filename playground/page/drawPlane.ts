/**
 * The plane on a canvas: a pure function of what is to be seen, so that any panel may draw it.
 * @module
 */
import type { Field, Look } from '../trial/look.ts';
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
function image(field: Field, layer: 'critic' | 'slopes', paper: Colour): ImageData {
  const { side, values } = field;
  const [least, most] = extent(values);
  const middle = (least + most) / 2;
  const half = (most - least) / 2 || 1;
  const pixels = new ImageData(side, side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const i = row * side + column;
      // Of the critic the sign of the difference counts, of slopes the ratio to 1: twice and half are as far.
      const t =
        layer === 'critic'
          ? (values[i]! - middle) / half
          : Math.max(-1, Math.min(1, Math.log2(Math.max(slopeAt(field, i), 1e-6)) / 2));
      const [low, high] = layer === 'critic' ? [ORANGE, BLUE] : [VIOLET, GREEN];
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

/** Draws what is shown of a look on a square canvas of `size` pixels. */
export function drawPlane(
  context: CanvasRenderingContext2D,
  size: number,
  look: Look,
  shown: ReadonlySet<LayerName>,
  palette: Palette,
): void {
  const { reach, field, lines, plan, folds, arrows, real, fake } = look;
  const unit = size / 600;
  const x = (v: number): number => ((v + reach) / (2 * reach)) * size;
  const y = (v: number): number => size - x(v);
  context.fillStyle = palette.paper;
  context.fillRect(0, 0, size, size);

  const colouring = shown.has('slopes') ? 'slopes' : shown.has('critic') ? 'critic' : undefined;
  if (field && colouring) {
    const small = new OffscreenCanvas(field.side, field.side);
    small.getContext('2d')!.putImageData(image(field, colouring, rgb(palette.paper)), 0, 0);
    context.imageSmoothingQuality = 'high';
    // The field's first and last points are on the edges, the middles of the outer pixels.
    const pixel = size / (field.side - 1);
    context.drawImage(small, -pixel / 2, -pixel / 2, size + pixel, size + pixel);
  }

  const stroke = (colour: string, width: number, alpha: number, path: () => void): void => {
    context.globalAlpha = alpha;
    context.strokeStyle = colour;
    context.lineWidth = width * unit;
    context.beginPath();
    path();
    context.stroke();
    context.globalAlpha = 1;
  };
  const polyline = (points: Float32Array): void => {
    for (let i = 0; i < points.length; i += 2) {
      if (i === 0) context.moveTo(x(points[0]!), y(points[1]!));
      else context.lineTo(x(points[i]!), y(points[i + 1]!));
    }
  };
  const ends = (list: Float32Array): void => {
    for (let i = 0; i < list.length; i += 4) {
      context.moveTo(x(list[i]!), y(list[i + 1]!));
      context.lineTo(x(list[i + 2]!), y(list[i + 3]!));
    }
  };

  if (field && shown.has('levels')) {
    stroke(palette.ink, 0.8, 0.35, () => {
      for (const line of field.levels) polyline(line);
    });
  }
  if (folds && shown.has('folds')) drawFolds(folds, (path) => stroke(palette.fake, 0.9, 0.7, path), x, y, context);
  if (plan && shown.has('plan')) stroke(palette.ink, 1, 0.55, () => ends(plan.ends));
  if (lines && shown.has('lines')) {
    stroke(palette.line, 0.8, 0.6, () => ends(lines.ends));
    for (let i = 0; i < lines.slopes.length; i++) {
      const t = Math.max(-1, Math.min(1, Math.log2(Math.max(lines.slopes[i]!, 1e-6)) / 2));
      const [r, g, b] = mixed([255, 255, 255], t < 0 ? VIOLET : GREEN, Math.abs(t));
      context.fillStyle = `rgb(${r} ${g} ${b})`;
      context.strokeStyle = palette.ink;
      context.lineWidth = unit;
      context.beginPath();
      context.arc(x(lines.at[2 * i]!), y(lines.at[2 * i + 1]!), 3.6 * unit, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
  }

  if (shown.has('real')) {
    context.fillStyle = palette.real;
    context.globalAlpha = 0.75;
    for (let i = 0; i < real.length; i += 2) {
      context.beginPath();
      context.arc(x(real[i]!), y(real[i + 1]!), 2.6 * unit, 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
  }
  if (shown.has('fake')) {
    // Crosses: the two kinds differ in shape too.
    const r = 3.4 * unit;
    const crosses = (): void => {
      for (let i = 0; i < fake.length; i += 2) {
        const [a, b] = [x(fake[i]!), y(fake[i + 1]!)];
        context.moveTo(a - r, b - r);
        context.lineTo(a + r, b + r);
        context.moveTo(a - r, b + r);
        context.lineTo(a + r, b - r);
      }
    };
    stroke(palette.paper, 3.4, 0.8, crosses);
    stroke(palette.fake, 1.7, 1, crosses);
  }
  if (arrows && shown.has('arrows'))
    drawArrows(fake, arrows, unit, reach, (path) => stroke(palette.ink, 1.2, 0.8, path), x, y, context);
}

type At = (v: number) => number;

function drawFolds(
  folds: Float32Array,
  stroke: (path: () => void) => void,
  x: At,
  y: At,
  context: CanvasRenderingContext2D,
): void {
  const side = Math.round(Math.sqrt(folds.length / 2));
  const to = (i: number, first: boolean): void => {
    const [a, b] = [x(folds[2 * i]!), y(folds[2 * i + 1]!)];
    if (first) context.moveTo(a, b);
    else context.lineTo(a, b);
  };
  stroke(() => {
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) to(row * side + column, column === 0);
      for (let column = 0; column < side; column++) to(column * side + row, column === 0);
    }
  });
}

/** Arrows of every fourth sample; the longest is a tenth of the frame. */
function drawArrows(
  from: Float32Array,
  arrows: Float32Array,
  unit: number,
  reach: number,
  stroke: (path: () => void) => void,
  x: At,
  y: At,
  context: CanvasRenderingContext2D,
): void {
  let longest = 0;
  for (let i = 0; i < arrows.length; i += 2) longest = Math.max(longest, Math.hypot(arrows[i]!, arrows[i + 1]!));
  if (!(longest > 0 && Number.isFinite(longest))) return;
  const scale = (0.2 * reach) / longest;
  stroke(() => {
    for (let i = 0; i < arrows.length; i += 8) {
      const [a, b] = [x(from[i]!), y(from[i + 1]!)];
      const [c, d] = [x(from[i]! + scale * arrows[i]!), y(from[i + 1]! + scale * arrows[i + 1]!)];
      const angle = Math.atan2(d - b, c - a);
      context.moveTo(a, b);
      context.lineTo(c, d);
      for (const turn of [2.6, -2.6]) {
        context.moveTo(c, d);
        context.lineTo(c + 5 * unit * Math.cos(angle + turn), d + 5 * unit * Math.sin(angle + turn));
      }
    }
  });
}
