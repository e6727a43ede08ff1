import { printable } from '../../gan/printable.ts';

/** Shows how far a run has come. No method ever throws: a closed terminal must not end a run. */
export interface Progress {
  /**
   * Reports that `step` steps are done.
   *
   * @param values what to show, in this order, such as `{ critic: -3.2, generator: 0.4, W: 4.5 }`
   */
  update(step: number, values: Readonly<Record<string, number>>): void;
  /** Ends the display, leaving its last state. */
  stop(): void;
  /** `stop`, for `using progress = createProgress(...)`. */
  [Symbol.dispose](): void;
}

/** How `createProgress` shows. */
export interface ProgressOptions {
  /** Steps of the whole run. */
  readonly total: number;
  /** Images, or other samples, that one step learns from, for the rate. */
  readonly imagesPerStep: number;
  /** What the samples are; images unless given. */
  readonly samples?: 'images' | 'points';
  /** Steps done before, where a run is resumed; 0 unless given. */
  readonly start?: number;
  /** Shows nothing. */
  readonly quiet?: boolean;
  /** The stream to write to; standard error unless given. A terminal gets a bar, anything else a line now and then. */
  readonly stream?: NodeJS.WriteStream;
}

/** Seconds over which the rate is taken, so that it follows the run and forgets its slow start. */
const WINDOW = 20;
/** Without a terminal, seconds between two lines at most, and how many a run has at least. */
const LINE_SECONDS = 10;
const LINES = 10;
/** Milliseconds between two pictures of the bar. */
const DRAW = 200;
/** Characters of the bar. */
const SHORTEST_BAR = 6;
const LONGEST_BAR = 30;

/** Starts the display of a run: a bar on a terminal, else a plain line every 10 s and every 10 %. */
export function createProgress(options: ProgressOptions): Progress {
  const { total, imagesPerStep, samples = 'images', start = 0, quiet = false, stream = process.stderr } = options;
  if (quiet) return { update() {}, stop() {}, [Symbol.dispose]() {} };
  const out = guarded(stream);
  const clock = startClock(start);
  let state = { step: start, values: {} as Readonly<Record<string, number>> };

  /** The most important first, and whole fields only, as many as `width` characters hold. */
  const describe: Describe = (width = Number.POSITIVE_INFINITY) => {
    const { elapsed, rate } = clock.read(state.step);
    const fields = [`${state.step}/${total}`];
    for (const [name, value] of Object.entries(state.values)) fields.push(`${name} ${short(value)}`);
    if (rate > 0 && state.step < total) fields.push(`${minutes((total - state.step) / rate)} left`);
    if (rate > 0) fields.push(`${short(rate * imagesPerStep)} ${samples}/s`);
    fields.push(`${minutes(elapsed)} elapsed`);
    while (fields.length > 1 && fields.join('  ').length > width) fields.pop();
    return printable(fields.join('  '));
  };
  const show = stream.isTTY ? startBar(out, total, start, describe) : startLines(out, total, start, describe);
  const stop = (): void => show.stop();
  return {
    update(step, values) {
      state = { step, values };
      clock.mark(step);
      show.update(step);
    },
    stop,
    [Symbol.dispose]: stop,
  };
}

/** Says what is being done, on standard error: on a terminal in one line that is written over. */
export interface Notes {
  say(text: string): void;
  /** Ends the line, so that other output begins on a fresh one. */
  clear(): void;
  [Symbol.dispose](): void;
}

/** Starts them. @param quiet says nothing */
export function createNotes(quiet = false, stream: NodeJS.WriteStream = process.stderr): Notes {
  const out = guarded(stream);
  const clear = (): void => {
    if (!quiet && stream.isTTY) out.write('\r\x1B[K');
  };
  const say = (text: string): void => {
    if (quiet) return;
    clear();
    const line = printable(text);
    out.write(stream.isTTY ? line.slice(0, (stream.columns || 80) - 1) : `${line}\n`);
  };
  return { say, clear, [Symbol.dispose]: clear };
}

type Describe = (width?: number) => string;

interface Display {
  update(step: number): void;
  stop(): void;
}

function startBar(stream: NodeJS.WriteStream, total: number, start: number, describe: Describe): Display {
  let size = LONGEST_BAR; // shrinks where the text needs it and stays so, that it does not tremble
  let latest = start;
  const draw = (): void => {
    const width = stream.columns || 80;
    const text = describe(width - SHORTEST_BAR - 2);
    size = Math.max(SHORTEST_BAR, Math.min(size, width - text.length - 2));
    const done = Math.round(Math.min(1, latest / total) * size);
    stream.write(`\r${'█'.repeat(done)}${'░'.repeat(size - done)} ${text}\x1B[K`);
  };
  const timer = setInterval(draw, DRAW).unref();
  return {
    update: (step) => {
      latest = step;
    },
    stop() {
      clearInterval(timer);
      draw();
      stream.write('\n');
    },
  };
}

function startLines(stream: NodeJS.WriteStream, total: number, start: number, describe: Describe): Display {
  let printed = { step: start, time: performance.now() };
  let latest = start;
  const print = (): void => {
    printed = { step: latest, time: performance.now() };
    stream.write(`${describe()}\n`);
  };
  return {
    update(step) {
      latest = step;
      const lines = [step, printed.step].map((at) => Math.floor((at * LINES) / total));
      if (lines[0] !== lines[1] || performance.now() - printed.time >= LINE_SECONDS * 1000) print();
    },
    stop() {
      if (latest !== printed.step) print();
    },
  };
}

/** Seconds since the start, and steps per second over the last WINDOW seconds. */
function startClock(first: number) {
  const begin = performance.now();
  const marks = [{ step: first, time: begin }];
  return {
    mark(step: number): void {
      const time = performance.now();
      if (time - marks.at(-1)!.time < 1000) return;
      marks.push({ step, time });
      while (marks.length > 2 && time - marks[1]!.time > WINDOW * 1000) marks.shift();
    },
    read(step: number) {
      const time = performance.now();
      const { step: from, time: since } = marks[0]!;
      return { elapsed: (time - begin) / 1000, rate: time > since ? ((step - from) * 1000) / (time - since) : 0 };
    },
  };
}

/** The stream with writes that fail in silence. */
function guarded(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  stream.on('error', () => {});
  const write = (text: string): boolean => {
    try {
      return stream.write(text);
    } catch {
      return false;
    }
  };
  return Object.create(stream, { write: { value: write } }) as NodeJS.WriteStream;
}

/** Three significant digits or whole, whichever is more. */
function short(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function minutes(seconds: number): string {
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
