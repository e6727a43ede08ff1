import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashOf } from './decodeImages.node.ts';
import { rasterize } from './rasterize.ts';
import { readTrueType, type TrueTypeFont } from './trueType.ts';

/** A hand that Chinese characters are written in: Ming (strokes with serifs, as in books), Hei (even strokes), Kai (with the brush). */
export type GlyphHand = 'ming' | 'hei' | 'kai';

/** Where a hand's font lies, and how its characters lie in it. */
interface HandFile {
  /** What headings call it. */
  readonly title: string;
  /** The Debian package. */
  readonly package: string;
  /** The file in Debian's folder of TrueType fonts. The first font of each file has the forms of mainland China. */
  readonly file: string;
  /**
   * How far the upper edge of the em box lies above the baseline, in 1/1024 em. Arphic's fonts say it themselves. The vertical metrics of
   * WenQuanYi are of its lines, not of its characters: this is where they lie best on those of Ming (least L1 distance, all of them at once).
   */
  readonly top: number;
}

/** The hands, by name. */
export const hands: Readonly<Record<GlyphHand, HandFile>> = {
  ming: { title: 'Ming', package: 'fonts-arphic-uming', file: 'arphic/uming.ttc', top: 900 },
  hei: { title: 'Hei', package: 'fonts-wqy-zenhei', file: 'wqy/wqy-zenhei.ttc', top: 863 },
  kai: { title: 'Kai', package: 'fonts-arphic-ukai', file: 'arphic/ukai.ttc', top: 900 },
};

/** The font of a hand. */
export interface HandFont {
  /** Whether the font has a picture of its own for a character, as wide as the em box. */
  has(code: number): boolean;
  /**
   * A character as grey levels [size, size], 0 (paper) to 255 (ink): the share of each pixel that is ink. The picture is the em box.
   * @throws Error naming the file where it is damaged
   */
  draw(code: number, size: number): Uint8Array;
  /** Sixteen hex digits made of the file's bytes. */
  readonly hash: string;
}

/** Where Debian's packages put fonts, and what becomes of that in a folder. */
const PLACES = ['usr/share/fonts/truetype', 'share/fonts/truetype', 'truetype', '.'] as const;

/**
 * Opens the fonts of some hands.
 * @param folder where the packages are unpacked (`dpkg -x`), or where the fonts lie; the system's unless given
 * @throws Error naming the fonts that are missing, and the commands that get them; or the file that is damaged
 */
export async function openHands(names: readonly GlyphHand[], folder = '/'): Promise<HandFont[]> {
  const files = await Promise.all(names.map((name) => readHand(hands[name].file, folder)));
  const missing = names.filter((_, i) => files[i] === undefined).map((name) => hands[name]);
  if (missing.length > 0) {
    const packages = missing.map((hand) => hand.package).join(' ');
    throw new Error(
      `no font ${missing.map(({ file }) => file).join(', ')} in ${folder}: \`apt-get install ${packages}\` (Debian, Ubuntu), ` +
        `or \`apt-get download ${packages}\`, unpack each with \`dpkg -x FILE.deb fonts\`, and name the folder fonts`,
    );
  }
  return names.map((name, i) => openHand(hands[name], files[i]!));
}

/** The font's file, at the first of the places where it is. */
async function readHand(file: string, folder: string): Promise<{ path: string; bytes: Uint8Array } | undefined> {
  const names = [...PLACES.map((place) => join(folder, place, file)), join(folder, file.split('/')[1]!)];
  for (const path of names) {
    try {
      return { path, bytes: await readFile(path) };
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw new Error(`cannot read ${path} (${code})`, { cause });
    }
  }
  return undefined;
}

function openHand(hand: HandFile, { path, bytes }: { readonly path: string; readonly bytes: Uint8Array }): HandFont {
  const reading = <T>(read: () => T): T => {
    try {
      return read();
    } catch (cause) {
      const remedy = `install ${hand.package} again`;
      throw new Error(`${path} is damaged, or another font (${(cause as Error).message}): ${remedy}`, { cause });
    }
  };
  const font = reading(() => readTrueType(bytes));
  const isWhole = (glyph: number): boolean => !font.isBlank(glyph) && font.advance(glyph) === font.unitsPerEm;
  return {
    has: (code) => reading(() => font.glyphs.has(code) && isWhole(font.glyphs.get(code)!)),
    draw: (code, size) => reading(() => emBox(font, font.glyphs.get(code)!, hand.top / 1024, size)),
    hash: hashOf(bytes),
  };
}

/** The picture of the em box, whose upper edge lies `top` ems above the baseline. */
function emBox(font: TrueTypeFont, glyph: number, top: number, size: number): Uint8Array {
  const placement = { scale: size / font.unitsPerEm, left: 0, top: top * size };
  return Uint8Array.from(rasterize(font.outline(glyph), size, placement), (ink) => Math.round(255 * ink));
}
