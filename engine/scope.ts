import { aFunction, guarded } from './arguments.ts';
import { refuseGenerator } from './errors.ts';
import { adopt, currentOwner, type Owned, type Owner, setOwner } from './lifetime.ts';
import { type Node, upcomingNodeId } from './node.ts';
import { Tensor } from './tensor.ts';

/**
 * Runs `fn` and frees every tensor made in it, except those that it returns (alone, or inside arrays, maps and plain
 * objects) and those that the graph behind a returned tensor still needs. Survivors pass to the enclosing scope.
 * A loop without scopes keeps all that it makes; where the number of tensors outside of every scope doubles past 32,768 a warning
 * on the console says so, once a device. Those that were given to {@link keep} are meant to stay, and not counted.
 * Reading is allowed inside: `scope(() => loss.item())` resolves after the tensor is gone. What `fn` throws is thrown on,
 * after all that it made was freed.
 * @throws TypeError if `fn` is async or a generator: a scope ends when its function returns, before such a one is done
 * @example
 * const loss = await scope(() => {
 *   const loss = model.forward(x).sub(y).square().mean();
 *   adam.step(grad(loss, model.parameters()));
 *   return loss.item(); // activations and gradients are freed here
 * });
 * @function
 */
export const scope = guarded('scope', [aFunction('fn')], <T>(fn: () => T): T => {
  if (fn.constructor.name === 'AsyncFunction') {
    throw new TypeError('scope: the function must not be async; read data after the scope, or return t.data() from it');
  }
  const owned = new Set<Owned>();
  const own: Owner = { owned, parent: currentOwner(), firstNode: upcomingNodeId() };
  setOwner(own);
  let result: T;
  try {
    result = refuseGenerator('scope', fn());
  } catch (error) {
    setOwner(own.parent);
    for (const t of [...owned]) t.dispose();
    throw error;
  }
  setOwner(own.parent);
  const survivors = new Set<Tensor>();
  collect(result, own, survivors);
  for (const t of [...owned]) {
    if (survivors.has(t as Tensor)) adopt(t, own.parent);
    else t.dispose();
  }
  return result;
});

/** Adds the tensors in `value` and the graphs behind them, as far as they are `own`. */
function collect(value: unknown, own: Owner, into: Set<Tensor>): void {
  const stack: unknown[] = [value];
  const nodes = new Set<Node>();
  while (stack.length > 0) {
    const v = stack.pop();
    if (v instanceof Tensor) {
      if (v.owner === own) into.add(v);
      // Ops from before this scope cannot have used its tensors.
      if (v.node && v.node.id >= own.firstNode && !v.node.freed && !nodes.has(v.node)) {
        nodes.add(v.node);
        stack.push(...v.node.inputs, ...v.node.outputs);
      }
    } else if (Array.isArray(v)) stack.push(...v);
    else if (v instanceof Map) stack.push(...v.values());
    else if (v && typeof v === 'object' && isPlain(v)) stack.push(...Object.values(v));
  }
}

const isPlain = (v: object): boolean => {
  const proto = Object.getPrototypeOf(v) as unknown;
  return proto === Object.prototype || proto === null;
};
