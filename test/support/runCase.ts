import type { Device } from '../../engine/device.ts';
import { grad, scope, type Tensor, tensor } from '../../engine/index.ts';
import { type Case, elementsOf } from './builders.ts';
import { on } from './devices.ts';
import { valuesFor } from './values.ts';

export const listOf = (y: Tensor | readonly Tensor[]): readonly Tensor[] => ('shape' in y ? [y] : y);

/** A case's inputs as leaves on the current device. */
export const leavesOf = (c: Case): Tensor[] =>
  c.inputs.map((input, i) =>
    tensor(valuesFor(input, i), { shape: input.shape, requiresGrad: true, label: `input ${i}` }),
  );

/** Cotangents for outputs: fixed, without symmetry. */
export const cotangentsFor = (ys: readonly Tensor[]): Tensor[] =>
  ys.map((y, k) => tensor(valuesFor({ shape: y.shape, from: -1, to: 1 }, 100 + k), { shape: y.shape }));

/** The outputs of a case, then its first gradients. Reads start at once and resolve later. */
export function runCase(device: Device, c: Case): Promise<ArrayLike<number>[]> {
  return on(device, () =>
    scope(() => {
      const xs = leavesOf(c);
      const ys = listOf(c.fn(...xs));
      const outputs = ys.map((y) => y.data());
      const differentiable = ys.filter((y) => y.requiresGrad && y.node);
      const gradients =
        differentiable.length > 0
          ? grad(differentiable, xs, { gradOutputs: cotangentsFor(differentiable), allowUnused: true })
          : [];
      return Promise.all([...outputs, ...gradients.map((g) => g.data())]);
    }),
  );
}

/** The two smallest cases with something to differentiate three times. */
export const thirdOrderCases = (list: readonly Case[]): readonly Case[] =>
  list
    .filter((c) => elementsOf(c) > 1 && elementsOf(c) <= 48 && c.orders !== 2)
    .sort((a, b) => elementsOf(a) - elementsOf(b))
    .slice(0, 2);

/**
 * The gradient of half the squares of a case's outputs, as a function: with the squares, linear and piecewise linear ops have
 * third derivatives too.
 */
export const gradientOfSquares =
  (c: Case) =>
  (...xs: Tensor[]): Tensor[] => {
    const ys = listOf(c.fn(...xs)).filter((y) => y.requiresGrad);
    const squares = ys.map((y, k) => y.square().mul(0.5 + k));
    return grad(squares, xs, { gradOutputs: cotangentsFor(squares), createGraph: true, allowUnused: true });
  };
