/** The tape of a loss: forward values, then the backward pass one op at a time, with values. */
import { computed, effect, signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { look, recording, request, step } from '../page/store.ts';
import { Graph } from './graph.tsx';
import { at, chosen, found, search, seen, shortNumbers } from './stepping.ts';
import { type GraphNode, type Subject, subjects } from './subjects.ts';

const subject = signal<Subject>('slope');

const ask = (): void => request({ kind: 'tape', subject: subject.value });

/** Shows another scalar, from its beginning. */
function choose(next: Subject): void {
  subject.value = next;
  chosen.value = undefined;
  ask();
}

const ofTraining = computed(() => recording.value?.subject === 'critic' || recording.value?.subject === 'generator');

effect(() => {
  if (recording.value) {
    at.value = 0;
    chosen.value = undefined;
  }
});

/** Keys: arrows step, Home and End go to the ends. */
function pressed(event: KeyboardEvent): void {
  if (/^(INPUT|SELECT)$/.test((event.target as HTMLElement).tagName)) return;
  const { last } = seen.value;
  const to = { ArrowRight: at.value + 1, ArrowLeft: at.value - 1, Home: 0, End: last }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  go(to);
}

const go = (to: number): void => {
  at.value = Math.max(0, Math.min(seen.value.last, to));
};

function Steps(): JSX.Element {
  const { last, forward } = seen.value;
  const here = at.value;
  return (
    <div class="tape-steps" role="toolbar" aria-label="Steps of the tape">
      <button type="button" onClick={() => go(0)} disabled={here === 0} title="Home">
        Start
      </button>
      <button type="button" onClick={() => go(here - 1)} disabled={here === 0} title="arrow left">
        Back
      </button>
      <button type="button" class="main" onClick={() => go(here + 1)} disabled={here >= last} title="arrow right">
        Next
      </button>
      <button
        type="button"
        onClick={() => go(forward)}
        disabled={here === forward}
        title="all values, no cotangent yet"
      >
        To backward
      </button>
      <button type="button" onClick={() => go(last)} disabled={here >= last} title="End">
        End
      </button>
      <label>
        find{' '}
        <input
          type="search"
          value={search.value}
          placeholder="matmul, w, …"
          onInput={({ currentTarget }) => {
            search.value = currentTarget.value;
          }}
        />
      </label>
      {search.value !== '' && <span class="small">{found.value.size} found</span>}
    </div>
  );
}

const called = (node: GraphNode): string => `%${node.id} ${node.name}`;

/** What the present step does, in words and numbers. */
function Told(): JSX.Element {
  const { nodes, forward, now } = seen.value;
  const here = at.value;
  if (here === 0) return <p>Forward: each step computes one value. Then backward, from the last to the first.</p>;
  if (!now) {
    const node = nodes[here - 1]!;
    return (
      <p>
        <b>
          Forward {here} of {forward}:
        </b>{' '}
        {called(node)}
        {node.inputs.length > 0 && ` of ${node.inputs.map((i) => `%${i}`).join(', ')}`}
        {node.params && ` (${node.params})`} = {shortNumbers(node.value, node.shape)}
        {node.from &&
          `. A backward pass inside the loss made it: part of the derivative of ${node.from.op}${node.from.id ? ` %${node.from.id}` : ''}.`}
      </p>
    );
  }
  const node = nodes[now.id - 1]!;
  return (
    <>
      <p>
        <b>
          Backward {here - forward} of {seen.value.last - forward}:
        </b>{' '}
        {called(node)} has the cotangent g = {shortNumbers(now.incoming)}
      </p>
      <p class="rule">{now.rule}</p>
      <ul>
        {now.outgoing.map(({ id, cotangent }, i) => (
          <li key={`${id} ${i}`}>
            {called(nodes[id - 1]!)} receives {shortNumbers(cotangent)}
          </li>
        ))}
      </ul>
    </>
  );
}

/** All that flows into the entry that was clicked. */
function Flow(): JSX.Element | null {
  const { nodes, steps } = seen.value;
  const node = nodes[(chosen.value ?? 0) - 1];
  if (!node) return <p class="small">Choose a box to see all that flows into its cotangent.</p>;
  const parts = steps.flatMap((s) => s.outgoing.filter(({ id }) => id === node.id).map((o) => ({ from: s.id, ...o })));
  const gradient = recording.value?.gradients.find(({ id }) => id === node.id)?.gradient;
  const total = parts[0]?.cotangent.first.map((_, i) => parts.reduce((sum, p) => sum + p.cotangent.first[i]!, 0));
  return (
    <div class="flow">
      <h3>Into the cotangent of {called(node)}</h3>
      <p>value {shortNumbers(node.value, node.shape)}</p>
      {parts.length === 0 ? (
        <p>
          {node.id === nodes.length ? 'It is where backward starts: 1.' : 'Nothing flows here: it needs no gradient.'}
        </p>
      ) : (
        <ul>
          {parts.map(({ from, cotangent }, i) => (
            <li key={`${from} ${i}`}>
              {i > 0 && '+ '}
              {shortNumbers(cotangent)} from {called(nodes[from - 1]!)}
              {nodes[from - 1]!.from && <span class="second-ink"> (second order)</span>}
            </li>
          ))}
          <li>
            <b>= {shortNumbers({ shape: node.shape, first: total! })}</b>
          </li>
        </ul>
      )}
      {gradient && <p>grad gives {shortNumbers(gradient)}</p>}
    </div>
  );
}

/** The picture as a table, for those who cannot see it. */
function Table(): JSX.Element {
  const { nodes, cotangents, forward } = seen.value;
  return (
    <details class="tape-table">
      <summary>The tape as a table</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <section class="scroll" tabIndex={0} aria-label="Entries of the tape">
        <table>
          <thead>
            <tr>
              <th scope="col">entry</th>
              <th scope="col">reads</th>
              <th scope="col">value</th>
              <th scope="col">cotangent so far</th>
              <th scope="col">order</th>
            </tr>
          </thead>
          <tbody>
            {nodes.map((node) => (
              <tr key={node.id}>
                <th scope="row">{called(node)}</th>
                <td>{node.inputs.map((i) => `%${i}`).join(' ')}</td>
                <td>{node.id <= Math.min(at.value, forward) ? shortNumbers(node.value, node.shape) : ''}</td>
                <td>{shortNumbers(cotangents.get(node.id), [])}</td>
                <td>{node.from ? 'second' : 'first'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}

/** The panel. */
export function TapePanel(): JSX.Element {
  const ready = look.value !== undefined;
  useEffect(() => {
    if (ready && !recording.value) ask();
  }, [ready]);
  const stale = ofTraining.value && recording.value!.step !== step.value;
  return (
    <section class="tape" aria-label="Tape" onKeyDown={pressed}>
      <div class="tape-steps">
        <label>
          the tape of{' '}
          <select
            id="tape-of"
            value={subject.value}
            onChange={({ currentTarget }) => choose(currentTarget.value as Subject)}
          >
            {Object.entries(subjects).map(([name, title]) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </select>
        </label>
        {stale && (
          <button type="button" onClick={ask}>
            Record again at step {step.value}
          </button>
        )}
        <span class="small">
          <i class="swatch op" /> op <i class="swatch leaf" /> leaf <i class="swatch second" /> second order: made by a
          backward pass inside the loss
        </span>
      </div>
      {recording.value ? (
        <>
          <Steps />
          <div class="tape-columns">
            <Graph />
            <div class="told">
              <div role="status" id="told">
                <Told />
              </div>
              <Flow />
            </div>
          </div>
          <Table />
        </>
      ) : (
        <p>Recording …</p>
      )}
    </section>
  );
}
