import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import open from 'open';
import sirv from 'sirv';
import { terminal } from '../terminal/terminal.node.ts';

/** Options of {@link playground}. */
export interface PlaygroundOptions {
  /** The port to serve at; 0 for any that is free. */
  readonly port: number;
  /** Whether a browser is opened. */
  readonly open: boolean;
  /** Only say where the page of one file lies. */
  readonly file: boolean;
}

/** Where the page is: beside this file as it was built, or in the folder of a checkout that was built. */
function folder(): string {
  const places = ['../../playground/', '../../dist/playground/'].map((at) =>
    fileURLToPath(new URL(at, import.meta.url)),
  );
  const found = places.find((place) => existsSync(`${place}index.html`));
  if (found !== undefined) return found;
  throw new Error('the page has not been built: npm run build');
}

/**
 * Serves the playground on this machine alone, until it is told to stop, and opens a browser.
 * @throws Error for a port that is taken, or a page that was not built
 */
export async function playground({ port, open: opens, file }: PlaygroundOptions, signal: AbortSignal): Promise<void> {
  const root = folder();
  if (file) {
    terminal.out.text(`${root}wgrad-playground.html`);
    return;
  }
  const server = createServer(sirv(root, { etag: true }));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE' ? new Error(`port ${port} is taken; give another with --port, or none`) : error,
      ),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  const url = `http://localhost:${(server.address() as AddressInfo).port}/`;
  terminal.out.text(`${url}\nCtrl-C stops it. It is also one file, which needs no server: wgrad playground --file`);
  if (opens)
    await open(url).catch(() => terminal.err.text('no browser could be opened: open the address above in one'));
  await new Promise<void>((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
