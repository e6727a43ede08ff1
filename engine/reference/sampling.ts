import { fillTruncatedNormal } from '../../kernels/random/truncatedNormal.ts';
import type { samplingRows } from '../ops/sampling.ts';
import type { LoopsOf } from './loop.ts';

export const sampling: LoopsOf<typeof samplingRows> = {
  truncatedNormal: ({ outputs: [y], params }) => fillTruncatedNormal(y!, params),
  gumbelMax: ({ inputs: [logits, u], inputShapes: [s], outputs: [y] }) => {
    const classes = s[s.length - 1]!;
    for (let n = 0; n < y.length; n++) {
      let best = -3.4028234663852886e38; // as in the kernel
      y[n] = Number.NaN;
      for (let c = 0; c < classes; c++) {
        const w = u[n * classes + c]! * (1 - 2 ** -23) + 2 ** -24;
        const v = logits[n * classes + c]! - Math.log(-Math.log1p(-w));
        if (Number.isNaN(v)) {
          y[n] = v;
          break;
        }
        if (v > best) {
          best = v;
          y[n] = c;
        }
      }
    }
  },
};
