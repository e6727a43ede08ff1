/** Fonts, lines and colours of plots, by light and by dark pages. */

/** The fonts of all text. */
export const FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif";

/** The palette of Okabe and Ito (2008), which colour-blind readers can tell apart, without its yellow, too pale for lines. */
export const PALETTE = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#7a5c2e',
  '#101010',
] as const;

/** Colours of what is not data, on white. */
export const INK = {
  background: '#ffffff',
  title: '#111111',
  text: '#333333',
  muted: '#666666',
  axis: '#999999',
  grid: '#e8e8e8',
  grey: '#8f8f8f',
} as const;

/** How Vega-Lite draws what the panels leave open. */
export const CONFIG = {
  aria: false, // the picture is one image, with a title of its own
  background: 'none',
  font: FONT,
  customFormatTypes: true,
  view: { stroke: null },
  title: { anchor: 'start', frame: 'group', fontWeight: 600, offset: 8, limit: 0 },
  axis: {
    labelColor: INK.text,
    labelFontSize: 11,
    labelLimit: 0,
    titleColor: INK.muted,
    titleFontSize: 11,
    titleFontWeight: 400,
    titleLimit: 0,
    gridColor: INK.grid,
    domainColor: INK.axis,
    tickColor: INK.axis,
    tickSize: 5,
    labelPadding: 5,
  },
  legend: {
    labelColor: INK.text,
    labelFontSize: 12,
    symbolStrokeWidth: 2.5,
    symbolSize: 140,
    symbolOpacity: 1,
    columnPadding: 16,
  },
} as const;

/** What a colour becomes on a dark page. */
const DARK: Readonly<Record<string, string>> = {
  [INK.background]: '#16191d',
  [INK.title]: '#f2f2f2',
  [INK.text]: '#d6d6d6',
  [INK.muted]: '#a8a8a8',
  [INK.axis]: '#7a7a7a',
  [INK.grid]: '#33373c',
  '#0072b2': '#4aa3df',
  '#d55e00': '#f0813a',
  '#009e73': '#2dc796',
  '#7a5c2e': '#c3a06a',
  '#101010': '#f0f0f0',
};

/** The place in the palette, which goes round, as a colour. */
export const colorOf = (place: number | 'grey'): string =>
  place === 'grey' ? INK.grey : PALETTE[((place % PALETTE.length) + PALETTE.length) % PALETTE.length]!;

/**
 * Style for an SVG whose colours are the ones above, as attributes: dark where the reader prefers it, on screens; paper is
 * white. Programs without media queries draw the light one.
 *
 * @param scope a class on the picture's root, since the style of an SVG inside a page holds for all of the page
 */
export function darkStyle(scope: string): string {
  const rules = Object.entries(DARK).flatMap(([light, dark]) =>
    ['fill', 'stroke'].map((name) => `.${scope} [${name}="${light}"]{${name}:${dark}}`),
  );
  return `<style>@media screen and (prefers-color-scheme:dark){${rules.join('')}}</style>`;
}
