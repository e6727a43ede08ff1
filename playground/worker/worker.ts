/** The worker's entry: the engine runs here, so that the page never waits. */
import type { Report, Request } from './messages.ts';
import { Trainer } from './trainer.ts';

/** What of a worker's global object is used; the types of a page and a worker do not go together. */
interface Scope {
  postMessage(message: Report, transfer: Transferable[]): void;
  onmessage: ((event: { readonly data: Request }) => void) | null;
}

const worker = globalThis as unknown as Scope;

/** The arrays of a report: they are handed over, not copied. */
function arraysIn(value: unknown): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) return [value.buffer as ArrayBuffer];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(arraysIn);
}

const trainer = new Trainer((report) => worker.postMessage(report, [...new Set(arraysIn(report))]));

worker.onmessage = ({ data }) => void trainer.handle(data);
