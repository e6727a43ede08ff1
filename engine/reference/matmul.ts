import { type matmulRows, matmulSizes } from '../ops/matmul.ts';
import type { LoopsOf } from './loop.ts';

export const matmul: LoopsOf<typeof matmulRows> = {
  matmul: ({ inputs: [a, b], inputShapes: [as, bs], outputs: [c], params }) => {
    const { batch, m, n, k, batchStrideA, batchStrideB, transposeA, transposeB } = matmulSizes(as, bs, params);
    for (let s = 0; s < batch; s++)
      for (let i = 0; i < m; i++)
        for (let l = 0; l < k; l++) {
          const left = a[s * batchStrideA + (transposeA ? l * m + i : i * k + l)]!;
          for (let j = 0; j < n; j++) {
            c[(s * m + i) * n + j]! += left * b[s * batchStrideB + (transposeB ? j * k + l : l * n + j)]!;
          }
        }
  },
};
