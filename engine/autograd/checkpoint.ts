import { aFunction, guarded } from '../arguments/arguments.ts';
import { returned } from '../arguments/kinds.ts';
import { reshape } from '../ops/movement.ts';
import { recordDraws, replayDraws } from '../rng.ts';
import { scope } from '../tensor/scope.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { apply, observe } from './apply.ts';
import { pull } from './grad.ts';
import { enableGrad, isRecording, noGrad, upcomingNodeId } from './node.ts';
import type { Row } from './row.ts';

/**
 * A function that keeps none of the values inside `fn` for the backward pass, and computes them again there: memory for
 * time (Chen et al. 2016, "Training deep nets with sublinear memory cost"). Parameters that `fn` uses without being given
 * them receive their gradients too, and random numbers from an Rng are drawn again as they were.
 * @param fn deterministic but for Rngs; must not be async
 * @returns a function with the same result and derivatives of every order as `fn`
 * @example
 * const block = checkpoint((x) => model.forward(x));
 * @function
 */
export const checkpoint = guarded(
  'checkpoint',
  [aFunction('fn')],
  (fn: (...inputs: Tensor[]) => Tensor): ((...inputs: Tensor[]) => Tensor) => {
    return (...xs) => {
      if (!isRecording()) return returned('checkpoint', fn(...xs));
      const captured = new Set<Tensor>();
      const note = (_: string, inputs: readonly Tensor[]) => {
        for (const t of inputs) if (t.requiresGrad && !xs.includes(t)) captured.add(t);
      };
      const [y, draws] = recordDraws(() =>
        noGrad(() => scope(() => observe(note, () => returned('checkpoint', fn(...xs))))),
      );
      const row: Row<undefined> = {
        name: 'checkpoint',
        shape: () => [],
        composite: () => [y],
        vjp: (g, { needs }) =>
          g && rerun((...inputs) => replayDraws(draws, () => fn(...inputs)), xs, [...captured], g, needs),
      };
      return apply(row, [...xs, ...captured], undefined)[0]!;
    };
  },
);

/** The cotangents of inputs and captured tensors, from a second run. */
function rerun(
  again: (...inputs: Tensor[]) => Tensor,
  xs: readonly Tensor[],
  captured: readonly Tensor[],
  g: Tensor,
  needs: readonly boolean[],
): (Tensor | null)[] {
  const createGraph = isRecording();
  return enableGrad(() => {
    const aliases = xs.map((x) => (x.requiresGrad ? reshape(x, x.shape) : x));
    // Ops from before the second run belong to the graph outside, which takes over from here.
    const since = upcomingNodeId();
    const y = again(...aliases);
    const targets = [...aliases, ...captured];
    const wanted = targets.filter((t, i) => needs[i] && t.requiresGrad);
    const found = pull([y], wanted, { gradOutputs: [g], createGraph }, since);
    return targets.map((t) => found[wanted.indexOf(t)] ?? null);
  });
}
