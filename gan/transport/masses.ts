import { shown } from '../../engine/internal.ts';

/** How far from 1 the sum of probabilities may be: what float32 leaves of a softmax. */
const SUM_TOLERANCE = 1e-6;

/**
 * `values`, if they are masses: at least one number, all finite and not negative, and not all 0.
 * @throws TypeError for what is no list of numbers
 * @throws RangeError that names the first wrong one
 */
export function checkedMasses(op: string, name: string, values: ArrayLike<number>): ArrayLike<number> {
  if (!Array.isArray(values) && !ArrayBuffer.isView(values)) {
    throw new TypeError(`${op}: ${name} is a list of numbers such as [0.5,0.5], not ${shown(values)}`);
  }
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    const mass = values[i]!;
    if (!(mass >= 0 && mass < Infinity)) {
      throw new RangeError(`${op}: ${name}[${i}] is ${shown(mass)}; a mass is a finite number >= 0`);
    }
    total += mass;
  }
  if (!(total > 0 && total < Infinity))
    throw new RangeError(`${op}: the ${values.length} masses of ${name} sum to ${total}`);
  return values;
}

/** Masses that sum to 1, within 1e-6. @throws RangeError also where they do not, and says how to make them */
export function checkedProbabilities(op: string, name: string, values: ArrayLike<number>): ArrayLike<number> {
  const total = sumOf(checkedMasses(op, name, values));
  if (Math.abs(total - 1) <= SUM_TOLERANCE) return values;
  throw new RangeError(`${op}: ${name} sums to ${total}, not to 1; normalizeMasses(${name}) divides it by its sum`);
}

/** Refuses two lists that have not one bin for one bin. */
export function checkSameBins(op: string, p: ArrayLike<number>, q: ArrayLike<number>): void {
  if (p.length !== q.length) {
    throw new RangeError(`${op}: p has ${p.length} bins and q has ${q.length}; they must have the same ones`);
  }
}

/**
 * Masses divided by their sum, such as counts made into frequencies.
 * @param masses finite, >= 0, not all 0
 * @returns probabilities, in float64
 * @throws RangeError for masses that are negative, not finite, or all 0
 */
export function normalizeMasses(masses: ArrayLike<number>): Float64Array {
  const total = sumOf(checkedMasses('normalizeMasses', 'masses', masses));
  return Float64Array.from(masses, (mass) => mass / total);
}

/** The sum of a list, in its order. */
export function sumOf(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}
