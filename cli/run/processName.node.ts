import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process among all that ever ran on all hosts. */
export interface ProcessName {
  readonly host: string;
  /** Which start of the host it is, null where the system does not tell. */
  readonly boot: string | null;
  /** Which process numbers are meant: containers have their own. Null where the system does not tell. */
  readonly space: string | null;
  readonly pid: number;
  /** When the process began, in ticks since the host started; null where the system does not tell. */
  readonly born: string | null;
}

/** The process that this is. */
export const thisProcess = (): ProcessName => ({ ...place(), pid: process.pid, born: birthOf(process.pid) });

/**
 * Whether a process is known to be over. Of one on another host, in another container or before the host's last start nothing is
 * known here.
 */
export function isGone(name: ProcessName): boolean {
  const { pid, born } = name;
  if (!isHere(name)) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'; // another user's process gives EPERM
  }
  // The number may have passed on to another process since.
  return born !== null && birthOf(pid) !== born;
}

/** Whether process numbers here mean those of a process's: the same host since the same start, and the same container. */
export function isHere({ host, boot, space }: ProcessName): boolean {
  const here = place();
  return host === here.host && boot === here.boot && space === here.space;
}

const place = (): Pick<ProcessName, 'host' | 'boot' | 'space'> => ({
  host: hostname(),
  boot: linux(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
  space: linux(() => readlinkSync('/proc/self/ns/pid')),
});

/** When a process began; null for one that has ended and waits for its parent to notice. */
function birthOf(pid: number): string | null {
  const found = statOf(pid);
  return found && !['Z', 'X'].includes(found.state) ? found.born : null;
}

/** What Linux says of a process; null where there is none, and on other systems. */
export function statOf(pid: number): {
  readonly name: string;
  readonly state: string;
  readonly parent: number;
  /** The first process of those that a terminal stops together. */
  readonly leader: number;
  readonly born: string;
} | null {
  const text = linux(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The name stands in brackets, and may hold brackets and spaces itself.
  const [, name, rest] = /^\d+ \((.*)\) (.*)/s.exec(text ?? '') ?? [];
  const fields = rest?.split(' ');
  return fields
    ? { name: name!, state: fields[0]!, parent: Number(fields[1]), leader: Number(fields[2]), born: fields[19]! }
    : null;
}

/** What /proc says; null where there is no such file, as on other systems. */
function linux<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}
