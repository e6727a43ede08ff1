import type { Slots } from '../../kernels/optimizer/optimizer.ts';
import type { AdamStep, LionStep, RmspropStep, SgdStep } from '../../kernels/optimizer/optimizerRules.ts';
import type { optimRows } from '../ops/optim.ts';
import type { Loop, LoopsOf, Numbers } from './loop.ts';

/** A loop over the elements of all parameters: `update` changes the arenas at `at`, given the gradient there. */
const overSlots =
  <P>(states: number, update: (arenas: readonly Numbers[], at: number, g: number, o: P) => void): Loop<Slots & P> =>
  ({ inputs, params }) => {
    const arenas = inputs.slice(0, 1 + states);
    inputs.slice(1 + states).forEach((g, k) => {
      for (let i = 0; i < params.lengths[k]!; i++) update(arenas, params.offsets[k]! + i, g[i]!, params);
    });
  };

const adam = overSlots<AdamStep>(2, ([p, m, v], at, g, o) => {
  const slope = g + o.l2 * p![at]!;
  m![at] = o.beta1 * m![at]! + (1 - o.beta1) * slope;
  v![at] = o.beta2 * v![at]! + (1 - o.beta2) * slope * slope;
  const root = Math.sqrt(v![at]) / Math.sqrt(1 - o.beta2 ** o.step);
  p![at] = p![at]! * (1 - o.lr * o.weightDecay) - ((o.lr / (1 - o.beta1 ** o.step)) * m![at]) / (root + o.eps);
});

const sgdMomentum = overSlots<SgdStep>(1, ([p, buffer], at, g, o) => {
  const slope = g + o.l2 * p![at]!;
  buffer![at] = o.step === 1 ? slope : o.momentum * buffer![at]! + (1 - o.dampening) * slope;
  p![at] = p![at]! - o.lr * (o.nesterov ? slope + o.momentum * buffer![at] : buffer![at]);
});

function rmsprop(centered: boolean, momentum: boolean): Loop<Slots & RmspropStep> {
  return overSlots<RmspropStep>(1 + Number(centered) + Number(momentum), ([p, square, ...more], at, g, o) => {
    const [mean, buffer] = centered ? more : [undefined, more[0]];
    const slope = g + o.l2 * p![at]!;
    square![at] = o.alpha * square![at]! + (1 - o.alpha) * slope * slope;
    let spread = square![at];
    if (mean) {
      mean[at] = o.alpha * mean[at]! + (1 - o.alpha) * slope;
      spread = Math.max(spread - mean[at] * mean[at], 0);
    }
    let along = slope / (Math.sqrt(spread) + o.eps);
    if (buffer) {
      buffer[at] = o.momentum * buffer[at]! + along;
      along = buffer[at];
    }
    p![at] = p![at]! - o.lr * along;
  });
}

const lion = overSlots<LionStep>(1, ([p, m], at, g, o) => {
  const along = Math.sign(o.beta1 * m![at]! + (1 - o.beta1) * g);
  m![at] = o.beta2 * m![at]! + (1 - o.beta2) * g;
  p![at] = p![at]! * (1 - o.lr * o.weightDecay) - o.lr * along;
});

export const optim: LoopsOf<typeof optimRows> = {
  sgd: overSlots(0, ([p], at, g, o) => {
    p![at] = p![at]! - o.lr * (g + o.l2 * p![at]!);
  }),
  sgdMomentum,
  adam,
  lion,
  rmsprop: rmsprop(false, false),
  rmspropMomentum: rmsprop(false, true),
  rmspropCentered: rmsprop(true, false),
  rmspropCenteredMomentum: rmsprop(true, true),
  adagrad: overSlots(1, ([p, sum], at, g, o) => {
    const slope = g + o.l2 * p![at]!;
    sum![at] = sum![at]! + slope * slope;
    p![at] = p![at]! - ((o.lr / (1 + (o.step - 1) * o.lrDecay)) * slope) / (Math.sqrt(sum![at]) + o.eps);
  }),
  ema: overSlots(0, ([average], at, x, { decay }) => {
    average![at] = average![at]! + (1 - decay) * (x - average![at]!); // as the kernel: NaN once it is infinite
  }),
  clampInPlace: ({ inputs: [x], params: { min, max } }) => {
    x.forEach((v, i) => {
      x[i] = Math.min(Math.max(v, min), max);
    });
  },
  runningStats: ({ inputs: [mean, variance, stats], params: { momentum, eps, n } }) => {
    const channels = mean.length;
    for (let c = 0; c < channels; c++) {
      const batch = Math.max(1 / stats[channels + c]! ** 2 - eps, 0) * (n / (n - 1));
      mean[c]! += momentum * (stats[c]! - mean[c]!);
      variance[c]! += momentum * (batch - variance[c]!);
    }
  },
  copyFrom: ({ inputs: [x, source] }) => {
    x.set(source);
  },
};
