/** The page's side of the worker: where its script is, and what it says. */
import type { Report, Request } from '../worker/messages.ts';

/** Sends a request to the worker. */
export type Ask = (request: Request) => void;

/**
 * Starts the worker: from its file beside the page, or, in a page of one file, from the text in it.
 * @param heard is called with each report
 */
export function startWorker(heard: (report: Report) => void): Ask {
  const script = document.getElementById('worker') as HTMLScriptElement;
  const source = script.textContent;
  const url = source ? URL.createObjectURL(new Blob([source], { type: 'text/javascript' })) : script.dataset.src!;
  const worker = new Worker(url);
  worker.onmessage = ({ data }: MessageEvent<Report>) => heard(data);
  worker.onerror = ({ message }) => heard({ kind: 'failed', message: message || 'the worker could not be started' });
  return (request) => worker.postMessage(request);
}
