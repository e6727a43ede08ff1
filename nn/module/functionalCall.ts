import { ShapeError, Tensor } from '../../engine/index.ts';
import { calls, refusePromise, shown } from '../../engine/internal.ts';
import { aModule } from './aModule.ts';
import { put, setStoodFor } from './contents.ts';
import { insideOf, type Module } from './module.ts';
import { Buffer, Parameter } from './parameter.ts';

/**
 * `module.forward(...inputs)` with other tensors in place of some of its parameters and buffers, as
 * torch.func.functional_call. The tensors may be results of ops, and gradients flow through them: this is how an unrolled GAN
 * (Metz et al. 2017) differentiates through an optimizer's steps. The module is as before when the call returns.
 *
 * While `forward` runs, `parameters()`, `stateDict()` and the like give the stand-ins, and a call inside it, of this module or of
 * one inside, may put others in their place: what it does not name keeps the stand-in of the call around it.
 * @param tensors by dotted name, as `namedParameters` names them; what is not named keeps its own values
 * @throws Error for a name that the module does not have, or one given twice
 * @throws ShapeError for a tensor of another shape
 * @throws TypeError if `forward` is async, for what is no tensor, and for a parameter that is also inside a Set or an object that is
 * no module, where no stand-in reaches
 * @example
 * const names = critic.namedParameters().map(([name]) => name);
 * let phi: Tensor[] = critic.parameters();
 * for (let k = 0; k < 5; k++) {
 *   const loss = functionalCall(critic, names.map((name, i) => [name, phi[i]!]), x).mean();
 *   const g = grad(loss, phi, { createGraph: true });
 *   phi = phi.map((p, i) => p.sub(g[i]!.mul(0.1)));
 * }
 */
export function functionalCall<In extends readonly unknown[], Out>(
  module: Module<In, Out>,
  tensors: Iterable<readonly [string, Tensor]> | Readonly<Record<string, Tensor>>,
  ...inputs: In
): Out {
  calls.checkArguments(
    'functionalCall',
    [aModule, calls.something('tensors'), calls.rest(calls.something('inputs'))],
    arguments,
  );
  if (typeof tensors !== 'object' || tensors === null || tensors instanceof Tensor) {
    throw new TypeError(`functionalCall: the tensors are an object or pairs by name, not ${shown(tensors)}`);
  }
  const stand = standIns(module, Symbol.iterator in tensors ? tensors : Object.entries(tensors));
  const undo: (() => void)[] = [];
  try {
    for (const [m, { name, contents }] of insideOf(module)) {
      for (const { path, where, parts } of contents.hidden) {
        if (!parts.some((p) => stand.has(p))) continue;
        throw new TypeError(
          `functionalCall: ${name ? `${name}.` : ''}${path} holds a parameter ${where}, which a stand-in does not reach; hold it in a field, an array, a plain object or a Map`,
        );
      }
      const swapped = contents.held.filter(({ part }) => stand.has(part));
      if (swapped.length === 0) continue;
      const away = contents.held.filter(({ part, value }) => part !== value);
      const parts = [...away, ...swapped].map(({ path, part }) => [path, part as Parameter | Buffer] as const);
      const before = setStoodFor(m, new Map(parts));
      undo.push(() => void setStoodFor(m, before));
      for (const { holder, key, value, part } of swapped) {
        if (Object.isFrozen(holder)) {
          throw new TypeError(`functionalCall: what holds ${key} of ${m.constructor.name} is frozen; thaw it`);
        }
        put(holder, key, stand.get(part));
        undo.push(() => put(holder, key, value));
      }
    }
    return refusePromise('functionalCall', module.forward(...inputs));
  } finally {
    for (const back of undo.reverse()) back();
  }
}

/** What takes the place of which parameter or buffer. */
function standIns<In extends readonly unknown[], Out>(
  module: Module<In, Out>,
  given: Iterable<readonly [string, Tensor]>,
): Map<unknown, Tensor> {
  const own = new Map<string, Parameter | Buffer>();
  const named = new Set<Parameter | Buffer>();
  for (const { name, contents } of insideOf(module).values()) {
    for (const { path, part } of contents.held) {
      const isTensor = part instanceof Parameter || part instanceof Buffer;
      if (!isTensor || named.has(part)) continue;
      named.add(part);
      own.set(name ? `${name}.${path}` : path, part);
    }
  }
  const stand = new Map<unknown, Tensor>();
  for (const pair of given) {
    if (!Array.isArray(pair) || typeof pair[0] !== 'string') {
      throw new TypeError(`functionalCall: the tensors are pairs by name, as in [['weight', w]], not ${shown(pair)}`);
    }
    const [name, t] = pair as [string, Tensor];
    const p = own.get(name);
    if (!p)
      throw new Error(
        `functionalCall: the module has no parameter or buffer ${name}; it has ${[...own.keys()].join(', ')}`,
      );
    if (!(t instanceof Tensor)) throw new TypeError(`functionalCall: ${name} is ${shown(t)}; give a tensor for it`);
    if (p.shape.join() !== t.shape.join()) {
      throw new ShapeError(`functionalCall: ${name} is [${p.shape}], and [${t.shape}] was given for it`);
    }
    if (stand.has(p)) throw new Error(`functionalCall: ${name} is given twice`);
    stand.set(p, t);
  }
  return stand;
}
