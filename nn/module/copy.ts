import { scope, Tensor } from '../../engine/index.ts';
import type { AnyModule } from './anyModule.ts';
import { attachAround } from './callStep.ts';
import { type Contents, emptyLike, entriesOf, put } from './contents.ts';
import { Buffer, Parameter } from './parameter.ts';

/** @throws TypeError for a part of the module `name` inside `m` that its copy would share */
export function refuseShared(m: AnyModule, name: string, { hidden }: Contents): void {
  for (const { path, where, parts } of hidden) {
    throw new TypeError(
      `copy: ${name ? `${name}.` : ''}${path} of ${m.constructor.name} holds a ${parts[0]!.constructor.name} ${where}; the copy would share it. Hold it in an array, a plain object or a Map with text as keys`,
    );
  }
}

/** A deep copy of a module: of its parts and of what leads to them; all else it shares. */
export function copyOf<M extends AnyModule>(outermost: M, contents: (m: AnyModule) => Contents): M {
  const copies = new Map<object, object>();
  const known = <T extends object>(v: object, made: T): T => {
    copies.set(v, made);
    return made;
  };
  const moduleCopy = <T extends AnyModule>(m: T): T => {
    const made = known(m, Object.create(Object.getPrototypeOf(m) as object) as T);
    const { held, containers } = contents(m);
    const parts = new Map(held.map((h) => [h.path, h.part]));
    const copied = (v: unknown, path: string): unknown => {
      if (typeof v !== 'object' || v === null) return v;
      const before = copies.get(v);
      if (before) return before;
      const part = parts.get(path);
      if (v instanceof Tensor) return part ? known(v, twin(v, part as Parameter | Buffer)) : v;
      if (part) return moduleCopy(part as AnyModule);
      if (!Array.isArray(v) && !containers.has(v)) return v;
      const own = known(v, emptyLike(v));
      for (const [key, inner] of entriesOf(v)) put(own, key, copied(inner, `${path}.${key}`));
      return own;
    };
    for (const [name, v] of Object.entries(m)) {
      if (name === 'forward') {
        throw new TypeError(
          `copy: forward of ${m.constructor.name} is a field, which may hold on to this module; make it a method`,
        );
      }
      put(made, name, copied(v, name));
    }
    attachAround(m, made);
    return made;
  };
  return moduleCopy(outermost);
}

/** A part with the values of `t`, which is the part itself or stands in for it. */
function twin(t: Tensor, part: Parameter | Buffer): Parameter | Buffer {
  const values = scope(() => t.detach().clone());
  if (part instanceof Buffer) return new Buffer(values, part.label);
  return new Parameter(values, part.label).requireGrad(part.requiresGrad);
}
