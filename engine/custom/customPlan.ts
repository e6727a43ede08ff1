/**
 * What a custom op may be made of and what its kernel may launch: everything that could touch memory that is not its own is
 * refused before it runs.
 */
import { type Dispatch, type Kernel, MAX_GROUPS, MAX_WORDS, type Plan, type Shape } from '../../kernels/kernel.ts';
import { shown } from '../arguments/options.ts';
import { show, sizeOf } from '../tensor/shape.ts';
import type { CustomOp } from './customOpTypes.ts';
import { bindingsOf } from './wgsl.ts';

/** How many inputs an op takes. @throws TypeError for a definition that is none */
export function arityOf({ name, inputs, forward, vjp, jvp, kernel }: CustomOp): number | 'any' {
  if (typeof name !== 'string' || name === '') {
    throw new TypeError(`customOp: the name is text that errors and the tape show, not ${shown(name)}`);
  }
  const says = `customOp ${name}`;
  const functions = {
    forward,
    jvp,
    'kernel.shape': kernel?.shape,
    'kernel.plan': kernel?.plan,
    'kernel.saved': kernel?.saved,
  };
  const needed = kernel === undefined ? ['forward'] : ['forward', 'kernel.shape', 'kernel.plan'];
  for (const [what, fn] of Object.entries(functions)) checkFunction(says, what, fn, needed.includes(what));
  if (vjp !== undefined && !Array.isArray(vjp)) {
    throw new TypeError(`${says}: vjp must be a list with a rule, or null, for each input, not ${shown(vjp)}`);
  }
  vjp?.forEach((rule: unknown, i) => {
    if (rule !== null) checkFunction(says, `vjp[${i}]`, rule, true);
  });
  if (inputs !== undefined) {
    if (inputs !== 'any' && !(Number.isInteger(inputs) && inputs >= 0)) {
      throw new TypeError(`${says}: inputs is how many there are, or 'any', not ${shown(inputs)}`);
    }
    if (vjp && inputs !== vjp.length) throw new TypeError(`${says}: vjp has ${vjp.length} rules for ${inputs} inputs`);
    return inputs;
  }
  // A list of parameters, `(...xs) =>`, counts as none.
  if (vjp && forward.length > 0 && forward.length !== vjp.length) {
    throw new TypeError(
      `${says}: vjp has ${vjp.length} rules, and forward has ${forward.length} parameters; give each input a rule, or null, or say how many inputs there are: { inputs: ${vjp.length} }`,
    );
  }
  return vjp?.length ?? (forward.length || 'any');
}

/** @throws TypeError for a call with another number of inputs than the op has */
export function checkCount(name: string, arity: number | 'any', given: number): void {
  if (arity === 'any' || given === arity) return;
  throw new TypeError(
    `${name}: this op takes ${arity} input${arity === 1 ? '' : 's'}, and was given ${given} (customOp is told how many by vjp, by the parameters of forward, or by its option inputs)`,
  );
}

function checkFunction(says: string, what: string, fn: unknown, needed: boolean): void {
  if (fn === undefined && !needed) return;
  if (typeof fn !== 'function') throw new TypeError(`${says}: ${what} must be a function, not ${shown(fn)}`);
  if (/^(Async|Generator|AsyncGenerator)Function$/.test(fn.constructor.name)) {
    throw new TypeError(`${says}: ${what} must not be an async function or a generator: ops only record work`);
  }
}

/** The buffers of a call, as a plan numbers them. */
export interface Slots {
  readonly inputs: readonly Shape[];
  /** The output, then what is saved. */
  readonly outputs: readonly Shape[];
}

const isCount = (n: unknown, least: number, most: number): n is number =>
  Number.isInteger(n) && (n as number) >= least && (n as number) <= most;

/** `shape`, if it is one. @throws TypeError that names the op */
export function checkedShape(op: string, what: string, shape: unknown): Shape {
  if (Array.isArray(shape) && shape.every((d) => isCount(d, 0, Number.MAX_SAFE_INTEGER))) return shape as Shape;
  throw new TypeError(`${op}: ${what} must give a shape such as [2, 3], not ${shown(shape)}`);
}

/**
 * The plan, if every launch stays within the call's own buffers, writes none of its inputs and fills its uniform block, and
 * every output is written by one.
 * @throws TypeError or RangeError that names the op, the launch, what was given and the rule
 */
export function checkedPlan(op: string, plan: unknown, { inputs, outputs }: Slots): Plan {
  const { dispatches, temps = [] } = (plan ?? {}) as Partial<Plan>;
  if (!Array.isArray(dispatches)) {
    throw new TypeError(`${op}: kernel.plan must return { dispatches: [...] }, not ${shown(plan)}`);
  }
  if (!Array.isArray(temps) || !temps.every((n) => isCount(n, 1, Number.MAX_SAFE_INTEGER))) {
    throw new TypeError(
      `${op}: temps of a plan are sizes in elements, whole numbers of 1 or more, not ${shown(temps)}`,
    );
  }
  const names = [
    ...inputs.map((s, i) => `input ${i} ${show(s)}`),
    ...outputs.map((s, i) => (i === 0 ? `the output ${show(s)}` : `saved ${i - 1} ${show(s)}`)),
    ...temps.map((n, i) => `temp ${i} [${n}]`),
  ];
  const written = new Set<number>();
  dispatches.forEach((dispatch: unknown, i) => {
    const at = dispatches.length > 1 ? `${op}: launch ${i}` : op;
    for (const slot of checkedDispatch(at, dispatch, names, inputs.length)) written.add(slot);
  });
  outputs.forEach((shape, i) => {
    if (sizeOf(shape) === 0 || written.has(inputs.length + i)) return;
    throw new RangeError(
      `${op}: ${names[inputs.length + i]} is written by none of the ${dispatches.length} launches of the plan (buffer ${inputs.length + i} of ${names.length}: ${names.join(', ')})`,
    );
  });
  return plan as Plan;
}

/** @returns the slots that it writes */
function checkedDispatch(at: string, given: unknown, names: readonly string[], inputs: number): number[] {
  const { kernel, args, params = [], grid } = (given ?? {}) as Partial<Dispatch>;
  checkKernel(at, kernel);
  const { access, source } = kernel;
  if (!Array.isArray(args) || args.length !== access.length) {
    throw new RangeError(
      `${at}: the kernel binds ${access.length} storage buffers (access), and its launch gives ${Array.isArray(args) ? args.length : shown(args)} (args)`,
    );
  }
  const buffers = `there are ${names.map((n, i) => `${i}: ${n}`).join(', ')}`;
  const writes: number[] = [];
  args.forEach((slot, k) => {
    if (!isCount(slot, 0, names.length - 1)) {
      throw new RangeError(`${at}: args[${k}] is ${shown(slot)}, which is no buffer; ${buffers}`);
    }
    if (access[k] !== 'write') return;
    if (slot < inputs) {
      throw new RangeError(
        `${at}: args[${k}] lets the kernel write ${names[slot]}, and inputs may only be read; ${buffers}`,
      );
    }
    if (args.indexOf(slot) !== args.lastIndexOf(slot)) {
      throw new RangeError(
        `${at}: ${names[slot]} is bound ${args.filter((s) => s === slot).length} times and written; a buffer that is written is bound once`,
      );
    }
    writes.push(slot);
  });
  checkParams(at, source, params);
  const isGrid = Array.isArray(grid) && grid.length === 3 && grid.every((n) => isCount(n, 1, MAX_GROUPS));
  if (!isGrid) {
    throw new RangeError(
      `${at}: a grid of ${Array.isArray(grid) ? grid.join(' x ') : shown(grid)} workgroups; it is three whole numbers, each from 1 to ${MAX_GROUPS} (see grid1d)`,
    );
  }
  return writes;
}

const checkedKernels = new WeakSet<object>();

function checkKernel(at: string, kernel: unknown): asserts kernel is Kernel {
  const { source, access, name } = (kernel ?? {}) as Partial<Kernel>;
  if (typeof source !== 'string' || typeof name !== 'string') {
    throw new TypeError(`${at}: the kernel of a launch is { name, source, access }, not ${shown(kernel)}`);
  }
  if (checkedKernels.has(kernel as object)) return;
  const isAccess = Array.isArray(access) && access.length > 0 && access.every((a) => a === 'read' || a === 'write');
  if (!isAccess) {
    throw new TypeError(
      `${at}: access of kernel ${name} is a list of 'read' and 'write', one for each storage buffer, not ${shown(access)}`,
    );
  }
  const { storage } = bindingsOf(source);
  access.forEach((given, k) => {
    const binding = storage.get(k + 1);
    if (binding && binding.access !== given) {
      throw new TypeError(
        `${at}: kernel ${name} declares ${binding.name}, binding ${k + 1}, as ${binding.access === 'write' ? 'read_write' : 'read'}, and access[${k}] is '${given}'`,
      );
    }
  });
  const most = Math.max(0, ...storage.keys());
  if (most > access.length) {
    throw new TypeError(
      `${at}: kernel ${name} declares a storage buffer at binding ${most}, and its access has ${access.length} entries`,
    );
  }
  checkedKernels.add(kernel as object);
}

function checkParams(at: string, source: string, params: unknown): void {
  if (!Array.isArray(params)) {
    throw new TypeError(`${at}: params are a list with a word of the uniform block each, not ${shown(params)}`);
  }
  params.forEach((p: unknown, i) => {
    if (typeof (p as { f32?: unknown } | null)?.f32 === 'number') return;
    if (Number.isInteger(p) && (p as number) >= -(2 ** 31) && (p as number) < 2 ** 32) return;
    const remedy = typeof p === 'number' ? `; f32(${p}) makes it a float` : '';
    throw new RangeError(`${at}: params[${i}]: ${shown(p)} is not a whole number of 32 bits${remedy}`);
  });
  const { words } = bindingsOf(source);
  if (!words) {
    throw new TypeError(
      `${at}: the type of the kernel's uniform block is not understood; write it as a struct of scalars, vectors, matrices and arrays of them with sizes in digits`,
    );
  }
  const [least, most] = words;
  if (params.length >= least && params.length <= most) return;
  if (most === 0) throw new RangeError(`${at}: ${params.length} params for a kernel without a uniform block`);
  throw new RangeError(
    `${at}: ${params.length} params for a uniform block of ${least} words (padding between members counts; ${MAX_WORDS} at most)`,
  );
}
