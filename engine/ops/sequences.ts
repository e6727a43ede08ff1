/** Evenly spaced numbers, worked out in float64 on the host, and the identity matrix made of them. */
import { type Kind, maybe, op, options, overloaded, within } from '../arguments/arguments.ts';
import { finite, whole } from '../arguments/ranges.ts';
import { currentDevice } from '../device.ts';
import { scope } from '../tensor/scope.ts';
import { Tensor, tensor } from '../tensor/tensor.ts';
import { equal } from './comparison.ts';
import { type CreateOptions, created, createRanges } from './create.ts';
import { reshape } from './movement.ts';

const createOptions = options<CreateOptions>(createRanges);

const isOptions = (v: unknown): boolean =>
  typeof v === 'object' && v !== null && !Array.isArray(v) && !(v instanceof Tensor);

/** The arguments before options, wherever those stand, and the options. */
function apart(args: readonly unknown[]): [numbers: (number | undefined)[], given: CreateOptions] {
  const found = args.findIndex(isOptions);
  const at = found < 0 ? args.length : found;
  return [args.slice(0, at) as (number | undefined)[], (args[at] ?? {}) as CreateOptions];
}

/** No device holds more numbers in one tensor. */
const MOST = 2 ** 31;

/** A tensor [n] of `at(0)` to `at(n - 1)`, rounded to what the device has. */
function made(n: number, at: (i: number) => number, given: CreateOptions): Tensor {
  const values = new (currentDevice().dtype === 'float32' ? Float32Array : Float64Array)(n);
  for (let i = 0; i < n; i++) values[i] = at(i);
  return created(tensor(values), given);
}

/**
 * How many numbers from start, step by step, come before end. What three doubles that stand for decimals are off by does not
 * give one more: from 1 to 1.3 by 0.1 there are 3, though (1.3 - 1) / 0.1 is 3.0000000000000004.
 */
function countOf(start: number, end: number, step: number): number {
  const n = (end - start) / step;
  const nearest = Math.round(n);
  if (Number.isInteger(start) && Number.isInteger(end) && Number.isInteger(step)) return Math.ceil(n);
  const slack = 2 ** -53 * ((Math.abs(start) + Math.abs(end)) / Math.abs(step) + 3 * n);
  return Math.abs(n - nearest) <= slack ? nearest : Math.ceil(n);
}

const start = within<number>('start', finite);
const end = within<number>('end', finite);
const step = maybe(within<number>('step', finite));
const forms: readonly (readonly Kind<unknown>[])[] = [
  [end, createOptions],
  [start, end, createOptions],
  [start, end, step, createOptions],
];

/**
 * The numbers start + i · step, i = 0, 1, ..., as far as they lie before `end`, which is left out: ceil((end - start) / step) of them,
 * in one dimension. `start` is 0 and `step` 1 unless given. Worked out in float64 and rounded once, as torch.arange; but where
 * (end - start) / step is a whole number but for the rounding of the three, that is how many there are, and never one more.
 * @throws RangeError for a step of 0 or one that leads away from `end`; on WebGPU also for whole numbers that float32 would round,
 * from 2^24 on
 * @function
 * @example
 * arange(4); // 0, 1, 2, 3
 * arange(1, 2, 0.25, { label: 't' }); // 1, 1.25, 1.5, 1.75
 * arange(3, 0, -1); // 3, 2, 1
 */
export const arange: {
  (end: number, options?: CreateOptions): Tensor;
  (start: number, end: number, options?: CreateOptions): Tensor;
  (start: number, end: number, step?: number, options?: CreateOptions): Tensor;
} = overloaded(
  'arange',
  (args) => forms[Math.min(Math.max(apart(args)[0].length, 1), forms.length) - 1]!,
  (...args: unknown[]): Tensor => {
    const [numbers, given] = apart(args);
    const [from, to, by = 1] = (numbers.length < 2 ? [0, numbers[0]] : numbers) as [number, number, number?];
    if (by === 0) throw new RangeError('arange: step must not be 0');
    if ((to > from && by < 0) || (to < from && by > 0)) {
      throw new RangeError(`arange: a step of ${by} leads away from the end: it goes from ${from}, and not to ${to}`);
    }
    const n = countOf(from, to, by);
    if (n > MOST)
      throw new RangeError(`arange: from ${from} to ${to} by ${by} are ${n} numbers, more than a tensor holds`);
    const counts = Number.isInteger(from) && Number.isInteger(by) && currentDevice().dtype === 'float32';
    const at = (i: number): number => {
      const v = from + i * by;
      if (!counts || Math.fround(v) === v) return v;
      throw new RangeError(
        `arange: float32 does not hold the whole number ${v}: it has all of them to 2^24 only; count from 0 and add, or use the reference device`,
      );
    };
    return made(n, at, given);
  },
);

/**
 * `steps` evenly spaced numbers from `start` to `end`, both included, in one dimension: torch.linspace. One step is `start` alone.
 * Worked out in float64 from the nearer end, so that both ends are exact, and rounded once.
 * @throws RangeError unless `steps` is a whole number, 0 or more, and start and end are finite numbers
 * @function
 * @example
 * linspace(0, 1, 5); // 0, 0.25, 0.5, 0.75, 1
 */
export const linspace = op(
  'linspace',
  [
    within<number>('start', finite),
    within<number>('end', finite),
    within<number>('steps', whole(0, MOST)),
    createOptions,
  ],
  (from, to, steps, given: CreateOptions = {}): Tensor => {
    if (!Number.isFinite(to - from)) throw new RangeError(`linspace: ${from} and ${to} are too far apart for float64`);
    const gap = (to - from) / (steps - 1);
    const half = Math.floor(steps / 2);
    const at = (i: number): number => (i < half ? from + i * gap : to - (steps - 1 - i) * gap);
    return made(steps, steps === 1 ? () => from : at, given);
  },
);

const rows = within<number>('n', whole(0));
const columns = maybe(within<number>('m', whole(0)));

/**
 * The identity matrix [n, n], or [n, m] with ones where the row is the column: torch.eye.
 * @throws RangeError unless n and m are whole numbers, 0 or more
 * @function
 */
export const eye: {
  (n: number, options?: CreateOptions): Tensor;
  (n: number, m?: number, options?: CreateOptions): Tensor;
} = overloaded(
  'eye',
  (args) => (apart(args)[0].length < 2 ? [rows, createOptions] : [rows, columns, createOptions]),
  (...args: unknown[]): Tensor => {
    const [[n, m = n], given] = apart(args) as [[number, number?], CreateOptions];
    return created(
      scope(() => equal(reshape(arange(n), [n, 1]), arange(m))),
      given,
    );
  },
);
