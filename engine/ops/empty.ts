import { fill as fillPlan } from '../../kernels/copy.ts';
import type { Plan } from '../../kernels/kernel.ts';
import { type Shape, sizeOf } from '../tensor/shape.ts';

/** The plan of a product, where there is anything to multiply; a sum over nothing is 0. */
export const unlessEmpty = ([a, b]: readonly Shape[], [y]: readonly Shape[], plan: () => Plan): Plan =>
  sizeOf(a!) > 0 && sizeOf(b!) > 0 ? plan() : fillPlan(sizeOf(y!), 0, 2);
