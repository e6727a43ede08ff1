/** The figures of lessons by name. */
import { jsDivergence, klDivergence } from '../../gan/transport/divergences.ts';
import { transport1d, wasserstein1d } from '../../gan/transport/wasserstein1d.ts';
import { block, type Figure, HEIGHT, path, picture, upTo, WIDTH, words } from './draw.ts';
import { PILES, WALL } from './earth.ts';

const BASE = HEIGHT - 30;
const normal = (x: number, mean: number): number => Math.exp(-((x - mean) ** 2) / 2) / Math.sqrt(2 * Math.PI);
const CELLS = 400;
const places = upTo(CELLS).map((i) => -5 + (10 * i) / CELLS);

/** Two normal densities and the best discriminator between them. */
const densities: Figure = {
  title: 'shift of the generated density',
  least: 0,
  most: 4,
  step: 0.1,
  usual: 2,
  draw: (shift) => {
    const [real, made] = [-shift / 2, shift / 2].map((mean) => places.map((x) => normal(x, mean))) as [
      number[],
      number[],
    ];
    const curve = (ys: readonly number[], scale: number, colour: string): string =>
      path(
        ys.map((y, i) => [(i / CELLS) * WIDTH, BASE - y * scale] as const),
        colour,
      );
    const best = real.map((p, i) => p / (p + made[i]!));
    const share = (ys: readonly number[]): number[] => {
      const sum = ys.reduce((a, b) => a + b);
      return ys.map((y) => y / sum);
    };
    const jsd = jsDivergence(share(real), share(made));
    return {
      svg: picture([
        curve(real, 350, 'real'),
        curve(made, 350, 'fake'),
        curve(best, 150, 'critic'),
        words(8, 18, 'D* (violet) from 0 to 1'),
      ]),
      says: `JSD = ${jsd.toFixed(4)}, V(D*, G) = 2 JSD - log 4 = ${(2 * jsd - Math.log(4)).toFixed(4)}`,
    };
  },
};

/** What the two losses of the generator make of a discriminator's answer. */
const losses: Figure = {
  title: 'logit of D(G(z))',
  least: -7,
  most: 7,
  step: 0.1,
  usual: -4,
  draw: (logit) => {
    const d = 1 / (1 + Math.exp(-logit));
    const logits = upTo(140).map((i) => -7 + i / 10);
    const at = (f: number): number => ((f + 7) / 14) * WIDTH;
    const sigma = (f: number): number => 1 / (1 + Math.exp(-f));
    return {
      svg: picture([
        path(
          logits.map((f) => [at(f), BASE - 150 * sigma(f)] as const),
          'fake',
        ),
        path(
          logits.map((f) => [at(f), BASE - 150 * (1 - sigma(f))] as const),
          'real',
        ),
        path(
          [
            [at(logit), 10],
            [at(logit), BASE],
          ],
          'edge',
        ),
        words(8, HEIGHT - 8, 'size of the slope by the logit: orange log(1 - D), blue -log D'),
      ]),
      says: `D = ${d.toPrecision(3)}: log(1 - D) gives a slope of size ${d.toPrecision(3)}, -log D one of ${(1 - d).toPrecision(3)}`,
    };
  },
};

/** Two parallel segments, so far apart, and four distances between them. */
const segments: Figure = {
  title: 'θ',
  least: -1,
  most: 1,
  step: 0.05,
  usual: 0.5,
  draw: (theta) => {
    const apart = theta !== 0;
    const [p, q] = apart
      ? [
          [1, 0],
          [0, 1],
        ]
      : [
          [1, 0],
          [1, 0],
        ];
    const x = (at: number): number => WIDTH / 2 + at * 250;
    const infinite = (v: number): string => (v === Infinity ? '∞' : v.toFixed(4));
    return {
      svg: picture([
        path(
          [
            [x(0), 15],
            [x(0), BASE],
          ],
          'real',
        ),
        path(
          [
            [x(theta), 15],
            [x(theta), BASE],
          ],
          'fake',
        ),
        words(8, HEIGHT - 8, 'blue at 0, orange at θ'),
      ]),
      says: `KL = ${infinite(klDivergence(p!, q!))}, reverse KL = ${infinite(klDivergence(q!, p!))}, JSD = ${jsDivergence(p!, q!).toFixed(4)}, W₁ = ${wasserstein1d([0], [theta]).toFixed(4)}`,
    };
  },
};

/** Earth carried from the piles of the lecture to its wall, part of the way, and the potential above it. */
const earth: Figure = {
  title: 'how far it has been carried',
  least: 0,
  most: 1,
  step: 0.05,
  usual: 0,
  draw: (part) => {
    const { plan, distance, potential } = transport1d(PILES, WALL);
    const x = (at: number): number => (at / 11) * WIDTH;
    const moved = plan.map(({ mass, from, to }) => {
      const [left, right] = [0, 1].map((end) => from[end]! + part * (to[end]! - from[end]!)) as [number, number];
      const height = (120 * mass) / (right - left);
      return block(x(left), BASE - height, x(right) - x(left), height, 'fill-fake');
    });
    const f = [...potential.knots].map((knot, i) => [x(knot), 70 - 12 * potential.values[i]!] as const);
    const ways = plan.map(({ mass, from, to }) => `${mass} × ${Math.abs((from[0] + from[1] - to[0] - to[1]) / 2)}`);
    return {
      svg: picture([
        block(x(5), BASE - 60, x(7) - x(5), 60, 'edge'),
        ...moved,
        path(f, 'critic'),
        words(8, HEIGHT - 8, 'orange: the earth; outline: where it is wanted; violet: potential f'),
      ]),
      says: `${part === 0 ? `Blocks and ways: ${ways.join(', ')}.` : `Work done so far: ${(part * distance).toFixed(3)}.`} The slope of f is at most 1.`,
    };
  },
};

/** Quality and coverage of a generator that makes the first of two equal modes so often. */
const coverage: Figure = {
  title: 'share of the first mode among what is made',
  least: 0,
  most: 1,
  step: 0.05,
  usual: 0.5,
  draw: (share) => {
    const [p, q] = [
      [0.5, 0.5],
      [share, 1 - share],
    ];
    const m = p.map((value, i) => (value + q[i]!) / 2);
    const bars = [...p, ...q].map((value, i) =>
      block(
        40 + 130 * (i % 2) + (i > 1 ? 50 : 0),
        BASE - 160 * value,
        45,
        160 * value,
        i > 1 ? 'fill-fake' : 'fill-real',
      ),
    );
    const terms = [klDivergence(q, m), klDivergence(p, m)] as const;
    const areas = terms.map((term, i) => block(360, 60 + 60 * i, 700 * term, 34, 'fill-critic'));
    return {
      svg: picture([
        ...bars,
        ...areas,
        words(360, 52, 'quality, KL(q || m)'),
        words(360, 112, 'coverage, KL(p || m)'),
        words(8, HEIGHT - 8, 'blue: data; orange: made'),
      ]),
      says:
        share === 0 || share === 1
          ? 'One mode is lost: compute the two terms, then hand them in below.'
          : `quality ${terms[0].toFixed(4)}, coverage ${terms[1].toFixed(4)}, JSD ${jsDivergence(p, q).toFixed(4)}`,
    };
  },
};

/** All of them. */
export const figures: Readonly<Record<string, Figure>> = { densities, losses, segments, earth, coverage };
