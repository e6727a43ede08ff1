/** Vega-Lite specifications as one SVG. */
import { expressionFunction, type LoggerInterface, logger, None, parse, resetSVGDefIds, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { SVGStringRenderer } from 'vega-scenegraph';
import { largest } from '../extremes.ts';
import { LETTER, tickText, wrap } from './plotText.ts';
import { CONFIG, darkStyle, FONT, INK } from './plotTheme.ts';

expressionFunction('tickText', tickText);

/** Vega-Lite's remarks are on specifications, which are ours. */
const silent: LoggerInterface = logger(None);

/** The distance between rows of pictures, in pixels. */
const GAP = 18;

/** A Vega-Lite specification of fixed width and height. */
export interface Picture {
  /** Pixels from the left of its place to its drawing area. */
  readonly left: number;
  readonly [name: string]: unknown;
}

/** What stands around the pictures. */
export interface Around {
  /** The title, in bold above. */
  readonly title?: string;
  /** The text under the title; it is broken into lines. */
  readonly under?: string;
  /** The width of the whole, in pixels. */
  readonly width: number;
  /** Pictures in a row; 1 unless given. */
  readonly columns?: number;
  /** Pixels above and below all of it, since fonts are higher than Vega estimates; 8 unless given. */
  readonly edge?: number;
}

/** Draws specifications row by row under a title, as one self-contained SVG. The same input gives the same text. */
export function draw(
  pictures: readonly Picture[],
  { title = '', under = '', width, columns = 1, edge = 8 }: Around,
): string {
  const lines = wrap(under, (width - 32) / (LETTER * 0.95));
  const parts = [
    ...(title ? [text(16, 26, title, 17, INK.title, 600)] : []),
    ...lines.map((line, i) => text(16, (title ? 46 : 18) + 16 * i, line, 12, INK.muted)),
  ];
  let top = parts.length > 0 ? (title ? 34 : 6) + 16 * lines.length + 12 : edge;
  resetSVGDefIds();
  for (let first = 0; first < pictures.length; first += columns) {
    const row = pictures.slice(first, first + columns).map(drawn);
    for (const [c, { body }] of row.entries()) {
      parts.push(`<g transform="translate(${(c * width) / columns},${top})">${body}</g>`);
    }
    top += largest(row.map(({ height }) => height)) + GAP;
  }
  return framed(parts.join('\n'), width, Math.ceil(top - GAP + edge));
}

/** What a picture takes beside its drawing area. */
interface Drawn {
  readonly body: string;
  /** The distance from the upper end of all that is drawn to the lower, in pixels. */
  readonly height: number;
}

/** A specification as what stands inside an SVG. Its drawing area begins `left` pixels from the left; what is above it decides the height. */
function drawn({ left, ...spec }: Picture): Drawn {
  const { spec: vega } = compile(spec as unknown as TopLevelSpec, { config: CONFIG, logger: silent });
  const view = new View(parse(vega), { renderer: 'none' }).initialize();
  try {
    view.run();
    const { root } = view.scenegraph() as { root?: { items: { bounds: { y1: number; y2: number } }[] } };
    const { y1, y2 } = root!.items[0]!.bounds;
    const [top, height] = [Math.ceil(-y1), Math.ceil(y2 - y1)];
    const svg = new SVGStringRenderer().initialize(null, 0, height, [left, top]).render(root).svg();
    return { body: shortened(svg.replace(/^<svg[^>]*>/, '').replace(/<\/svg>$/, '')), height };
  } finally {
    view.finalize();
  }
}

/** An SVG without what Vega adds for scripts, and with places in hundredths of a pixel. */
const shortened = (svg: string): string =>
  svg
    .replace(/ (class|role|aria-[a-z]+|pointer-events)="[^"]*"/g, '')
    .replace(/<path (d="" )?display="none"\/>/g, '')
    .replace(/ (d|transform)="[^"]*"/g, (places) => places.replace(/\d+\.\d{3,}/g, (n) => `${+Number(n).toFixed(2)}`));

const escaped = (s: string): string => s.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const text = (x: number, y: number, words: string, size: number, color: string, weight = 400): string =>
  `<text x="${x}" y="${y}" font-family="${FONT}" font-size="${size}px" font-weight="${weight}" fill="${color}">${escaped(words)}</text>`;

/** The whole picture, with the style for dark pages, and ids that depend on the picture alone: those in a page must not clash. */
function framed(body: string, width: number, height: number): string {
  const name = `plot-${hashOf(`${body}${width}`)}`;
  const own = body.replace(/(id="|url\(#)(clip|gradient)/g, `$1${name}-$2`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" class="${name}" role="img">
${darkStyle(name)}
<rect width="${width}" height="${height}" fill="${INK.background}"/>
${own}
</svg>`;
}

/** Ten hexadecimal digits that tell pictures apart (FNV-1a, twice). */
function hashOf(s: string): string {
  let [a, b] = [0x811c9dc5, 0xc59d1c81];
  for (let i = 0; i < s.length; i++) {
    a = Math.imul(a ^ s.charCodeAt(i), 0x01000193);
    b = Math.imul(b ^ s.charCodeAt(i), 0x01000193) ^ (a >>> 15);
  }
  return [a, b]
    .map((v) => (v >>> 0).toString(16).padStart(8, '0'))
    .join('')
    .slice(0, 10);
}
