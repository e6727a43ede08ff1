import { refusePromise, ShapeError, type Tensor } from '../../engine/index.ts';
import type { AnyModule, Module } from './module.ts';
import { Buffer, Parameter } from './parameter.ts';

/**
 * `module.forward(...inputs)` with other tensors in place of some of its parameters and buffers, as
 * torch.func.functional_call. The tensors may be results of ops, and gradients flow through them: this is how an unrolled GAN
 * (Metz et al. 2017) differentiates through an optimizer's steps. The module is as before when the call returns.
 * @param tensors by dotted name, as `namedParameters` names them; what is not named keeps its own values
 * @throws Error for a name that the module does not have
 * @throws ShapeError for a tensor of another shape
 * @throws TypeError if `forward` is async
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
  const given = new Map(Symbol.iterator in tensors ? tensors : Object.entries(tensors));
  const own = module.stateDict();
  const stand = new Map<Tensor, Tensor>();
  for (const [name, t] of given) {
    const p = own.get(name);
    if (!p)
      throw new Error(
        `functionalCall: the module has no parameter or buffer ${name}; it has ${[...own.keys()].join(', ')}`,
      );
    if (p.shape.join() !== t.shape.join()) {
      throw new ShapeError(`functionalCall: ${name} is [${p.shape}], and [${t.shape}] was given for it`);
    }
    stand.set(p, t);
  }
  const standIn = (v: unknown): unknown => (v instanceof Parameter || v instanceof Buffer ? (stand.get(v) ?? v) : v);
  const swapped: (() => void)[] = [];
  for (const [, m] of module.namedModules()) {
    const fields = m as unknown as Record<string, unknown>;
    for (const [name, v] of Object.entries(m as AnyModule)) {
      const other = Array.isArray(v) ? v.map(standIn) : standIn(v);
      if (Array.isArray(v) ? v.every((e, i) => e === (other as unknown[])[i]) : other === v) continue;
      fields[name] = other;
      swapped.push(() => {
        fields[name] = v;
      });
    }
  }
  try {
    return refusePromise('functionalCall', module.forward(...inputs));
  } finally {
    for (const back of swapped) back();
  }
}
