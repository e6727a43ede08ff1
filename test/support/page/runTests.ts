/** Runs test files in pages of a headless Chromium, one page a file. */
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { bundle, inChromium, type OpenPage, urlOf } from './open.ts';
import type { Report } from './runFile.ts';

const RUNNER = 'test/support/page/runFile.ts';
/** Seconds for a file; the longest, the kernels, takes one or two minutes. */
const LIMIT = 300;

/** Variables of the environment that tests read: there are none in a page. */
const VARIABLES = {
  WGRAD_ADAPTER: 'swiftshader',
  FUZZ: '100', // a fifth of the graphs that Node runs
  SEED: '1',
};

/** What a page has to say of a test file. */
export interface PageReport extends Report {
  readonly file: string;
  /** What the console has shown, save for information. */
  readonly said: readonly string[];
  /** Why the file could not be run to its end. */
  readonly broke?: string;
}

/**
 * Runs test files, by their paths from the repository's root, one after the other.
 * @throws if a file needs Node: it belongs into `nodeOnly.ts`, with the reason
 */
export async function runTests(files: readonly string[]): Promise<PageReport[]> {
  const bundled = await bundle([RUNNER, ...files], {
    alias: {
      'uvu/assert': 'uvu/assert',
      'uvu/diff': 'uvu/diff',
      uvu: fileURLToPath(new URL('uvu.ts', import.meta.url)),
    },
    define: Object.fromEntries(Object.entries(VARIABLES).map(([k, v]) => [`process.env.${k}`, JSON.stringify(v)])),
  }).catch((error: Error) => {
    const hint = 'a test file that cannot run in a browser is listed in test/support/page/nodeOnly.ts, with the reason';
    throw new Error(`${error.message}\n${hint}`);
  });
  return inChromium(bundled, async (open) => {
    const reports: PageReport[] = [];
    for (const file of files) {
      const opened = await open(RUNNER);
      reports.push(await runFile(file, opened));
      await opened.page.close();
    }
    return reports;
  });
}

async function runFile(file: string, { page, said, progress }: OpenPage): Promise<PageReport> {
  let timer: NodeJS.Timeout | undefined;
  const broken = new Promise<never>((_, reject) => {
    page.on('crash', () => reject(new Error(`the page crashed in: ${progress()}`)));
    timer = setTimeout(() => reject(new Error(`stopped after ${LIMIT} s in: ${progress()}`)), LIMIT * 1000);
  });
  const run = page.evaluate(
    (url) => (globalThis as unknown as { runFile(url: string): Promise<Report> }).runFile(url),
    urlOf(file),
  );
  try {
    const { tests, ...rest } = await Promise.race([run, broken]);
    const plain = tests.map((t) => (t.error ? { ...t, error: stripVTControlCharacters(t.error) } : t));
    return { file, said, tests: plain, ...rest };
  } catch (error) {
    return { file, said, tests: [], hookErrors: [], refused: [], broke: (error as Error).message };
  } finally {
    clearTimeout(timer);
  }
}

/** What is wrong with a run beyond its tests; `provoking` are the tests that have WebGPU refuse something. */
export const complaints = ({ tests, hookErrors, refused, said, broke }: PageReport, provoking?: RegExp): string[] => [
  ...(broke ? [broke] : tests.length === 0 ? ['no test is declared'] : []),
  ...hookErrors,
  ...refused.filter((r) => !provoking?.test(r.test)).map((r) => `WebGPU refused in '${r.test}': ${r.message}`),
  ...(provoking && !refused.some((r) => provoking.test(r.test)) ? [`nothing was refused in ${provoking}`] : []),
  ...said.map((text) => `the console shows ${text}`),
];
