import { statOf } from './run/processName.node.ts';
import { forgiveReaders, terminal } from './terminal/terminal.node.ts';

/** Signals that ask a process to end, and the exit status of one that did as asked: 128 and the signal's number, as in shells. */
export const stopSignals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** A signal that asks to stop. */
export type StopSignalName = keyof typeof stopSignals;

const names = Object.keys(stopSignals) as readonly StopSignalName[];

/** npm passes Ctrl-C on to its child, which the terminal has told already: what follows so soon, in milliseconds, is the same signal. */
const SAME = 500;

/**
 * Aborts on the first Ctrl-C, SIGTERM (systemd, Kubernetes, Slurm) or SIGHUP (a terminal that is closed), with the signal's name as
 * the reason, and lets the second end the process.
 * @param what is finished before the end, such as 'the step under way'
 * @returns what stops listening, unless a signal has come
 */
export function onStopSignals(interrupt: AbortController, what: string): () => void {
  const unhandle = (): void => {
    for (const name of names) process.off(name, handle);
  };
  const handle = (name: StopSignalName): void => {
    if (interrupt.signal.aborted) return;
    // Behind a terminal that is gone there is nobody to tell, which must not end a run before its checkpoint.
    if (name === 'SIGHUP') forgiveReaders();
    const again = name === 'SIGINT' ? 'press Ctrl-C again' : 'send another signal';
    terminal.err.text(`\nstopping after ${what}; ${again} to stop at once`);
    interrupt.abort(name);
    setTimeout(unhandle, SAME).unref();
  };
  for (const name of names) process.on(name, handle);
  const unwatch = watchNpm(handle);
  return () => {
    unwatch();
    if (!interrupt.signal.aborted) unhandle();
  };
}

/** The shells that npm puts between itself and a command. */
const SHELLS = ['sh', 'dash', 'bash', 'ash', 'busybox', 'zsh'];
/** Milliseconds between two looks. */
const LOOK = 500;

/**
 * What npm is told with SIGTERM it passes on to the shell that it started, which dies of it and leaves the command alone; and of
 * SIGHUP npm dies itself. So what npm started looks whether shell and npm are still there, unless it leads a group of its own: who
 * starts it so (setsid, `detached`) means it to outlive them.
 * @returns what ends it
 */
function watchNpm(handle: (name: StopSignalName) => void): () => void {
  const isDetached = statOf(process.pid)?.leader === process.pid;
  if (process.env.npm_lifecycle_event === undefined || isDetached) return () => {};
  const { ppid } = process;
  const shell = statOf(ppid);
  const npm = shell && SHELLS.includes(shell.name) ? shell.parent : undefined;
  const timer = setInterval(() => {
    if (process.ppid !== ppid) handle('SIGTERM');
    else if (npm !== undefined && statOf(ppid)?.parent !== npm) handle('SIGHUP');
  }, LOOK).unref();
  return () => clearInterval(timer);
}

/** The exit status of what has stopped because of a signal. */
export const stoppedStatus = ({ reason }: AbortSignal): number =>
  stopSignals[reason as StopSignalName] ?? stopSignals.SIGINT;
