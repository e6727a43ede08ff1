/** Rounds: every library on every case, one after another, again and again. */
import type { Roofs } from '../engine/index.ts';
import { Worker } from './client.ts';
import { judge, type Outputs } from './compare.ts';
import type { Case, Library, Sample, Suite } from './task.ts';

export interface Row {
  readonly suite: Suite;
  readonly name: string;
  readonly shape: string;
  /** Median milliseconds of a call; of a case that measures recording, of JavaScript for a dispatch. Null: see the note. */
  readonly wgrad_ms: number | null;
  readonly tfjs_ms: number | null;
  readonly jaxjs_ms: number | null;
  /** How far the rounds lie apart: half the distance of their quartiles, as a part of the median. Null of one round. */
  readonly wgrad_spread?: number | null;
  readonly tfjs_spread?: number | null;
  readonly jaxjs_spread?: number | null;
  /** How many times faster wgrad is. */
  readonly vs_tfjs: number | null;
  readonly vs_jaxjs: number | null;
  /** What wgrad reaches. */
  readonly gflops: number | null;
  readonly gbps: number | null;
  /**
   * Share of the roof: FMA where `gflops` is given, copy where `gbps` is. A roof that was exceeded was measured again; what is above 1
   * still, as of data that stay in a cache, says so in the note.
   */
  readonly of_roof: number | null;
  /** Largest difference between the libraries' results, relative to the largest value; null if there was nothing to compare. */
  readonly difference: number | null;
  readonly note: string;
  /** Instead of times, of rows that count memory: the most bytes in live buffers, in MB (10^6). */
  readonly wgrad_mb?: number | null;
  readonly tfjs_mb?: number | null;
  readonly jaxjs_mb?: number | null;
}

export interface Plan {
  readonly libraries: readonly Library[];
  readonly rounds: number;
  /** Shortest sample in milliseconds: as many calls as it takes. */
  readonly sample: number;
  /** A library whose call takes longer than this in milliseconds gets three rounds at most; five times as long, one. */
  readonly slow: number;
  /** Added to the workers' environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The libraries' processes, started when first needed and again after they ended. */
export class Workers {
  readonly plan: Plan;
  readonly #running = new Map<Library, Worker>();
  adapter = '';

  constructor(plan: Plan) {
    this.plan = plan;
  }

  async get(library: Library): Promise<Worker> {
    const running = this.#running.get(library);
    if (running?.alive) return running;
    const started = await Worker.start(library, this.plan.environment);
    this.adapter ||= started.adapter;
    if (started.adapter !== this.adapter) {
      started.stop();
      throw new Error(`${library} got the adapter ${started.adapter}, the others ${this.adapter}`);
    }
    this.#running.set(library, started);
    return started;
  }

  /** Starts all processes side by side. Why one does not start is said in the first row. */
  async start(): Promise<void> {
    await Promise.allSettled(this.plan.libraries.map((library) => this.get(library)));
  }

  runs(library: Library): boolean {
    return this.#running.get(library)?.alive === true;
  }

  async roofs(): Promise<Roofs> {
    return (await this.get('wgrad')).call('roofs', {});
  }

  /** Ends one process, or all. */
  stop(library?: Library): void {
    for (const [name, worker] of [...this.#running]) {
      if (library && name !== library) continue;
      worker.stop();
      this.#running.delete(name);
    }
  }
}

/** Runs one case in all libraries. What a library cannot do is said in the row's note. */
export async function measure(one: Case, workers: Workers, roofs: Roofs): Promise<Row> {
  const { libraries, rounds, sample, slow } = workers.plan;
  const record = one.measure === 'record';
  const notes: string[] = [];
  const outputs = new Map<Library, Float32Array[]>();
  const fail = (library: Library, error: unknown) => {
    notes.push(`${library}: ${(error as Error).message}`);
    // Whatever state it is in, the next row gets a fresh process.
    workers.stop(library);
  };
  for (const library of libraries) {
    try {
      outputs.set(library, await (await workers.get(library)).call('prepare', { task: one.task }));
    } catch (error) {
      fail(library, error);
    }
  }
  const verdict = judge(outputs as Outputs, one.tolerance);
  for (const note of verdict.notes) notes.push(note);

  const samples = new Map<Library, Sample[]>();
  const calls = new Map<Library, number>();
  const limits = new Map<Library, number>();
  for (const library of verdict.agree) {
    try {
      const worker = await workers.get(library);
      let warm = await worker.call('time', { calls: 1, record });
      if (warm.ms < slow) warm = await worker.call('time', { calls: 2, record });
      calls.set(library, await callsOf(worker, one, warm, sample));
      limits.set(library, warm.ms < slow ? rounds : warm.ms < 5 * slow ? Math.min(3, rounds) : 1);
      samples.set(library, warm.ms < 5 * slow ? [] : [warm]);
    } catch (error) {
      fail(library, error);
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const [library, taken] of samples) {
      if (taken.length >= limits.get(library)!) continue;
      try {
        taken.push(await (await workers.get(library)).call('time', { calls: calls.get(library)!, record }));
      } catch (error) {
        fail(library, error);
        samples.delete(library);
      }
    }
  }
  for (const library of outputs.keys()) {
    if (!workers.runs(library)) continue;
    try {
      await (await workers.get(library)).call('dispose', {});
    } catch (error) {
      fail(library, error);
    }
  }
  for (const [library, limit] of limits) if (limit < rounds) notes.push(`${library}: slow, rounds: ${limit}`);
  if (one.suite === 'overhead') {
    const counts = [...samples].map(([library, [first]]) => `${library} ${first?.dispatches ?? '-'}`);
    notes.push(`dispatches a call: ${counts.join(', ')}`);
  }
  if (one.note) notes.push(one.note);
  const figures = new Map<Library, Figure>();
  for (const [library, taken] of samples) {
    const found = figureOf(one, taken);
    if (typeof found === 'string') notes.push(`${library}: ${found}`);
    else if (found) figures.set(library, found);
  }
  const made = row(one, figures, roofs, verdict.difference, notes);
  if (!(made.of_roof !== null && made.of_roof > 1)) return made;
  // The roof was measured in a busier moment, or the data lie nearer than those that it was measured with.
  const again = await workers.roofs();
  const higher = { gflops: Math.max(roofs.gflops, again.gflops), gbps: Math.max(roofs.gbps, again.gbps) };
  const held = row(one, figures, higher, verdict.difference, notes);
  const above = 'above the roof, which was measured twice: the data may stay in a cache';
  return held.of_roof! > 1 ? { ...held, note: [held.note, above].filter(Boolean).join('; ') } : held;
}

/** A median with the spread of its rounds. */
export interface Figure {
  readonly ms: number;
  readonly spread: number | null;
}

/**
 * The median of a library's samples; a text that says why there is none where the clock moves in steps too long for it; undefined
 * without samples.
 */
export function figureOf({ measure }: Pick<Case, 'measure'>, samples: readonly Sample[]): Figure | string | undefined {
  if (samples.length === 0) return undefined;
  if (measure === 'record') {
    if (samples.some(({ dispatches }) => !(dispatches > 0))) return 'no dispatch, so that there is no time for one';
    const [middle, calls, grain] = [
      median(samples.map(({ recordMs }) => recordMs)),
      median(samples.map((sample) => sample.calls)),
      median(samples.map(({ grainMs }) => grainMs)),
    ];
    if (!(middle * calls >= GRAINS * grain && middle > 0)) {
      return `the clock moves in steps of ${grain.toPrecision(2)} ms, too long for ${calls} calls`;
    }
  }
  const values = samples.map((sample) => value(measure, sample));
  const ms = median(values);
  if (!(ms > 0)) return 'less than the clock can tell';
  const spread = values.length > 1 ? (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / ms : null;
  return { ms, spread };
}

/** Steps of the clock that a sample must be long: it is then right to a tenth. */
const GRAINS = 10;

/**
 * How many calls fill a sample. The first ones are slow, and wait a whole turn of the poll for the queue, so whole samples
 * that do not count correct them; by then V8 has compiled the JavaScript too.
 */
async function callsOf(worker: Worker, { measure }: Case, warm: Sample, sample: number): Promise<number> {
  const fill = ({ ms, recordMs, calls, grainMs }: Sample) => {
    const wanted = Math.min(1000, Math.ceil(sample / ms));
    if (measure === 'total') return wanted;
    // Of short calls so many that the clock's steps do not matter, if they take no more than a second and a half.
    const seen = Math.max(recordMs, grainMs / calls / 4);
    const least = seen > 0 ? Math.ceil((1.5 * GRAINS * grainMs) / seen) : 1;
    return Math.max(wanted, Math.min(least, Math.ceil(1500 / ms)));
  };
  let count = fill(warm);
  for (let k = 0; k < 4 && count > 2; k++) {
    const wanted = fill(await worker.call('time', { calls: count, record: measure === 'record' }));
    if (wanted < 1.5 * count) break;
    count = wanted;
  }
  return count;
}

const value = (measure: Case['measure'], { ms, recordMs, dispatches }: Sample): number =>
  measure === 'total' ? ms : recordMs / dispatches;

/** The value below which a part of the values lies, between its neighbours in proportion. @param part 0 to 1 */
function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = part * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return below + (place - Math.floor(place)) * (above - below);
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

function row(
  { suite, name, shape, flops, bytes }: Case,
  figures: ReadonlyMap<Library, Figure>,
  roofs: Roofs,
  difference: number,
  notes: readonly string[],
): Row {
  const ms = (library: Library) => figures.get(library)?.ms ?? null;
  const spread = (library: Library) => figures.get(library)?.spread ?? null;
  const [own, tfjs, jaxjs] = [ms('wgrad'), ms('tfjs'), ms('jaxjs')];
  const rate = (work: number | undefined) => (own === null || work === undefined ? null : work / own / 1e6);
  const [gflops, gbps] = [rate(flops), rate(bytes)];
  const faster = (other: number | null) => (own === null || other === null ? null : other / own);
  return {
    suite,
    name,
    shape,
    wgrad_ms: own,
    tfjs_ms: tfjs,
    jaxjs_ms: jaxjs,
    wgrad_spread: spread('wgrad'),
    tfjs_spread: spread('tfjs'),
    jaxjs_spread: spread('jaxjs'),
    vs_tfjs: faster(tfjs),
    vs_jaxjs: faster(jaxjs),
    gflops,
    gbps,
    of_roof: gflops !== null ? gflops / roofs.gflops : gbps !== null ? gbps / roofs.gbps : null,
    difference: Number.isNaN(difference) ? null : difference,
    note: notes.join('; '),
  };
}
