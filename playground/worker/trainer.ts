/**
 * The worker's side: opens a device, trains a trial, and tells of it. Requests are done one after the other; between two steps there is
 * room for them, so that a stop is heard within a step.
 * @module
 */
import { type Device, init } from '../../engine/index.ts';
import { WebGpuDevice } from '../../engine/webgpu/device.ts';
import { convolve } from '../convolution/convolve.ts';
import type { Setup } from '../setup/setup.ts';
import { record } from '../tape/record.ts';
import { Looker, type Wanted } from '../trial/look.ts';
import { type Half, Trial } from '../trial/trial.ts';
import { History } from './history.ts';
import type { Report, Request, Row } from './messages.ts';

/** Milliseconds between reports of numbers. */
const REPORT = 60;

const NOTHING: Wanted = { field: false, lines: false, arrows: false, plan: false, ideal: false, folds: false };

/** Gives way to messages that wait. */
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port2.onmessage = () => {
      port1.close();
      resolve();
    };
    port1.postMessage(null);
  });

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Trains what it is asked to. */
export class Trainer {
  readonly #tell: (report: Report) => void;
  #device: Device | undefined;
  #asked: string | undefined;
  #trial: Trial | undefined;
  #looker: Looker | undefined;
  readonly #history = new History();
  #number = 0;
  #wanted = NOTHING;
  /** Whether the page has drawn the last look. */
  #drawn = true;
  /** Whether there is something to draw that the page was not ready for: the last step must be seen. */
  #late = false;
  /** The run under way, if it is to go on. */
  #run: object | undefined;
  #rows: Row[] = [];
  #last: Promise<void> = Promise.resolve();

  /** @param tell sends a report to the page */
  constructor(tell: (report: Report) => void) {
    this.#tell = tell;
  }

  /** Does what is asked, after what was asked before. */
  handle(request: Request): Promise<void> {
    if (request.kind === 'stop' || request.kind === 'begin' || request.kind === 'back') this.#run = undefined;
    if (request.kind === 'drawn') {
      this.#drawn = true;
      return this.#late ? this.#queued(() => this.#look()) : Promise.resolve();
    }
    return this.#queued(() => this.#do(request));
  }

  /** Does one thing after the other. What fails ends the run and is told. */
  #queued(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work).catch((error: Error) => this.#failed(error));
    this.#last = done;
    return done;
  }

  async #do(request: Request): Promise<void> {
    switch (request.kind) {
      case 'open':
        this.#asked = request.device;
        return this.#open();
      case 'begin':
        return this.#begin(request.setup);
      case 'change':
        await this.#trial?.change(request.setup);
        return this.#look();
      case 'want':
        this.#wanted = request.wanted;
        return this.#look();
      case 'step':
        await this.#step(request.half);
        this.#flush();
        return this.#look();
      case 'back':
        return this.#back(request.step);
      case 'tape':
        return this.#tell({ kind: 'tape', recording: await record(request.subject, this.#trial) });
      case 'convolve':
        return this.#tell({ kind: 'convolved', convolved: await convolve(request.convolution) });
      case 'run': {
        const run = {};
        this.#run = run;
        void this.#train(run, request); // it takes its turns between requests
        return;
      }
      case 'stop':
      case 'drawn':
        return;
    }
  }

  async #open(): Promise<void> {
    let because: string | undefined;
    const reference = this.#asked === 'reference';
    try {
      this.#device = await init(reference ? { adapter: 'reference' } : {});
    } catch (error) {
      because = (error as Error).message;
      this.#device = await init({ adapter: 'reference' });
    }
    this.#tell({ kind: 'ready', device: this.#device.name, reference: reference || because !== undefined, because });
  }

  async #begin(setup: Setup): Promise<void> {
    const fresh = new Trial(setup);
    this.#trial?.dispose();
    this.#trial = fresh;
    this.#looker = new Looker(fresh);
    this.#history.clear();
    this.#history.keep(await fresh.snapshot());
    this.#begun();
    await this.#look(true);
  }

  #begun(): void {
    const trial = this.#trial!;
    const { critic, generator } = trial.gan.networks;
    const size = (parameters: readonly { size: number }[]): number => parameters.reduce((n, p) => n + p.size, 0);
    this.#number++;
    this.#rows = [];
    this.#tell({
      kind: 'begun',
      trial: this.#number,
      step: trial.step,
      parameters: { critic: size(critic.parameters()), generator: size(generator.parameters()) },
    });
    this.#tell({ kind: 'kept', trial: this.#number, steps: this.#history.steps });
  }

  async #back(step: number): Promise<void> {
    const kept = this.#history.back(step);
    if (!kept || !this.#trial) return;
    await this.#trial.restore(kept);
    this.#begun();
    await this.#look(true);
  }

  async #step(half: Half): Promise<void> {
    const trial = this.#trial!;
    const values = await trial.next(half);
    this.#rows.push({ step: trial.step, half, values });
    if (half !== 'both' || !this.#history.keeps(trial.step)) return;
    this.#history.keep(await trial.snapshot());
  }

  /** Steps until it is told to stop. Each is a request of its own, so that others come between. */
  async #train(run: object, { half, until, pause }: Extract<Request, { kind: 'run' }>): Promise<void> {
    const begun = { at: performance.now(), steps: 0 };
    let told = begun.at;
    while (this.#run === run) {
      const trial = this.#trial!;
      if (until !== undefined && trial.step >= until) break;
      await this.#queued(async () => {
        if (this.#run !== run) return;
        await this.#step(half);
        begun.steps++;
        const now = performance.now();
        if (now - told < REPORT) return;
        told = now;
        this.#flush((1000 * begun.steps) / (now - begun.at));
        await this.#look();
      });
      await (pause > 0 ? wait(pause) : turn());
    }
    await this.#queued(async () => {
      if (this.#run !== run && this.#run !== undefined) return; // another run has begun
      this.#run = undefined;
      this.#flush();
      await this.#look();
      this.#tell({ kind: 'stopped', trial: this.#number, step: this.#trial!.step });
    });
  }

  #flush(speed?: number): void {
    if (this.#rows.length === 0) return;
    this.#tell({ kind: 'rows', trial: this.#number, rows: this.#rows, speed });
    this.#rows = [];
    this.#tell({ kind: 'kept', trial: this.#number, steps: this.#history.steps });
  }

  /** Tells what is to be drawn, if the page has drawn the last. */
  async #look(anyway = false): Promise<void> {
    if (!this.#looker) return;
    this.#late = !(this.#drawn || anyway);
    if (this.#late) return;
    this.#drawn = false;
    const [trial, look] = [this.#number, await this.#looker.look(this.#wanted)];
    this.#tell({ kind: 'look', trial, look });
  }

  async #failed(error: Error): Promise<void> {
    this.#run = undefined;
    this.#tell({ kind: 'failed', message: error.message });
    if (this.#device instanceof WebGpuDevice && !this.#device.alive) await this.#reopened();
  }

  /** Goes on from the last kept state on a new device, where the old one was lost. */
  async #reopened(): Promise<void> {
    const kept = this.#history.back(Infinity);
    await this.#open();
    if (!this.#trial || !kept) return;
    this.#trial = new Trial(this.#trial.setup); // the memory of the old one went with its device
    this.#looker = new Looker(this.#trial);
    await this.#trial.restore(kept);
    this.#begun();
    await this.#look(true);
  }
}
