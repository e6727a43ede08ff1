import type { Tensor } from '../../engine/index.ts';
import { calls } from '../../engine/internal.ts';

const oneTensor = [calls.aTensor('x')] as const;

/**
 * Checks what the `forward` of layers that take one tensor is given, under the name of the layer: a list in place of a tensor, and an
 * argument more, which would be dropped in silence.
 */
export function guardForward(...layers: readonly { readonly prototype: { forward(x: Tensor): unknown } }[]): void {
  for (const { prototype } of layers) {
    const { value, ...rest } = Object.getOwnPropertyDescriptor(prototype, 'forward')!;
    const own = value as (x: Tensor) => unknown;
    const forward = function (this: object, ...inputs: [Tensor]): unknown {
      calls.checkArguments(this.constructor.name.replace(/^_/, ''), oneTensor, inputs);
      return own.apply(this, inputs);
    };
    Object.defineProperty(prototype, 'forward', { ...rest, value: forward });
  }
}
