import { aFunction, guarded } from '../arguments/arguments.ts';
import { shown } from '../arguments/options.ts';
import { upcomingNodeId } from '../autograd/node.ts';
import { refuseGenerator } from '../errors.ts';
import { adopt, currentOwner, type Owned, type Owner, setOwner } from './lifetime.ts';
import { Tensor } from './tensor.ts';

/**
 * Runs `fn` and frees every tensor made in it, except those that it returns (alone, or inside arrays, maps, sets and plain
 * objects) and those that the graph behind a returned tensor still needs. Survivors pass to the enclosing scope.
 * A loop without scopes keeps all that it makes; where the number of tensors outside of every scope doubles past 32,768 a warning
 * on the console says so, once a device. Those that were given to {@link keep} are meant to stay, and not counted.
 * Reading is allowed inside: `scope(() => loss.item())` resolves after the tensor is gone. What `fn` throws is thrown on,
 * after all that it made was freed.
 * @throws TypeError if `fn` is async or a generator: a scope ends when its function returns, before such a one is done; or if it
 * returns an object of a class with a tensor that was made in the scope, which would be freed
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
  const others = collect(result, own, survivors);
  const hidden = others.length > 0 ? hiddenIn(others, own, survivors) : undefined;
  for (const t of [...owned]) {
    if (!hidden && survivors.has(t as Tensor)) adopt(t, own.parent);
    else t.dispose();
  }
  if (hidden) throw hidden;
  return result;
});

/**
 * Adds the tensors in `value` and the graphs behind them, as far as they are `own`.
 * @returns objects of classes in it, whose tensors a scope does not look for
 */
function collect(value: unknown, own: Owner, into: Set<Tensor>): object[] {
  const others: object[] = [];
  const seen = new Set<object>();
  const stack: object[] = [];
  const put = (v: unknown): void => {
    if (typeof v !== 'object' || v === null || seen.has(v)) return;
    seen.add(v);
    stack.push(v);
  };
  put(value);
  for (let v = stack.pop(); v; v = stack.pop()) {
    if (v instanceof Tensor) {
      if (v.owner === own) into.add(v);
      // Ops from before this scope cannot have used its tensors.
      if (v.node && v.node.id >= own.firstNode && !v.node.freed && !seen.has(v.node)) {
        seen.add(v.node);
        for (const t of v.node.inputs) put(t);
        for (const t of v.node.outputs) put(t);
      }
    } else if (Array.isArray(v) || v instanceof Set) for (const e of v) put(e);
    else if (v instanceof Map) for (const e of v.values()) put(e);
    else if (isPlain(v)) for (const e of Object.values(v)) put(e);
    else if (!ArrayBuffer.isView(v) && !(v instanceof Promise)) others.push(v);
  }
  return others;
}

/** The error for a tensor of the scope in a field of an object of a class, which would be freed behind its back. */
function hiddenIn(others: readonly object[], own: Owner, survivors: ReadonlySet<Tensor>): TypeError | undefined {
  for (const other of others) {
    for (const [name, value] of Object.entries(other)) {
      const found = new Set<Tensor>();
      collect(value, own, found);
      const lost = [...found].find((t) => !survivors.has(t));
      if (lost) {
        return new TypeError(
          `scope: the function returned ${shown(other)}, and ${lost.describe()}, in its ${name}, was made in the scope, which would free it; return tensors alone or in lists, maps, sets and plain objects, or keep() it`,
        );
      }
    }
  }
  return undefined;
}

const isPlain = (v: object): boolean => {
  const proto = Object.getPrototypeOf(v) as unknown;
  return proto === Object.prototype || proto === null;
};
