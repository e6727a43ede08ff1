/**
 * The numbers that lessons ask for, each computed by the library: the build puts them into the pages, and a test holds those that
 * a lecture prints to what it prints.
 * @module
 */
import { conv2d, convTranspose2d, grad, logSigmoid, type Tensor, tensor } from '../../engine/index.ts';
import { jsDivergence, klDivergence, transport1d, wasserstein1d } from '../../gan/index.ts';
import { lecture } from '../convolution/lecture.ts';
import { PILES, WALL } from '../figures/earth.ts';

const read = async (x: Tensor): Promise<readonly number[]> => [...(await x.data())].map(Number);
const kernel = (): Tensor => tensor(lecture.u, { shape: [3, 3, 1, 1] });
const image = (options: { requiresGrad?: boolean } = {}): Tensor =>
  tensor(lecture.x, { shape: [1, 4, 4, 1], ...options });

/** The slope of a loss of one logit, at the logit where D is so much. */
async function slopeAt(d: number, loss: (logit: Tensor) => Tensor): Promise<number> {
  const logit = tensor([Math.log(d / (1 - d))], { requiresGrad: true });
  const [slope] = grad(loss(logit).sum(), [logit]);
  return Math.abs((await read(slope!))[0]!);
}

/** First or second derivative of x·x·x at 1, 2, 3. */
async function cube(order: 1 | 2): Promise<readonly number[]> {
  const x = tensor([1, 2, 3], { requiresGrad: true });
  const [first] = grad(x.mul(x).mul(x).sum(), [x], { createGraph: true });
  if (order === 1) return read(first!);
  const [second] = grad(first!.sum(), [x]);
  return read(second!);
}

/** The derivative by w of (|f'| - 1)², f(x) = w x: a derivative of a derivative. */
async function penaltySlope(w: number): Promise<number> {
  const weight = tensor([w], { requiresGrad: true });
  const x = tensor([0.5], { requiresGrad: true });
  const [slope] = grad(weight.mul(x).sum(), [x], { createGraph: true });
  const [by] = grad(slope!.abs().sub(1).square().sum(), [weight]);
  return (await read(by!))[0]!;
}

/** Two modes that are equally likely, and a generator that makes the first alone. */
const both = [0.5, 0.5];
const one = [1, 0];
const mean = [0.75, 0.25];

/** What a number is, and what is said to one who hands it in. */
export interface Answer {
  /** Computes it on the default device. */
  readonly value: () => Promise<number | readonly number[]> | number | readonly number[];
  /** How far from it a number may lie. */
  readonly tolerance: number;
  /** Why it is right. */
  readonly right: string;
  /** Where to look when it is wrong, without the number. */
  readonly wrong: string;
}

/** All answers by their names in the lessons. */
export const answers: Readonly<Record<string, Answer>> = {
  equal: {
    value: () => 2 * jsDivergence(both, both) - Math.log(4),
    tolerance: 0.001,
    right: 'D is one half everywhere, so each of the two means is log ½.',
    wrong: 'Put D = ½ into both terms of V, add them, and mind the sign of the logarithm of a number below 1.',
  },
  saturating: {
    value: () => slopeAt(0.001, (f) => logSigmoid(f.neg())),
    tolerance: 0.0001,
    right: 'The slope of log(1 - D) by the logit is -D: where D is sure, hardly anything arrives.',
    wrong: 'With D = σ(f) the derivative of log(1 - D) by f is short. Give its size, without the sign.',
  },
  nonSaturating: {
    value: () => slopeAt(0.001, (f) => logSigmoid(f).neg()),
    tolerance: 0.0001,
    right: 'The slope of -log D by the logit is -(1 - D): it is largest where D is sure.',
    wrong: 'The derivative of -log σ(f) by f, its size, where σ(f) = 0.001.',
  },
  disjoint: {
    value: () => jsDivergence([1, 0], [0, 1]),
    tolerance: 0.001,
    right: 'It is log 2 for every shift that is not 0: the JSD does not know how far.',
    wrong: 'Where one of p and q is 0, their mean is half of the other. Logarithms here are natural.',
  },
  far: {
    value: () => wasserstein1d([0], [0.7]),
    tolerance: 0.001,
    right: 'Each point goes straight across, and W₁ is how far.',
    wrong: 'How far does each point of one segment have to go to the other, if θ = 0.7?',
  },
  dropped: {
    value: () => jsDivergence(both, one),
    tolerance: 0.0005,
    right: 'It lies between 0 and log 2: half of the mass is where it should be.',
    wrong: 'p = (½, ½), q = (1, 0), m = (¾, ¼). Take half of KL(p || m) + KL(q || m).',
  },
  earth: {
    value: () => wasserstein1d(PILES, WALL),
    tolerance: 0.001,
    right: 'No plan is cheaper: the potential f earns as much.',
    wrong: 'Multiply each block by the way it goes and add. The blocks go in order, without passing one another.',
  },
  earthDual: {
    value: () => {
      const { potential } = transport1d(PILES, WALL);
      return meanOf(potential.at, PILES) - meanOf(potential.at, WALL);
    },
    tolerance: 0.001,
    right: 'Plan and potential meet, which proves that both are the best.',
    wrong: 'Add up f times mass over p, and take away the same over q. Two minus signs stand beside each other.',
  },
  convolution: {
    value: () => read(conv2d(image(), kernel())),
    tolerance: 0.001,
    right: 'Each is one row of U times the flattened image.',
    wrong: 'Four numbers, row by row: lay the kernel on the image, multiply and add, then move by one.',
  },
  transposed: {
    value: () => read(convTranspose2d(tensor(lecture.z, { shape: [1, 2, 2, 1] }), kernel())),
    tolerance: 0.001,
    right: 'Each of the four numbers lays its multiple of the kernel on the larger image.',
    wrong: 'Sixteen numbers, row by row: column j of U times the four numbers.',
  },
  cube: {
    value: () => cube(1),
    tolerance: 0.001,
    right: 'x arrives in three ways, and each brings x².',
    wrong: 'Three numbers, the derivative of x³ at 1, 2 and 3.',
  },
  cubeTwice: {
    value: () => cube(2),
    tolerance: 0.001,
    right: 'backward has left operations on the tape, which were differentiated in turn.',
    wrong: 'Differentiate once more what the first pass gave.',
  },
  penalty: {
    value: () => penaltySlope(3),
    tolerance: 0.001,
    right: 'The slope of f is w itself, and the penalty is differentiated through it.',
    wrong: 'The slope of w·x by x is w. Differentiate (w - 1)² by w, and put in 3.',
  },
  quality: {
    value: () => klDivergence(one, mean),
    tolerance: 0.0005,
    right: 'All that is made lies on a real mode, and yet the term is not 0: the mode is too heavy.',
    wrong: 'q = (1, 0) against m = (¾, ¼): one term is left.',
  },
  coverage: {
    value: () => klDivergence(both, mean),
    tolerance: 0.0005,
    right: 'This is what the lost mode costs.',
    wrong: 'p = (½, ½) against m = (¾, ¼): two terms of different sign.',
  },
};

/** The mean of a function over a density that is constant in each bin, by its middle: exact where f is straight in the bin's halves. */
function meanOf(
  f: (x: number) => number,
  { edges, masses }: { readonly edges: readonly number[]; readonly masses: readonly number[] },
): number {
  let total = 0;
  for (const [i, mass] of masses.entries()) {
    const [a, b] = [edges[i]!, edges[i + 1]!];
    total += (mass * (f(a + (b - a) / 4) + f(b - (b - a) / 4))) / 2;
  }
  return total;
}
