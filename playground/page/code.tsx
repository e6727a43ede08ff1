/** The setup as a program for Node. */
import { computed } from '@preact/signals';
import type { JSX } from 'preact';
import { programOf } from '../setup/program.ts';
import { setup, step } from './store.ts';

const program = computed(() => programOf(setup.value, Math.max(1, step.value || 400)));

/** The program that does in Node what the page does. */
export function Code(): JSX.Element {
  return (
    <details class="code">
      <summary>The same in Node</summary>
      <p class="small">
        <code>npm install wgrad</code>, then <code>node ring.mjs</code>. On the same adapter it prints the numbers of
        this page.
      </p>
      <pre>
        <code>{program.value}</code>
      </pre>
      <button type="button" onClick={() => void navigator.clipboard?.writeText(program.value)}>
        Copy
      </button>
    </details>
  );
}
