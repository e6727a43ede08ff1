/**
 * Figures of lessons: pure functions of one number that give SVG, drawn when the page is built and again as the number is changed.
 * @module
 */

/** A figure with one number to change. */
export interface Figure {
  /** What the number is called. */
  readonly title: string;
  readonly least: number;
  readonly most: number;
  readonly step: number;
  /** The number at first. */
  readonly usual: number;
  /** The picture as SVG, and what it shows in a sentence. */
  readonly draw: (value: number) => { readonly svg: string; readonly says: string };
}

/** Width and height of every figure, in units of its own. */
export const WIDTH = 600;
export const HEIGHT = 220;

/** A line through points. */
export const path = (points: readonly (readonly [x: number, y: number])[], colour: string): string =>
  `<polyline class="${colour}" points="${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')}"/>`;

/** A block with corners at left, top. */
export const block = (x: number, y: number, width: number, height: number, colour: string): string =>
  `<rect class="${colour}" x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}"/>`;

/** Words, from their left end. */
export const words = (x: number, y: number, text: string): string => `<text x="${x}" y="${y}">${text}</text>`;

/** The whole picture; what it says stands beside it as text. */
export const picture = (parts: readonly string[]): string =>
  `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true">${parts.join('')}</svg>`;

/** Whole numbers from 0 to n. */
export const upTo = (n: number): readonly number[] => Array.from({ length: n + 1 }, (_, i) => i);
