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
  /** How many times faster wgrad is. */
  readonly vs_tfjs: number | null;
  readonly vs_jaxjs: number | null;
  /** What wgrad reaches. */
  readonly gflops: number | null;
  readonly gbps: number | null;
  /** Share of the roof: FMA where `gflops` is given, copy where `gbps` is. */
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
  notes.push(...verdict.notes);

  const samples = new Map<Library, Sample[]>();
  const calls = new Map<Library, number>();
  const limits = new Map<Library, number>();
  for (const library of verdict.agree) {
    try {
      const worker = await workers.get(library);
      let warm = await worker.call('time', { calls: 1 });
      if (warm.ms < slow) warm = await worker.call('time', { calls: 2 });
      calls.set(library, await callsOf(worker, warm.ms, sample));
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
        taken.push(await (await workers.get(library)).call('time', { calls: calls.get(library)! }));
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
  const figure = (library: Library) => {
    const taken = samples.get(library);
    return taken && taken.length > 0 ? median(taken.map((s) => value(one, s))) : null;
  };
  return row(one, figure, roofs, verdict.difference, notes);
}

/**
 * How many calls fill a sample. The first ones are slow, and wait a whole turn of the poll for the queue, so whole samples
 * that do not count correct them; by then V8 has compiled the JavaScript too.
 */
async function callsOf(worker: Worker, ms: number, sample: number): Promise<number> {
  const fill = (one: number) => Math.min(1000, Math.ceil(sample / one));
  let count = fill(ms);
  for (let k = 0; k < 4 && count > 2; k++) {
    const wanted = fill((await worker.call('time', { calls: count })).ms);
    if (wanted < 1.5 * count) break;
    count = wanted;
  }
  return count;
}

const value = ({ measure }: Case, { ms, recordMs, dispatches }: Sample): number =>
  measure === 'total' ? ms : recordMs / dispatches;

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

function row(
  { suite, name, shape, flops, bytes }: Case,
  figure: (library: Library) => number | null,
  roofs: Roofs,
  difference: number,
  notes: readonly string[],
): Row {
  const [own, tfjs, jaxjs] = [figure('wgrad'), figure('tfjs'), figure('jaxjs')];
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
    vs_tfjs: faster(tfjs),
    vs_jaxjs: faster(jaxjs),
    gflops,
    gbps,
    of_roof: gflops !== null ? gflops / roofs.gflops : gbps !== null ? gbps / roofs.gbps : null,
    difference: Number.isNaN(difference) ? null : difference,
    note: notes.join('; '),
  };
}
