import { setImmediate } from 'node:timers/promises';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { hashOf } from './decodeImages.node.ts';
import { type GlyphHand, type HandFont, hands, openHands } from './glyphFonts.node.ts';
import type { PairSamples, PairSet } from './pairSet.ts';
import type { SampleSet, Samples } from './sampleSet.ts';

export type { GlyphHand } from './glyphFonts.node.ts';

/** Options of {@link glyphs}. */
export interface GlyphOptions {
  /** The hand that the characters are written in: 'ming', 'hei' or 'kai'. Default 'ming'. */
  readonly hand?: GlyphHand;
  /** Where the Debian packages are unpacked with `dpkg -x`, or where the fonts lie; unless given, where the packages put them. */
  readonly folder?: string;
  /** Pixels along each side, 8 to 256. Default 32. */
  readonly size?: number;
  /** Characters to learn from. Default 4,000. */
  readonly trainSize?: number;
  /** Held-out characters. Default 400. */
  readonly testSize?: number;
  /** Called now and then with how many pictures are drawn and how many there are. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Options of {@link glyphPairs}. */
export interface GlyphPairsOptions extends Omit<GlyphOptions, 'hand'> {
  /** The hand of domain x and that of domain y, two different ones. Default ['ming', 'hei']. */
  readonly hands?: readonly [x: GlyphHand, y: GlyphHand];
  /**
   * Whether the characters to learn from are dealt out: the first half of them is seen in hand x alone, the other half in hand y alone, so that
   * no character is in both. Default false: all of them are in both hands, in the same order.
   */
  readonly unpaired?: boolean;
}

const COMMON = ['folder', 'size', 'trainSize', 'testSize', 'onProgress'] as const;
/** The names of {@link GlyphOptions}. */
export const glyphOptions = ['hand', ...COMMON] as const;
/** The names of {@link GlyphPairsOptions}. */
export const glyphPairsOptions = ['hands', 'unpaired', ...COMMON] as const;

/** Pictures of characters. */
export interface Glyphs extends Samples {
  /** Grey levels 0 (paper) to 255 (ink), [count, size, size, 1]. */
  readonly data: Uint8Array;
  /** Which character each of them is. */
  readonly characters: readonly string[];
}

/** Chinese characters in two hands. */
export interface GlyphPairs extends PairSet {
  /** The hand of x and that of y. */
  readonly domains: readonly [x: GlyphHand, y: GlyphHand];
  /** What is learnt from: the same characters in both hands, or, if they are unpaired, none that is in both. */
  readonly train: PairSamples<Glyphs>;
  /** The same held-out characters in both hands, in the same order: y is what a translation of x should be. */
  readonly test: PairSamples<Glyphs>;
  /** Sixteen hex digits made of the fonts and of which characters are where. */
  readonly fingerprint: string;
}

/** The block of the common Chinese characters, CJK Unified Ideographs. */
const [FIRST, LAST] = [0x4e00, 0x9fff];

/**
 * Chinese characters in one hand: pictures [size, size, 1] of their em boxes, ink 255 on paper 0, without classes. Which are learnt from and
 * which are held out is decided by a hash of the character: always the same ones, from all over the block of 20,992.
 * @throws Error with the command that gets the font, if it is missing; RangeError for an option out of range, or more characters than there are
 * @example
 * const set = await glyphs({ hand: 'kai', size: 64 });
 */
export async function glyphs(options: GlyphOptions = {}): Promise<SampleSet> {
  const { hand = 'ming', ...common } = checked('glyphs', options, glyphOptions);
  checkRange('glyphs', 'hand', ranges.oneOf(Object.keys(hands)), hand);
  const plan = await planned('glyphs', [hand], common);
  const [draw, total] = [drawer(plan), plan.train.length + plan.test.length];
  return {
    name: 'glyphs',
    title: `Chinese characters (${hands[hand].title})`,
    kind: 'images',
    shape: [plan.size, plan.size, 1],
    train: await draw(0, plan.train, total),
    test: await draw(0, plan.test, total),
    fingerprint: plan.fingerprint([plan.train, plan.test]),
  };
}

/**
 * Chinese characters in two hands, for translation from one to the other with a known answer. Only characters that both fonts have are in
 * it, and each is drawn by its em box, the square that it is designed in, so that the pictures of a character lie on each other. Which
 * characters are held out is decided by a hash, as in {@link glyphs}. {@link glyphDomain} gives either hand as a data set.
 * @throws Error with the command that gets the fonts, if some are missing; RangeError for an option out of range, one hand twice, or more
 * characters than there are
 * @example
 * const pairs = await glyphPairs({ hands: ['ming', 'hei'], unpaired: true });
 * const x = new DataLoader(trainingData(glyphDomain(pairs, 'x')), { batchSize: 8, shuffle: true });
 * const truth = metricSamples(pairs.test.y, pairs.shape); // [400, 32, 32, 1], from -1 (paper) to 1 (ink)
 */
export async function glyphPairs(options: GlyphPairsOptions = {}): Promise<GlyphPairs> {
  const op = 'glyphPairs';
  const { hands: pair = ['ming', 'hei'], unpaired = false, ...common } = checked(op, options, glyphPairsOptions);
  const names = Object.keys(hands);
  const isPair = Array.isArray(pair) && pair.length === 2 && pair.every((hand) => names.includes(hand));
  const says = `two different ones of ${names.join(', ')}, such as ['ming', 'hei']`;
  checkRange(op, 'hands', { holds: () => isPair && pair[0] !== pair[1], says }, pair);
  checkRange(op, 'unpaired', ranges.flag, unpaired);
  const plan = await planned(op, pair, common);
  const half = Math.floor(plan.train.length / 2);
  if (unpaired && half < 1)
    throw new RangeError(`${op}: trainSize ${plan.train.length} leaves a hand without a character`);
  const dealt = unpaired ? [plan.train.slice(0, half), plan.train.slice(half, 2 * half)] : [plan.train, plan.train];
  const [learntX, learntY] = dealt as [number[], number[]];
  const [draw, total] = [drawer(plan), learntX.length + learntY.length + 2 * plan.test.length];
  const both = async (x: readonly number[], y: readonly number[]): Promise<PairSamples<Glyphs>> => {
    return { count: x.length, x: await draw(0, x, total), y: await draw(1, y, total) };
  };
  return {
    name: 'glyph-pairs',
    title: `Chinese characters (${pair.map((hand) => hands[hand].title).join(' and ')})`,
    kind: 'pairs',
    domains: pair,
    paired: !unpaired,
    shape: [plan.size, plan.size, 1],
    train: await both(learntX, learntY),
    test: await both(plan.test, plan.test),
    fingerprint: plan.fingerprint([learntX, learntY, plan.test]),
  };
}

/** One hand of two as a data set, for loaders, pictures and metrics: 'x' for the first hand, 'y' for the second. */
export function glyphDomain(pairs: GlyphPairs, domain: 'x' | 'y'): SampleSet {
  checkRange('glyphDomain', 'domain', ranges.oneOf(['x', 'y']), domain);
  const { domains, shape, train, test, fingerprint } = pairs;
  const title = `Chinese characters (${hands[domains[domain === 'x' ? 0 : 1]].title})`;
  return { name: 'glyphs', title, kind: 'images', shape, train: train[domain], test: test[domain], fingerprint };
}

/** Which characters are drawn, of which fonts, and how. */
interface Plan {
  readonly fonts: readonly HandFont[];
  readonly size: number;
  /** Code points to learn from. */
  readonly train: readonly number[];
  /** Held-out code points. */
  readonly test: readonly number[];
  readonly onProgress: (done: number, total: number) => void;
  /** Hex digits made of the fonts and of lists of code points. */
  readonly fingerprint: (parts: readonly (readonly number[])[]) => string;
}

/** Opens the fonts and chooses the characters: held out are the first in the order of their hashes. */
async function planned(op: string, names: readonly GlyphHand[], options: Omit<GlyphOptions, 'hand'>): Promise<Plan> {
  const { folder, size = 32, trainSize = 4000, testSize = 400, onProgress = () => {} } = options;
  checkRange(op, 'size', ranges.whole(8, 256), size);
  checkRange(op, 'trainSize', ranges.count, trainSize);
  checkRange(op, 'testSize', ranges.count, testSize);
  const fonts = await openHands(names, folder);
  const block = Array.from({ length: LAST - FIRST + 1 }, (_, i) => FIRST + i);
  const there = block.filter((code) => fonts.every((font) => font.has(code)));
  if (trainSize + testSize > there.length) {
    throw new RangeError(
      `${op}: trainSize ${trainSize} and testSize ${testSize} are more characters than the ${there.length} that there are in ${names.join(' and ')}`,
    );
  }
  const hashes = new Map(there.map((code) => [code, hashOf(String(code))]));
  const order = there.sort((a, b) => (hashes.get(a)! < hashes.get(b)! ? -1 : 1));
  return {
    ...{ fonts, size, onProgress },
    train: order.slice(testSize, testSize + trainSize),
    test: order.slice(0, testSize),
    fingerprint: (parts) => hashOf(JSON.stringify([fonts.map(({ hash }) => hash), parts])),
  };
}

/** Pictures between two looks at what else there is to do. */
const AT_ONCE = 64;

/** A function that draws characters in the hand of that number, and counts all that it has drawn. */
function drawer({ fonts, size, onProgress }: Plan) {
  let done = 0;
  return async (hand: number, codes: readonly number[], total: number): Promise<Glyphs> => {
    const data = new Uint8Array(codes.length * size * size);
    for (const [i, code] of codes.entries()) {
      data.set(fonts[hand]!.draw(code, size), i * size * size);
      if (++done % AT_ONCE !== 0 && done !== total) continue;
      onProgress(done, total);
      await setImmediate();
    }
    return { count: codes.length, data, characters: codes.map((code) => String.fromCodePoint(code)) };
  };
}
