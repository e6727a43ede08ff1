/** The page in a real Chromium, from a server and as one file: what its tests share. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import AxeBuilder from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import * as assert from 'uvu/assert';
import { type Built, buildPlayground } from '../../../playground/build.node.ts';
import { launchChromium } from './chromium.ts';

/** What the tests of the page have. */
export interface Context {
  built: Built;
  folder: string;
  server: Server;
  url: string;
  file: string;
  browser: Browser;
}

/** Builds the page, serves it, and starts the browser. */
export async function open(context: Context): Promise<void> {
  const built = await buildPlayground();
  const folder = mkdtempSync(join(tmpdir(), 'wgrad-playground-'));
  const file = join(folder, 'wgrad-playground.html');
  writeFileSync(file, built.single);
  const server = createServer(({ url = '/' }, response) => {
    const name = url === '/' ? 'index.html' : url.slice(1);
    const types = { js: 'text/javascript', css: 'text/css', html: 'text/html' };
    response.setHeader('content-type', types[name.split('.').at(-1) as keyof typeof types] ?? 'text/plain');
    const text = built.site.get(name);
    response.statusCode = text === undefined ? 404 : 200;
    response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const browser = await launchChromium();
  Object.assign(context, {
    built,
    folder,
    file: pathToFileURL(file).href,
    server,
    browser,
    url: `http://127.0.0.1:${port}/`,
  });
}

/** Ends what was started. */
export async function close({ browser, server, folder }: Context): Promise<void> {
  await browser.close();
  server.close();
  rmSync(folder, { recursive: true });
}

/** Opens an address in a page of its own. What its console shows and what is not caught fails the test. */
export async function withPage(
  { browser }: Context,
  url: string,
  look: (page: Page) => Promise<void>,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<void> {
  // A headless Chromium without a language of its own names one that Intl refuses.
  const context: BrowserContext = await browser.newContext({
    locale: 'en-US',
    viewport: { width: 1300, height: 900 },
    ...options,
  });
  const page = await context.newPage();
  const said: string[] = [];
  page.on('console', (message) => void said.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => void said.push(String(error)));
  try {
    await page.goto(url);
    await look(page);
    assert.equal(said, [], 'the console is empty');
  } finally {
    await context.close();
  }
}

/** axe finds nothing serious, and nothing hangs over the side. */
export async function accessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.equal(
    serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120))}`),
    [],
  );
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `${over} pixels hang over`);
}

/** Looks at an address wide and light, narrow and dark, where axe is to find nothing serious and nothing to hang over. */
export async function wideAndNarrow(context: Context, url: string, look: (page: Page) => Promise<void>): Promise<void> {
  for (const [width, colorScheme] of [
    [1300, 'light'],
    [360, 'dark'],
  ] as const) {
    const shown = async (page: Page): Promise<void> => {
      await look(page);
      await accessible(page);
    };
    await withPage(context, url, shown, { viewport: { width, height: 800 }, colorScheme });
  }
}
