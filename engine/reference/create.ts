import { fillNormal, fillUniform } from '../../kernels/random/random.ts';
import type { createRows } from '../ops/create.ts';
import type { LoopsOf } from './loop.ts';

export const create: LoopsOf<typeof createRows> = {
  fill: ({ outputs: [y], params: { value } }) => {
    y!.fill(value);
  },
  uniform: ({ outputs: [y], params }) => fillUniform(y!, params),
  normal: ({ outputs: [y], params }) => fillNormal(y!, params),
};
