import { compile } from '../../engine/index.ts';

/** A step that counts how often it is captured. */
export function counted<A extends readonly unknown[], R>(step: (...inputs: A) => R) {
  const count = { captured: 0 };
  const compiled = compile((...inputs: A): R => {
    count.captured++;
    return step(...inputs);
  });
  return Object.assign(compiled, { count });
}
