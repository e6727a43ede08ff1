import { printable } from '../../gan/printable.ts';

/** One of the two streams that a command prints on. */
export interface Channel {
  /** Prints one line. Line breaks in it are escaped too: it may hold names out of files. */
  line(text: string): void;
  /** Prints text whose line breaks are meant, and ends its last line. */
  text(text: string): void;
}

/**
 * Where everything that the tool prints goes through: what a terminal would obey is escaped, and a reader that has gone away, as of
 * `wgrad data | head -1`, is no error. Progress that is drawn over itself is cli/terminal/progress.node.ts's.
 */
export const terminal: { readonly out: Channel; readonly err: Channel } = {
  out: channel(() => process.stdout),
  err: channel(() => process.stderr),
};

/** Where commander prints help and wrong usage. */
export const commanderOutput = {
  writeOut: (text: string): void => write(process.stdout, printable(text, '\n\t')),
  writeErr: (text: string): void => write(process.stderr, printable(text, '\n\t')),
};

/** What came of each stream that was written to. */
const written = new Map<NodeJS.WriteStream, { closed: boolean; failure?: Error }>();

/** Whether nobody reads standard output any more. */
export const isOutputClosed = (): boolean => written.get(process.stdout)?.closed ?? false;

/** Waits for what was printed. @throws Error if it could not be written for another reason than that nobody reads it */
export async function flushOutput(): Promise<void> {
  await new Promise(setImmediate); // streams tell their errors in the next turn
  const { failure } = written.get(process.stdout) ?? {};
  if (failure) throw new Error(`cannot write to standard output: ${failure.message}`, { cause: failure });
}

function channel(stream: () => NodeJS.WriteStream): Channel {
  return {
    line: (text) => write(stream(), `${printable(text)}\n`),
    text: (text) => write(stream(), `${printable(text, '\n\t').replace(/\n$/, '')}\n`),
  };
}

/** Lets the readers of both streams go away from now on, also where other code prints. */
export function forgiveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stateOf(stream);
}

function write(stream: NodeJS.WriteStream, text: string): void {
  if (!stateOf(stream).closed) stream.write(text);
}

/** What came of what was written to a stream, whose errors are listened to from then on. */
function stateOf(stream: NodeJS.WriteStream): { readonly closed: boolean } {
  const known = written.get(stream);
  if (known) return known;
  const state: { closed: boolean; failure?: Error } = { closed: false };
  written.set(stream, state);
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // The end of a pipe that was closed, and a terminal that is gone.
    if (error.code !== 'EPIPE' && error.code !== 'EIO') state.failure ??= error;
    state.closed = true;
  });
  return state;
}
