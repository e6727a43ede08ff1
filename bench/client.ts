/** The parent's side of a library that runs in a process of its own; see worker.ts. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Roofs } from '../engine/index.ts';
import type { FirstStep, Library, Sample, Task } from './task.ts';

/** What a worker can be asked, with its answer. */
export interface Calls {
  /** Opens the library. @returns the adapter as it names itself */
  open: { ask: { library: Library }; answer: string };
  /** The adapter's roofs; wgrad's worker only. */
  roofs: { ask: object; answer: Roofs };
  /** Makes a task the current one, and runs it for its results. */
  prepare: { ask: { task: Task }; answer: Float32Array[] };
  /** Times `calls` calls of the current task; with `record` also the thread's own part of it, which costs a moment. */
  time: { ask: { calls: number; record?: boolean }; answer: Sample };
  dispose: { ask: object; answer: null };
  /** Prepares the task and times its first call, in a process that has run nothing else; then counts memory over `steps` more. */
  first: { ask: { task: Task; steps: number }; answer: FirstStep };
}

export type Request = { [K in keyof Calls]: { readonly call: K } & Calls[K]['ask'] }[keyof Calls];
export type Reply = { readonly answer: Calls[keyof Calls]['answer'] } | { readonly error: string };

/** Longest wait for one answer, in milliseconds. */
const LIMIT = 600_000;

export class Worker {
  readonly library: Library;
  readonly adapter: string;
  readonly #process: ChildProcess;
  readonly #output: { text: string };

  private constructor(library: Library, process: ChildProcess, output: { text: string }, adapter: string) {
    this.library = library;
    this.#process = process;
    this.#output = output;
    this.adapter = adapter;
  }

  /** @param environment added to this process's own */
  static async start(library: Library, environment: Readonly<Record<string, string>>): Promise<Worker> {
    const child = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), {
      serialization: 'advanced',
      execArgv: ['--import=tsx'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...environment },
    });
    const output = { text: '' };
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output.text = (output.text + text).slice(-4000);
      });
    }
    try {
      const adapter = await request(child, output, { call: 'open', library });
      return new Worker(library, child, output, adapter as string);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  /** @throws Error with the library's own message, or with how its process ended */
  async call<K extends keyof Calls>(call: K, ask: Calls[K]['ask']): Promise<Calls[K]['answer']> {
    return (await request(this.#process, this.#output, { call, ...ask } as Request)) as Calls[K]['answer'];
  }

  get alive(): boolean {
    return this.#process.connected;
  }

  /** Ends the process; whatever it holds goes with it. */
  stop(): void {
    this.#process.kill('SIGKILL');
  }
}

/** One question at a time. */
function request(child: ChildProcess, output: { text: string }, ask: Request): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      child.off('message', answered);
      child.off('exit', ended);
      settle();
    };
    const answered = (reply: Reply) =>
      finish(() => ('error' in reply ? reject(new Error(reply.error)) : resolve(reply.answer)));
    const ended = (code: number | null, signal: string | null) => {
      const last = output.text.trim().split('\n').at(-1);
      finish(() =>
        reject(new Error(`its process ended with ${signal ?? `exit code ${code}`}${last ? `: ${last}` : ''}`)),
      );
    };
    const timer = setTimeout(() => {
      finish(() => reject(new Error(`no answer within ${LIMIT / 1000} s`)));
      child.kill('SIGKILL');
    }, LIMIT);
    child.on('message', answered);
    child.on('exit', ended);
    if (!child.connected) ended(child.exitCode, child.signalCode);
    else child.send(ask);
  });
}
