import { calls } from '../../engine/internal.ts';

/** The kind of arguments that are modules. */
export const aModule = calls.within<never>('module', {
  holds: (v) => typeof (v as { namedParameters?: unknown } | null | undefined)?.namedParameters === 'function',
  says: 'a module, such as new Linear(3, 4)',
});
