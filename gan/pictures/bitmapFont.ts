import type { ByteImage } from './grid.ts';

/**
 * Five rows of three pixels each, read from the top left: small enough to be drawn by hand, and there on machines that have
 * no fonts.
 */
const GLYPHS: Readonly<Record<string, string>> = {
  A: '010 101 111 101 101',
  B: '110 101 110 101 110',
  C: '011 100 100 100 011',
  D: '110 101 101 101 110',
  E: '111 100 110 100 111',
  F: '111 100 110 100 100',
  G: '011 100 101 101 011',
  H: '101 101 111 101 101',
  I: '111 010 010 010 111',
  J: '001 001 001 101 010',
  K: '101 101 110 101 101',
  L: '100 100 100 100 111',
  M: '101 111 111 101 101',
  N: '110 101 101 101 101',
  O: '010 101 101 101 010',
  P: '110 101 110 100 100',
  Q: '010 101 101 110 011',
  R: '110 101 110 101 101',
  S: '011 100 010 001 110',
  T: '111 010 010 010 010',
  U: '101 101 101 101 011',
  V: '101 101 101 101 010',
  W: '101 101 111 111 101',
  X: '101 101 010 101 101',
  Y: '101 101 010 010 010',
  Z: '111 001 010 100 111',
  0: '111 101 101 101 111',
  1: '010 110 010 010 111',
  2: '110 001 010 100 111',
  3: '110 001 010 001 110',
  4: '101 101 111 001 001',
  5: '111 100 110 001 110',
  6: '011 100 111 101 111',
  7: '111 001 010 010 010',
  8: '111 101 111 101 111',
  9: '111 101 111 001 110',
  ' ': '000 000 000 000 000',
  '.': '000 000 000 000 010',
  ',': '000 000 000 010 100',
  ':': '000 010 000 010 000',
  '-': '000 000 111 000 000',
  '+': '000 010 111 010 000',
  '=': '000 111 000 111 000',
  '/': '001 001 010 100 100',
  '%': '101 001 010 100 101',
  '(': '001 010 010 010 001',
  ')': '100 010 010 010 100',
  '?': '110 001 010 000 010',
};
const [WIDTH, HEIGHT] = [3, 5];

/** Height of a line of text in pixels. */
export const textHeight = (scale: number): number => HEIGHT * scale;

/** Width of a text in pixels. */
export const textWidth = (text: string, scale: number): number => Math.max(0, text.length * (WIDTH + 1) - 1) * scale;

/**
 * Writes capital letters into a picture, in place; what lies outside is left out, and a character that the font lacks is a
 * question mark.
 *
 * @param x of the left edge
 * @param y of the upper edge
 * @param ink grey level 0 to 255
 */
export function drawText(image: ByteImage, text: string, x: number, y: number, scale: number, ink: number): void {
  const { data, width, height, channels } = image;
  for (const [place, character] of [...text.toUpperCase()].entries()) {
    const glyph = (GLYPHS[character] ?? GLYPHS['?']!).replaceAll(' ', '');
    for (let i = 0; i < WIDTH * HEIGHT * scale * scale; i++) {
      const [column, row] = [i % (WIDTH * scale), Math.floor(i / (WIDTH * scale))];
      if (glyph[Math.floor(row / scale) * WIDTH + Math.floor(column / scale)] !== '1') continue;
      const [left, top] = [x + place * (WIDTH + 1) * scale + column, y + row];
      if (left < 0 || top < 0 || left >= width || top >= height) continue;
      const at = (top * width + left) * channels;
      data.fill(ink, at, at + Math.min(channels, 3));
    }
  }
}
