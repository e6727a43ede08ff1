import type { choleskyRows } from '../ops/cholesky.ts';
import type { LoopsOf } from './loop.ts';

export const cholesky: LoopsOf<typeof choleskyRows> = {
  cholesky: ({ inputs: [a], inputShapes: [s], outputs: [y] }) => {
    const n = s[s.length - 1]!;
    for (let base = 0; base < a.length; base += n * n)
      for (let r = 0; r < n; r++)
        for (let c = 0; c <= r; c++) {
          let sum = a[base + r * n + c]!;
          for (let k = 0; k < c; k++) sum -= y![base + r * n + k]! * y![base + c * n + k]!;
          y![base + r * n + c] = c < r ? sum / y![base + c * n + c]! : sum > 0 ? Math.sqrt(sum) : Number.NaN;
        }
  },
  trilInverse: ({ inputs: [l], inputShapes: [s], outputs: [y] }) => {
    const n = s[s.length - 1]!;
    for (let base = 0; base < l.length; base += n * n)
      for (let c = 0; c < n; c++)
        for (let r = c; r < n; r++) {
          let sum = r === c ? 1 : 0;
          for (let k = c; k < r; k++) sum -= l[base + r * n + k]! * y![base + k * n + c]!;
          y![base + r * n + c] = sum / l[base + r * n + r]!;
        }
  },
};
