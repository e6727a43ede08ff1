/** Points by hand: drawn on the plane, pasted or dropped as a table. */
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { MOST_POINTS, onGrid, parseTable } from '../setup/points.ts';
import { change, isLocked, isShown, notes, setup } from './store.ts';

/** What a press on the plane does: nothing, put points down, or take them away. */
export const brush = signal<'off' | 'draw' | 'erase'>('off');
/** The points while they are drawn, before the training begins anew. */
export const draft = signal<readonly number[] | undefined>(undefined);

/** How far around a press points are put, and taken away. */
const WIDTH = 0.12;

/** Puts points around a place, or takes those there away. */
export function stroke([x, y]: readonly [number, number]): void {
  const points = draft.value ?? (setup.value.data === 'drawn' ? setup.value.points : []);
  if (brush.value === 'erase') {
    draft.value = points.filter(
      (_, i) => Math.hypot(points[i - (i % 2)]! - x, points[i - (i % 2) + 1]! - y) > 2 * WIDTH,
    );
    return;
  }
  if (points.length >= 2 * MOST_POINTS) return;
  // A small spiral of places, so that strokes have a width: the same strokes give the same points.
  const turn = 2.4 * (points.length / 2);
  const far = WIDTH * Math.sqrt(((points.length / 2) % 7) / 7);
  draft.value = [...points, onGrid(x + far * Math.cos(turn)), onGrid(y + far * Math.sin(turn))];
}

/** Ends a stroke: what was drawn is what is learnt. */
export function lift(): void {
  const points = draft.value;
  draft.value = undefined;
  if (points && points.length >= 2) change({ ...setup.value, data: 'drawn', points });
}

/** Takes the points of a text with two numbers in a line. */
export function paste(text: string): void {
  const { points, note } = parseTable(text);
  notes.value = [note];
  if (points.length >= 2) change({ ...setup.value, data: 'drawn', points, sigma: Math.min(setup.value.sigma, 0.05) });
}

/** The controls of drawing. */
export function Drawing(): JSX.Element | null {
  if (!isShown('draw') || !isShown('data') || isLocked('data')) return null;
  const box = (what: 'draw' | 'erase', title: string): JSX.Element => (
    <button
      type="button"
      aria-pressed={brush.value === what}
      onClick={() => {
        brush.value = brush.value === what ? 'off' : what;
      }}
    >
      {title}
    </button>
  );
  return (
    <div class="drawing">
      <div class="two">
        {box('draw', 'Draw')}
        {box('erase', 'Erase')}
      </div>
      <details>
        <summary>Paste a table</summary>
        <textarea
          rows={3}
          aria-label="Two numbers in a line"
          placeholder={'0.5, 1.2\n-0.3, 0.8'}
          onChange={({ currentTarget }) => paste(currentTarget.value)}
        />
      </details>
    </div>
  );
}
