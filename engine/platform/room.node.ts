/** How much memory a process can still have, where its system says so: for adapters that compute in the memory of the host. */
import { readFileSync } from 'node:fs';

/** Bytes of address space that are left to the driver: near its end drivers do not fail, they crash. */
const SPARE_ADDRESSES = 2 ** 29;
/** Bytes of memory that are left, to the driver and to V8: beyond its end the system ends the process. */
const SPARE = 2 ** 26;

/**
 * Bytes that one more allocation may take: of the address space (`ulimit -v`), of the control group, and of the machine. On
 * systems without `/proc` nobody says, and there is no limit.
 */
export function room(): number {
  return Math.min(addressSpace() - SPARE_ADDRESSES, controlGroup() - SPARE, machine() - SPARE);
}

function addressSpace(): number {
  const limit = numberIn('/proc/self/limits', /^Max address space +(\d+)/m);
  return limit - numberIn('/proc/self/status', /^VmSize:\s+(\d+)/m, 0) * 1024;
}

function controlGroup(): number {
  const limit = numberIn('/sys/fs/cgroup/memory.max', /^(\d+)/);
  if (limit === Number.POSITIVE_INFINITY) return limit;
  // Copies of files are dropped when memory runs short.
  const files = ['inactive', 'active'].map((kind) =>
    numberIn('/sys/fs/cgroup/memory.stat', new RegExp(`^${kind}_file (\\d+)`, 'm'), 0),
  );
  return limit - numberIn('/sys/fs/cgroup/memory.current', /^(\d+)/, 0) + files[0]! + files[1]!;
}

function machine(): number {
  const swap = numberIn('/proc/meminfo', /^SwapFree:\s+(\d+)/m, 0);
  return (numberIn('/proc/meminfo', /^MemAvailable:\s+(\d+)/m) + swap) * 1024;
}

/** A number in a file of the system; infinity, unless said otherwise, where there is none. */
function numberIn(path: string, pattern: RegExp, otherwise = Number.POSITIVE_INFINITY): number {
  try {
    return Number(pattern.exec(readFileSync(path, 'utf8'))?.[1] ?? otherwise);
  } catch {
    return otherwise; // another system, or one that hides it
  }
}
