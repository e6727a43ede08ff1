/** The page. */
import type { JSX } from 'preact';
import { ConvolutionPanel } from '../convolution/panel.tsx';
import { TapePanel } from '../tape/panel.tsx';
import type { Half } from '../trial/trial.ts';
import { Answer, isOneFile } from './answer.tsx';
import { Charts } from './charts.tsx';
import { Code } from './code.tsx';
import { Controls, Regularizers } from './controls.tsx';
import { Formula } from './formula.tsx';
import { Plane } from './plane.tsx';
import {
  back,
  begin,
  device,
  half,
  isShown,
  kept,
  look,
  notes,
  once,
  pace,
  parameters,
  run,
  running,
  speed,
  steer,
  step,
  stop,
  view,
} from './store.ts';

/** Steps, time, and where it stands. */
function Transport(): JSX.Element {
  const open = device.value !== undefined && look.value !== undefined;
  return (
    <div class="transport" role="toolbar" aria-label="Training">
      <button
        type="button"
        class="main"
        disabled={!open}
        onClick={() => (running.value ? stop() : run())}
        title="space"
      >
        {running.value ? 'Stop' : 'Train'}
      </button>
      <button type="button" disabled={!open} onClick={() => once(half.value)} title="s: one step">
        Step
      </button>
      <button type="button" disabled={!open} onClick={begin} title="0: from the beginning, with the same seed">
        Reset
      </button>
      <label title="what a step is: c and g do one half">
        trains{' '}
        <select value={half.value} onChange={({ currentTarget }) => steer({ half: currentTarget.value as Half })}>
          <option value="both">both</option>
          <option value="critic">critic only</option>
          <option value="generator">generator only</option>
        </select>
      </label>
      <label>
        pace{' '}
        <select
          value={pace.value}
          onChange={({ currentTarget }) => steer({ pace: currentTarget.value as 'fast' | 'slow' })}
        >
          <option value="fast">fast</option>
          <option value="slow">one a second</option>
        </select>
      </label>
      <span class="where" role="status">
        step <output id="step">{step.value}</output>
        {speed.value !== undefined && running.value && <span class="small"> {speed.value.toFixed(0)} a second</span>}
      </span>
      <Answer />
      <TimeLine />
    </div>
  );
}

/** The handle that goes back in time. */
function TimeLine(): JSX.Element | null {
  const steps = kept.value;
  if (!isShown('time') || steps.length < 2) return null;
  return (
    <label class="time" title="[ and ]: back to a state that was kept; training on from there is a branch">
      back to{' '}
      <input
        type="range"
        min={0}
        max={steps.length - 1}
        value={steps.length - 1}
        aria-valuetext={`step ${step.value}`}
        onChange={({ currentTarget }) => back(steps[Number(currentTarget.value)]!)}
      />
    </label>
  );
}

/** On what it runs, and what could not be done. */
function State(): JSX.Element {
  const on = device.value;
  const sizes = parameters.value;
  return (
    <footer class="state">
      <span>
        {on
          ? on.reference
            ? `No WebGPU${on.because ? '' : ' asked for'}: it runs in float64 on the processor, slower; small networks are best.`
            : `WebGPU on ${on.device}.`
          : 'Opening the device …'}{' '}
        {sizes && `Critic ${sizes.critic} parameters, generator ${sizes.generator}.`}
      </span>
      {notes.value.length > 0 && (
        <ul class="notes" role="alert">
          {notes.value.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </footer>
  );
}

/** Keys of the page: space trains, s steps, c and g do a half, 0 resets, [ and ] go through time. */
export function pressed(event: KeyboardEvent): void {
  const at = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(at.tagName)) return;
  if (event.key === ' ' && at.tagName === 'BUTTON') return; // it presses the button
  const steps = kept.value;
  const actions: Readonly<Record<string, () => void>> = {
    ' ': () => (running.value ? stop() : run()),
    s: () => once(half.value),
    c: () => once('critic'),
    g: () => once('generator'),
    0: begin,
    '[': () => steps.length > 1 && back(steps.at(-2)!),
  };
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

const titles = [
  [undefined, 'Train'],
  ['tape', 'Tape'],
  ['convolution', 'Convolution'],
] as const;

/** What the page shows: the training, or a panel beside it. */
function Panels(): JSX.Element {
  return (
    <nav class="panels" aria-label="Panels">
      {titles.map(([name, title]) => (
        <button
          key={title}
          type="button"
          aria-current={view.value.panel === name ? 'page' : undefined}
          onClick={() => {
            view.value = { ...view.value, panel: name };
          }}
        >
          {title}
        </button>
      ))}
    </nav>
  );
}

/** All that belongs to a training. */
function Training(): JSX.Element {
  return (
    <>
      <div class="columns">
        <section class="side" aria-label="Settings">
          <Controls group="data" title="Data" />
          <Controls group="training" title="Training" />
          <Regularizers />
          <Controls group="critic" title="Critic" />
          <Controls group="generator" title="Generator" />
        </section>
        <div class="stage">
          {isShown('formula') && <Formula />}
          {isShown('plane') && <Plane />}
        </div>
        <div class="side">{isShown('values') && <Charts />}</div>
      </div>
      {isShown('code') && <Code />}
    </>
  );
}

/** The whole page, or the one panel that the link asks for. */
export function App(): JSX.Element {
  const panels: Readonly<Record<string, () => JSX.Element | null>> = {
    plane: Plane,
    values: Charts,
    formula: Formula,
    code: Code,
    tape: TapePanel,
    convolution: ConvolutionPanel,
  };
  const Only = view.value.embed === undefined ? undefined : panels[view.value.embed];
  if (Only) {
    return (
      <main class="embedded">
        <Transport />
        <Only />
        <State />
      </main>
    );
  }
  return (
    <>
      <header>
        <h1>wgrad playground</h1>
        <p class="small">a generator learns to make the blue points; a critic learns to tell the two apart</p>
        {!isOneFile() && <a href="lessons/index.html">Lessons</a>}
      </header>
      <main>
        {isShown('panels') && <Panels />}
        {isShown('transport') && view.value.panel !== 'convolution' && <Transport />}
        {view.value.panel === 'tape' && <TapePanel />}
        {view.value.panel === 'convolution' && <ConvolutionPanel />}
        {view.value.panel === undefined && <Training />}
      </main>
      <State />
    </>
  );
}
