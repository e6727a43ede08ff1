/** Whether the libraries computed the same. */
import { largest } from '../gan/extremes.ts';
import type { Library } from './task.ts';

export type Outputs = ReadonlyMap<Library, readonly Float32Array[]>;

export interface Verdict {
  /** The libraries whose results agree, as many as possible. */
  readonly agree: readonly Library[];
  /** Their largest difference, relative to the largest value. NaN if only one has results. */
  readonly difference: number;
  /** What the others' results are like. */
  readonly notes: readonly string[];
}

/** The largest difference of two results relative to the largest value of either; infinite if they do not match at all. */
export function difference(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (const [i, x] of a.entries()) {
    const y = b[i]!;
    if (x.length !== y.length || x.length === 0) return Number.POSITIVE_INFINITY;
    let [most, apart] = [0, 0];
    for (let k = 0; k < x.length; k++) {
      const [p, q] = [x[k]!, y[k]!];
      if (!Number.isFinite(p) || !Number.isFinite(q)) return Number.POSITIVE_INFINITY;
      most = Math.max(most, Math.abs(p), Math.abs(q));
      apart = Math.max(apart, Math.abs(p - q));
    }
    if (most > 0) worst = Math.max(worst, apart / most);
  }
  return worst;
}

/** The largest group whose members all agree, of two equal ones that of the first library. The others are not to be timed. */
export function judge(outputs: Outputs, tolerance: number): Verdict {
  const names = [...outputs.keys()];
  const apart = (a: Library, b: Library) => (a === b ? 0 : difference(outputs.get(a)!, outputs.get(b)!));
  let agree: Library[] = [];
  for (const first of names) {
    const group: Library[] = [];
    for (const name of [first, ...names]) {
      if (!group.includes(name) && group.every((other) => apart(name, other) <= tolerance)) group.push(name);
    }
    if (group.length > agree.length) agree = group;
  }
  const pairs = agree.flatMap((a, i) => agree.slice(i + 1).map((b) => apart(a, b)));
  const notes = names
    .filter((name) => !agree.includes(name))
    .map((name) => `${name}: result differs from ${agree[0]}'s by ${show(apart(name, agree[0]!))}, not timed`);
  return { agree, difference: pairs.length > 0 ? largest(pairs) : Number.NaN, notes };
}

const show = (relative: number): string =>
  Number.isFinite(relative)
    ? `${relative.toPrecision(2)} of the largest value`
    : 'all (not finite, or of another size)';
