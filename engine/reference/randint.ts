import { fillRandint } from '../../kernels/randint.ts';
import type { randintRows } from '../ops/randint.ts';
import type { LoopsOf } from './loop.ts';

export const randint: LoopsOf<typeof randintRows> = {
  randint: ({ outputs: [y], params }) => fillRandint(y!, params),
};
