import type { optimRows } from '../ops/optim.ts';
import type { LoopsOf } from './loop.ts';

export const optim: LoopsOf<typeof optimRows> = {
  adam: ({ inputs: [p, m, v, ...gs], params: o }) => {
    const rate = o.lr / (1 - o.beta1 ** o.step);
    const scale = 1 / Math.sqrt(1 - o.beta2 ** o.step);
    gs.forEach((g, k) => {
      for (let i = 0; i < o.lengths[k]!; i++) {
        const at = o.offsets[k]! + i;
        const slope = g[i]! + o.l2 * p![at]!;
        m![at] = o.beta1 * m![at]! + (1 - o.beta1) * slope;
        v![at] = o.beta2 * v![at]! + (1 - o.beta2) * slope * slope;
        p![at] = p![at]! * (1 - o.lr * o.weightDecay) - (rate * m![at]!) / (Math.sqrt(v![at]!) * scale + o.eps);
      }
    });
  },
  ema: ({ inputs: [average, p], params: { decay } }) => {
    for (let i = 0; i < average!.length; i++) average![i] = decay * average![i]! + (1 - decay) * p![i]!;
  },
  runningStats: ({ inputs: [mean, variance, stats], params: { momentum, eps, n } }) => {
    const channels = mean!.length;
    for (let c = 0; c < channels; c++) {
      const batch = Math.max(1 / stats![channels + c]! ** 2 - eps, 0) * (n / (n - 1));
      mean![c]! += momentum * (stats![c]! - mean![c]!);
      variance![c]! += momentum * (batch - variance![c]!);
    }
  },
  copyFrom: ({ inputs: [x, source] }) => {
    x!.set(source!);
  },
};
