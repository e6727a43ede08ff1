import { Tensor } from './tensor.ts';

type Op = (x: Tensor, ...rest: never[]) => unknown;
type Rest<F> = F extends (x: Tensor, ...rest: infer R) => unknown ? R : never;
type Returned<F> = F extends (...args: never[]) => infer T ? T : never;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

/** Whether the method of that name is declared with the op's parameters and result. */
type Declared<Name, F> = Name extends keyof Tensor
  ? Tensor[Name] extends (...args: infer A) => infer R
    ? Same<[A, R], [Rest<F>, Returned<F>]>
    : false
  : false;

const names: string[] = [];

/** The names of the ops that are methods. */
export const methodNames: readonly string[] = names;

/**
 * Makes ops that take a tensor first methods of it: `x.mul(y)` is `mul(x, y)`. The file that has an op declares its method, by
 * `declare module '../tensor/tensor.ts' { interface Tensor { ... } }`, with a line on what it is for; this does not compile where the two
 * differ.
 */
export function methods<T extends Readonly<Record<string, Op>>>(
  ops: T & { [K in keyof T]: Declared<K, T[K]> extends true ? T[K] : never },
): void {
  for (const [name, op] of Object.entries<Op>(ops)) {
    names.push(name);
    Object.defineProperty(Tensor.prototype, name, {
      value(this: Tensor, ...rest: never[]) {
        return op(this, ...rest);
      },
      writable: true,
      configurable: true,
    });
  }
}
