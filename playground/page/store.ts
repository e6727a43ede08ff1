/**
 * The state of the page: signals that controls and panels read, and the actions that change them. The link follows the state.
 * @module
 */
import { batch, computed, signal } from '@preact/signals';
import type { Convolved } from '../convolution/convolution.ts';
import { restarts } from '../setup/entries.ts';
import { type Link, readLink, usualView, writeLink } from '../setup/link.ts';
import type { Setup } from '../setup/setup.ts';
import type { Recording } from '../tape/subjects.ts';
import type { Look, Wanted } from '../trial/look.ts';
import type { Half } from '../trial/trial.ts';
import type { Report, Request, Row } from '../worker/messages.ts';
import { type Ask, startWorker } from './client.ts';
import { colourings, type LayerName, layers, usualLayers } from './layers.ts';

/** How fast it runs: the milliseconds of rest after each step. */
export const paces = { fast: 0, slow: 1000 } as const;

/** The state of a page that was saved with one; a link goes before it. */
const saved = document.querySelector<HTMLMetaElement>('meta[name="wgrad-state"]')?.content ?? '';

const opened: Link = readLink(location.hash.length > 1 ? location.hash : saved);

/** What decides the training. */
export const setup = signal<Setup>(opened.setup);
/** How the page is shown. */
export const view = signal(opened.view);
const unknown = signal(opened.unknown);
/** What of the link could not be taken as it stood, and what failed. */
export const notes = signal<readonly string[]>(opened.notes);
/** The device, once it is open. */
export const device = signal<Extract<Report, { kind: 'ready' }> | undefined>(undefined);
/** Whether it trains now. */
export const running = signal(false);
/** What a step is. */
export const half = signal<Half>('both');
/** How fast it runs. */
export const pace = signal<keyof typeof paces>('fast');
/** Steps in a second, as measured last. */
export const speed = signal<number | undefined>(undefined);
/** The numbers of all steps so far. */
export const rows = signal<readonly Row[]>([]);
/** The numbers of steps that were gone back over, of the last branch. */
export const ghosts = signal<readonly Row[]>([]);
/** The exact distance at the steps that were drawn. */
export const distances = signal<readonly { readonly step: number; readonly distance: number }[]>([]);
/** What is drawn. */
export const look = signal<Look | undefined>(undefined);
/** What the tape panel shows. */
export const recording = signal<Recording | undefined>(undefined);
/** What the convolution panel shows. */
export const convolved = signal<Convolved | undefined>(undefined);
/** The steps to go back to. */
export const kept = signal<readonly number[]>([]);
/** The numbers of parameters. */
export const parameters = signal<{ readonly critic: number; readonly generator: number } | undefined>(undefined);
/** The layers of the plane that are drawn. */
export const shown = signal<ReadonlySet<LayerName>>(
  new Set(
    (opened.view.layers?.filter((name) => Object.hasOwn(layers, name)) as LayerName[] | undefined) ?? usualLayers,
  ),
);
/** The place that is read, by the mouse or the arrow keys: x and y. */
export const probe = signal<readonly [x: number, y: number] | undefined>(undefined);

/** The step that the trial has come to. */
export const step = computed(() => Math.max(rows.value.at(-1)?.step ?? 0, look.value?.step ?? 0));

/** What follows the # of a link to the state now. */
export const link = computed(() => {
  const names = [...shown.value];
  const usual = names.length === usualLayers.length && usualLayers.every((name) => shown.value.has(name));
  return writeLink({
    setup: setup.value,
    view: { ...view.value, layers: usual ? undefined : names },
    unknown: unknown.value,
  });
});

/** Whether a control or a panel is shown. */
export const isShown = (name: string): boolean => !view.value.hide.includes(name);
/** Whether a control cannot be changed. */
export const isLocked = (name: string): boolean => view.value.lock.includes(name);

let ask: Ask;
let trial = 0;

/** What the layers that are shown need of the trial. */
const wanted = (): Wanted => ({
  field:
    ['critic', 'slopes', 'ideal', 'levels'].some((name) => shown.value.has(name as LayerName)) ||
    probe.value !== undefined,
  lines: true, // the histogram of slopes shows them too
  arrows: shown.value.has('arrows'),
  plan: true, // its cost is the exact distance
  ideal: shown.value.has('ideal'),
  folds: shown.value.has('folds'),
});

function heard(report: Report): void {
  if ('trial' in report && report.kind !== 'begun' && report.trial !== trial) return; // of a trial that was left
  batch(() => {
    switch (report.kind) {
      case 'ready':
        device.value = report;
        break;
      case 'begun':
        trial = report.trial;
        parameters.value = report.parameters;
        ghosts.value = report.step > 0 ? rows.value.filter((row) => row.step > report.step) : [];
        rows.value = rows.value.filter((row) => row.step <= report.step);
        distances.value = distances.value.filter((at) => at.step <= report.step);
        break;
      case 'rows':
        rows.value = [...rows.value, ...report.rows];
        if (report.speed !== undefined) speed.value = report.speed;
        break;
      case 'look': {
        look.value = report.look;
        const { step, plan } = report.look;
        if (plan && distances.value.at(-1)?.step !== step) {
          distances.value = [...distances.value, { step, distance: plan.cost }];
        }
        break;
      }
      case 'kept':
        kept.value = report.steps;
        break;
      case 'tape':
        recording.value = report.recording;
        break;
      case 'convolved':
        convolved.value = report.convolved;
        break;
      case 'stopped':
        running.value = false;
        break;
      case 'failed':
        running.value = false;
        notes.value = [...notes.value, report.message];
        break;
    }
  });
  if (report.kind === 'look') requestAnimationFrame(() => ask({ kind: 'drawn' }));
}

/** Starts the worker and the first trial. */
export function start(): void {
  ask = startWorker(heard);
  ask({ kind: 'open', device: view.value.device });
  ask({ kind: 'want', wanted: wanted() });
  begin();
  document.addEventListener('visibilitychange', () => {
    if (document.hidden && running.value) stop();
  });
  link.subscribe((hash) => {
    const url = hash === '' ? location.pathname + location.search : `#${hash}`;
    if (location.hash.replace(/^#/, '') !== hash) history.replaceState(null, '', url);
  });
  addEventListener('hashchange', () => {
    const read = readLink(location.hash);
    if (writeLink(read) === link.value) return;
    batch(() => {
      view.value = { ...usualView, ...read.view };
      unknown.value = read.unknown;
      notes.value = read.notes;
    });
    change(read.setup);
  });
}

/** Asks the worker for what a panel shows. */
export function request(what: Extract<Request, { kind: 'tape' | 'convolve' }>): void {
  ask(what);
}

/** A new trial of the setup: the same seed gives the same again. */
export function begin(): void {
  running.value = false;
  batch(() => {
    rows.value = [];
    ghosts.value = [];
    distances.value = [];
    speed.value = undefined;
  });
  ask({ kind: 'begin', setup: setup.value });
}

/** Takes other settings: under way where that can be, else in a new trial. */
export function change(to: Setup): void {
  const from = setup.value;
  setup.value = to;
  if (!restarts(from, to)) {
    ask({ kind: 'change', setup: to });
    return;
  }
  const went = running.value;
  begin();
  if (went) run();
}

/** Trains on. */
export function run(): void {
  if (running.value) return;
  running.value = true;
  ask({ kind: 'run', half: half.value, until: view.value.until, pause: paces[pace.value] });
}

/** Stops after the step under way. */
export function stop(): void {
  running.value = false;
  ask({ kind: 'stop' });
}

/** Does one step, or half of one. */
export function once(what: Half): void {
  if (running.value) stop();
  ask({ kind: 'step', half: what });
}

/** Goes back to the last kept state at or before a step. */
export function back(to: number): void {
  running.value = false;
  ask({ kind: 'back', step: to });
}

/** Changes what a step is, or how fast it runs, also while it does. */
export function steer(to: { readonly half?: Half; readonly pace?: keyof typeof paces }): void {
  const went = running.value;
  if (went) stop();
  if (to.half) half.value = to.half;
  if (to.pace) pace.value = to.pace;
  if (went) run();
}

/** Shows or hides a layer of the plane. */
export function toggle(name: LayerName): void {
  const next = new Set(shown.value);
  if (!next.delete(name)) {
    next.add(name);
    // Two colourings of the whole plane would hide each other.
    if (colourings.includes(name)) for (const other of colourings) if (other !== name) next.delete(other);
  }
  shown.value = next;
  ask({ kind: 'want', wanted: wanted() });
}

/** Reads the plane at a place, or nowhere. */
export function point(at: readonly [number, number] | undefined): void {
  const first = probe.value === undefined && at !== undefined;
  probe.value = at;
  if (first) ask({ kind: 'want', wanted: wanted() });
}
