/** What is to be reached, what was, and how to hand it in. */
import { computed, effect, signal } from '@preact/signals';
import type { JSX } from 'preact';
import { isReached, parseGoal } from '../setup/goal.ts';
import { device, distances, isShown, link, look, rows, setup, step, view } from './store.ts';

/** The values now, by the names that goals have. */
const values = computed((): Readonly<Record<string, number | undefined>> => {
  const coverage = look.value?.coverage;
  return {
    ...rows.value.at(-1)?.values,
    step: step.value,
    modes: coverage?.covered,
    quality: coverage?.highQuality,
    distance: distances.value.at(-1)?.distance,
  };
});

/** The step at which the goal was reached first in this training. */
const reachedAt = signal<number | undefined>(undefined);

effect(() => {
  const goal = view.value.goal === undefined ? undefined : parseGoal(view.value.goal);
  if (step.value === 0) reachedAt.value = undefined;
  else if (goal && reachedAt.peek() === undefined && isReached(goal, values.value)) reachedAt.value = step.value;
});

/** A line to hand in: what was trained, how far, and what came of it. */
function answerLine(): string {
  const now = Object.entries(values.value)
    .filter(([name, v]) => v !== undefined && name !== 'step')
    .map(([name, v]) => `${name} ${v!.toPrecision(4)}`);
  const goal =
    view.value.goal === undefined
      ? []
      : [`goal ${view.value.goal} ${reachedAt.value === undefined ? 'not reached' : `at step ${reachedAt.value}`}`];
  return [
    `wgrad playground #${link.value}`,
    `seed ${setup.value.seed}, step ${step.value}`,
    ...goal,
    ...now,
    device.value?.device ?? '',
  ].join('; ');
}

/** The page as it came, before anything was drawn in it. */
const original = document.documentElement.outerHTML;

/** Saves the page as one file that opens with this state. */
function save(): void {
  const state = `<meta name="wgrad-state" content="${link.value.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}">`;
  const plain = original.replace(/<meta name="wgrad-state"[^>]*>/, '');
  // A function: what is put in may hold dollar signs.
  const html = `<!doctype html>\n${plain.replace('</head>', () => `${state}</head>`)}`;
  const url = URL.createObjectURL(new Blob([html], { type: 'text/html' }));
  Object.assign(document.createElement('a'), { href: url, download: 'wgrad-playground.html' }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Whether this page is one file. */
export const isOneFile = (): boolean => (document.getElementById('worker')?.textContent ?? '') !== '';

const copied = signal(false);

/** The goal, and buttons to copy the answer and to save the page. */
export function Answer(): JSX.Element | null {
  if (!isShown('answer')) return null;
  const { goal } = view.value;
  return (
    <div class="answer">
      {goal !== undefined && (
        <p class={reachedAt.value === undefined ? 'goal' : 'goal reached'} role="status">
          {parseGoal(goal) === undefined
            ? `The goal '${goal}' cannot be read; it is written as modes>=8`
            : reachedAt.value === undefined
              ? `Goal: ${goal}`
              : `✓ ${goal} at step ${reachedAt.value}, seed ${setup.value.seed}`}
        </p>
      )}
      <button
        type="button"
        onClick={() => {
          void navigator.clipboard?.writeText(answerLine()).then(() => {
            copied.value = true;
          });
        }}
      >
        {copied.value ? 'Copied' : 'Copy answer'}
      </button>
      {isOneFile() && (
        <button type="button" onClick={save} title="as one file that opens with this state, and needs no server">
          Save page
        </button>
      )}
    </div>
  );
}
