/** Where the tape panel stands: a place between the first forward step and the last backward one, and what is known there. */
import { computed, signal } from '@preact/signals';
import { recording } from '../page/store.ts';
import type { BackwardStep, GraphNode, Numbers } from './subjects.ts';

/** Steps done: first those forward, one for each entry, then those backward. */
export const at = signal(0);
/** The entry whose cotangent is looked at, by its number. */
export const chosen = signal<number | undefined>(undefined);
/** What is searched for. */
export const search = signal('');

/** What is known after the steps that were done. */
export interface Seen {
  readonly nodes: readonly GraphNode[];
  readonly steps: readonly BackwardStep[];
  /** The forward steps in all, and all steps. */
  readonly forward: number;
  readonly last: number;
  /** The backward step that was done last. */
  readonly now: BackwardStep | undefined;
  /** The sum of what has flowed so far, by entry. */
  readonly cotangents: ReadonlyMap<number, Numbers>;
}

/** Adds up the cotangents that the first so many backward steps send. @param end the entry that backward starts from */
function flowed(steps: readonly BackwardStep[], end: number): ReadonlyMap<number, Numbers> {
  const sums = new Map<number, Numbers>([[end, { shape: [], first: [1] }]]);
  for (const { outgoing } of steps) {
    for (const { id, cotangent } of outgoing) {
      const before = sums.get(id)?.first;
      const first = before ? cotangent.first.map((g, i) => g + before[i]!) : cotangent.first;
      sums.set(id, { shape: cotangent.shape, first });
    }
  }
  return sums;
}

export const seen = computed((): Seen => {
  const { nodes = [], steps = [] } = recording.value ?? {};
  const forward = nodes.length;
  const done = at.value - forward;
  return {
    nodes,
    steps,
    forward,
    last: forward + steps.length,
    now: done > 0 ? steps[done - 1] : undefined,
    cotangents: done >= 0 ? flowed(steps.slice(0, done), forward) : new Map(),
  };
});

/** The entries whose name, op or number is searched for. */
export const found = computed((): ReadonlySet<number> => {
  const text = search.value.trim().toLowerCase();
  if (text === '') return new Set();
  const hits = seen.value.nodes.filter(({ id, name, op }) => `%${id} ${name} ${op ?? ''}`.toLowerCase().includes(text));
  return new Set(hits.map(({ id }) => id));
});

/** Three digits; small numbers as powers of ten. */
const short = (v: number): string => {
  if (Number.isInteger(v) && Math.abs(v) < 1e6) return String(v);
  return Math.abs(v) < 1e-3 ? v.toExponential(1) : String(Number(v.toPrecision(3)));
};

/** Numbers as text: the shape if there is one, the first values, and dots where there are more. */
export function shortNumbers(numbers: Numbers | undefined, shape: readonly number[] = [], most = 6): string {
  if (!numbers) return shape.length > 0 ? `[${shape.join('×')}]` : '–';
  const size = numbers.shape.reduce((n, m) => n * m, 1);
  const first = numbers.first.slice(0, most).map(short).join(' ').replaceAll('-', '−');
  const more = size > Math.min(most, numbers.first.length) ? ' …' : '';
  return numbers.shape.length === 0 ? first : `[${numbers.shape.join('×')}] ${first}${more}`;
}
