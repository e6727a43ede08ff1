/**
 * Stands in for uvu in a page, where there is no output to print to and no exit code to set: test files import it in
 * uvu's place, and `runAll` gives what became of each test. It has what these tests use; anything else is a TypeError.
 */
import type { Callback, Test } from 'uvu';

/** A test that was declared, and what became of it. */
export interface PageTest {
  readonly name: string;
  /** How long it ran, in milliseconds; absent if it never ended. */
  ms?: number;
  /** What it threw: message, uvu's comparison of the values, stack; absent if it passed. */
  error?: string;
}

type Step = Callback<object>;

interface Suite {
  readonly tests: (readonly [test: PageTest, fn: Step])[];
  readonly before: Step[];
  readonly after: Step[];
  /** Whether the file called its `run`. */
  started: boolean;
}

const suites: Suite[] = [];
let current = '';

/** The name of the test that is running, or of the last one. */
export const currentTest = (): string => current;

export function suite(): Pick<Test<object>, 'run'> {
  const own: Suite = { tests: [], before: [], after: [], started: false };
  suites.push(own);
  return Object.assign((name: string, fn: Step) => void own.tests.push([{ name }, fn]), {
    before: (fn: Step) => void own.before.push(fn),
    after: (fn: Step) => void own.after.push(fn),
    run: () => {
      own.started = true;
    },
  });
}

export const test = suite();

/** Every test that the file declared, also those that did not run. */
export const declared = (): PageTest[] => suites.flatMap((s) => s.tests.map(([t]) => t));

/**
 * Runs the suites whose `run` was called, in the order of their declaration; a test that fails does not stop the others,
 * a `before` that fails does. `settled` is awaited after each, and belongs to it.
 * @returns what hooks threw
 */
export async function runAll(settled: () => Promise<void>): Promise<string[]> {
  const hookErrors: string[] = [];
  const hook = async (kind: string, fn: Step) => {
    const error = await failure(kind, fn);
    await settled();
    if (error) hookErrors.push(`${kind}: ${error}`);
    return !error;
  };
  for (const { tests, before, after, started } of suites) {
    if (!started) continue;
    let ready = true;
    for (const fn of before) ready = (await hook('before', fn)) && ready;
    for (const [test, fn] of ready ? tests : []) {
      const start = performance.now();
      const error = await failure(test.name, fn);
      if (error) test.error = error;
      await settled();
      test.ms = performance.now() - start;
    }
    for (const fn of after) await hook('after', fn);
  }
  return hookErrors;
}

/** Calls a test or a hook. @returns what it threw, in words */
async function failure(name: string, fn: Step): Promise<string | undefined> {
  current = name;
  console.debug(name); // tells the other side what runs, in case it never ends
  try {
    await fn({ __suite__: '', __test__: name });
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) return `threw ${String(error)}`;
    const { details } = error as { details?: unknown };
    const frames = (error.stack ?? '').split('\n').filter((line) => /^ +at /.test(line));
    return [String(error), ...(typeof details === 'string' ? [details] : []), ...frames].join('\n');
  }
}
