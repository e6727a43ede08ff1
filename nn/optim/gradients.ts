/** The gradients of a step, given or left in `.grad`, and which parameters one launch can move by them. */
import { GradError, ShapeError, Tensor } from '../../engine/index.ts';
import { decided, shown } from '../../engine/internal.ts';
import { Parameter } from '../module/parameter.ts';

/** The gradient of each parameter, or undefined where it has none. */
export type Gradients = readonly (Tensor | undefined)[];

/** The gradients that a step was given. @throws TypeError, Error or ShapeError unless there is one for each parameter, in its shape */
export function givenGradients(owner: string, parameters: readonly Parameter[], gradients: unknown): Gradients {
  if (!Array.isArray(gradients)) {
    throw new TypeError(
      `${owner}: step takes the gradients, as in step(grad(loss, parameters)), or nothing at all after loss.backward(), not ${shown(gradients)}`,
    );
  }
  if (gradients.length !== parameters.length) {
    throw new Error(`${owner}: ${gradients.length} gradients for ${parameters.length} parameters`);
  }
  gradients.forEach((g, i) => {
    if (!(g instanceof Tensor))
      throw new TypeError(`${owner}: gradient ${i}, of ${parameters[i]!.describe()}, is ${g}, not a tensor`);
  });
  return inShape(owner, parameters, gradients as Tensor[]);
}

/** The gradients in `.grad`. @throws GradError that says what to do if no parameter has one */
export function leftGradients(
  owner: string,
  parameters: readonly Parameter[],
  instead = 'step(grad(loss, parameters))',
): Gradients {
  const found = parameters.map((p) => p.grad);
  if (found.some((g) => g !== undefined)) return inShape(owner, parameters, found);
  throw new GradError(
    `${owner}: no parameter has a gradient in .grad: call loss.backward() first, or pass the gradients, as in ${instead}`,
  );
}

/**
 * What is to become of gradients, or of those in the `.grad` of parameters, which then have what `change` makes of them.
 * @throws GradError if no parameter has one; TypeError for parameters among gradients
 */
export function changed<R extends { readonly gradients: readonly Tensor[] }>(
  owner: string,
  given: readonly Tensor[],
  change: (gradients: readonly Tensor[]) => R,
): R {
  const parameters = given.filter((t) => t instanceof Parameter);
  if (parameters.length === 0) return change(given);
  if (parameters.length < given.length) {
    throw new TypeError(`${owner}: takes gradients, or parameters for those in their .grad, not both in one list`);
  }
  leftGradients(owner, parameters, `${owner}(grad(loss, parameters), ...)`);
  const moved = parameters.filter((p) => p.grad);
  const result = change(moved.map((p) => p.grad!));
  moved.forEach((p, i) => {
    p.grad = result.gradients[i]!;
  });
  return result;
}

function inShape(owner: string, parameters: readonly Parameter[], gradients: Gradients): Gradients {
  gradients.forEach((g, i) => {
    const p = parameters[i]!;
    if (g && (g.rank !== p.rank || !p.shape.every((d, k) => d === g.shape[k]))) {
      throw new ShapeError(`${owner}: gradient ${i} is [${g.shape}], and its parameter ${p.describe()}`);
    }
  });
  return gradients;
}

/** Whether the next steps of some parameters have one number, so that one launch can make them. */
const isTogether = (places: readonly number[], skipped: readonly number[]): boolean =>
  places.every((i) => skipped[i] === skipped[places[0]!]);

/**
 * The places from `from` on that have a gradient, in lists of those that sat out equally many steps. A compiled step in which they
 * no longer do records again.
 */
export function together(
  gradients: Gradients,
  skipped: readonly number[],
  from: number,
  count: number,
): readonly (readonly number[])[] {
  const lists = new Map<number, number[]>();
  for (let i = from; i < from + count; i++) {
    if (gradients[i]) lists.set(skipped[i]!, [...(lists.get(skipped[i]!) ?? []), i]);
  }
  const found = [...lists.values()];
  decided(found, () => found.every((places) => isTogether(places, skipped)));
  return found;
}

/** @throws Error if steps of one optimizer in one compiled step have brought apart what a launch of it moves together */
export function refuseApart(owner: string, lists: readonly (readonly number[])[], skipped: readonly number[]): void {
  if (lists.every((places) => isTogether(places, skipped))) return;
  throw new Error(
    `${owner}: in a compiled step with several step() of one optimizer, the same parameters must have gradients in each`,
  );
}
