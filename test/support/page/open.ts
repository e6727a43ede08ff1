/** Bundles TypeScript for a browser, and runs it in pages of a headless Chromium. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, type BuildResult, build, type OutputFile } from 'esbuild';
import type { Page } from 'playwright-core';
import { launchChromium } from './chromium.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const OUT = '/out';

/** Bundles entry points, paths from the repository's root, with what they share in files of its own. */
export const bundle = (
  entryPoints: string[],
  options: Pick<BuildOptions, 'alias' | 'define'> = {},
): Promise<BuildResult<{ write: false; metafile: true }>> =>
  build({
    absWorkingDir: repository,
    entryPoints,
    outbase: repository,
    outdir: OUT,
    bundle: true,
    splitting: true,
    platform: 'browser',
    format: 'esm',
    target: 'chrome113',
    write: false,
    metafile: true,
    logLevel: 'silent',
    ...options,
  });

/** The script's path in a page. */
export const urlOf = (entryPoint: string): string => `/${entryPoint.replace(/\.ts$/, '.js')}`;

export interface OpenPage {
  readonly page: Page;
  /** What the console has shown so far: warnings, errors, uncaught exceptions and plain output. */
  readonly said: readonly string[];
  /** The last line of `console.debug`. */
  readonly progress: () => string;
}

/**
 * Starts a browser; `fn` gets a function that opens a new page, in which a bundled script has been loaded. Browser and
 * pages end with `fn`.
 */
export async function inChromium<T>(
  { outputFiles }: { readonly outputFiles: readonly OutputFile[] },
  fn: (open: (entryPoint: string) => Promise<OpenPage>) => Promise<T>,
): Promise<T> {
  const scripts = new Map(outputFiles.map((f) => [f.path.slice(OUT.length).replaceAll('\\', '/'), f.text]));
  const server = createServer(({ url = '' }, response) => {
    const script = scripts.get(url);
    response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript');
    const entry = new URL(url, 'http://localhost').searchParams.get('script');
    response.end(
      script ??
        `<!doctype html><link rel="icon" href="data:,"><title>wgrad</title><script type="module" src="${entry}"></script>`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const browser = await launchChromium();
    try {
      return await fn(async (entryPoint) => {
        const page = await browser.newPage();
        const said: string[] = [];
        let progress = '';
        page.on('console', (m) => {
          if (m.type() === 'debug') progress = m.text();
          else if (m.type() !== 'info') said.push(`${m.type()}: ${m.text()}`);
        });
        page.on('pageerror', (e) => said.push(String(e)));
        await page.goto(`http://127.0.0.1:${port}/?script=${urlOf(entryPoint)}`, { waitUntil: 'load' });
        return { page, said, progress: () => progress };
      });
    } finally {
      await browser.close();
    }
  } finally {
    server.close();
  }
}
