import type { shapesRows } from '../ops/shapes.ts';
import type { Loop, LoopsOf } from './loop.ts';

const triangle =
  (keep: (distance: number, k: number) => boolean): Loop<{ readonly k: number }> =>
  ({ inputs: [x], inputShapes: [xs], outputs: [y], params: { k } }) => {
    const [m, n] = xs!.slice(-2) as [number, number];
    for (let i = 0; i < y!.length; i++) y![i] = keep((i % n) - (Math.floor(i / n) % m), k) ? x![i]! : 0;
  };

export const shapes: LoopsOf<typeof shapesRows> = {
  tril: triangle((distance, k) => distance <= k),
  triu: triangle((distance, k) => distance >= k),
};
