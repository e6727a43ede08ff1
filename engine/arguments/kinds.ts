/** Kinds of arguments that are tensors, or speak of them. @module */

import { refusePromise } from '../errors.ts';
import { Tensor } from '../tensor/tensor.ts';
import { type Kind, kind } from './arguments.ts';
import { shown } from './options.ts';

const isTensor = (v: unknown): v is Tensor => v instanceof Tensor;

/** A tensor. */
export const aTensor = (name: string): Kind<Tensor> => ({
  ...kind<Tensor>(name, 'a tensor', isTensor),
  refuse: (called, value) => {
    const remedy =
      typeof value === 'number' || Array.isArray(value) || ArrayBuffer.isView(value)
        ? '; make one of it with tensor(...)'
        : '';
    throw new TypeError(`${called}: ${name} must be a tensor, not ${shown(value)}${remedy}`);
  },
});

/** A tensor, or a number that stands for a scalar. */
export const tensorLike = (name: string): Kind<Tensor | number> =>
  kind(name, 'a tensor or a number', (v) => typeof v === 'number' || isTensor(v));

/** A list of tensors. */
export const tensors = (name = 'the tensors'): Kind<readonly Tensor[]> => ({
  ...kind<readonly Tensor[]>(name, 'a list such as [a, b]', (v) => Array.isArray(v) && v.every(isTensor)),
  refuse: (called, value) => {
    const odd = Array.isArray(value) ? value.findIndex((v) => !isTensor(v)) : -1;
    const what = odd < 0 ? `${name} must be a list such as [a, b]` : `number ${odd} of ${name} must be a tensor`;
    throw new TypeError(`${called}: ${what}, not ${shown(odd < 0 ? value : (value as unknown[])[odd])}`);
  },
});

/** A tensor or a list of them. */
export const tensorOrList = (name: string): Kind<Tensor | readonly Tensor[]> =>
  kind(name, 'a tensor or a list of tensors', (v) => isTensor(v) || (Array.isArray(v) && v.every(isTensor)));

/** A list of tensors, where a single one is an easy slip: its place in the call is shown, as in `grad(y, [x])`. */
export const tensorsAsIn = (name: string, example: string): Kind<readonly Tensor[]> => ({
  ...tensors(name),
  refuse: (called, value, args, place) => {
    if (Array.isArray(value)) tensors(name).refuse(called, value, args, place);
    throw new TypeError(
      `${called}: the ${name} must be a list of tensors, as in ${called}(${example}), not ${shown(value)}`,
    );
  },
});

/** What a function of the user returned, if it is a tensor. @throws TypeError that names the function it was given to */
export function returned(called: string, y: unknown): Tensor {
  if (isTensor(y)) return y;
  refusePromise(called, y);
  const remedy = typeof y === 'number' ? ' compute with tensors, and read numbers afterwards' : ' end it with return';
  throw new TypeError(`${called}: the function must return a tensor, not ${shown(y)};${remedy}`);
}

/** The same, for a function that may return a list of tensors too. */
export function returnedTensors<T extends Tensor | readonly Tensor[]>(called: string, ys: T): T {
  if (Array.isArray(ys)) for (const y of ys) returned(called, y);
  else returned(called, ys);
  return ys;
}

/** The range of an option that is a list of tensors. */
export const tensorListRange = {
  holds: (v: unknown): boolean => Array.isArray(v) && v.every(isTensor),
  says: 'a list of tensors',
};

/** The range of an option that is a tensor. */
export const tensorRange = { holds: isTensor, says: 'a tensor' };

/** The range of an option that is a tensor or a number. */
export const likeRange = {
  holds: (v: unknown): boolean => typeof v === 'number' || isTensor(v),
  says: 'a tensor or a number',
};
