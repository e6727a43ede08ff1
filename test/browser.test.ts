import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { browserStep, type Step } from './support/browserStep.ts';
import { launchChromium } from './support/chromium.ts';
import { adapter } from './support/devices.ts';
import { distance } from './support/values.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));

const bundle = await build({
  ...{ absWorkingDir: repository, entryPoints: ['test/support/browserStep.ts'], bundle: true, write: false },
  ...{ platform: 'browser', format: 'esm', target: 'chrome113', metafile: true, logLevel: 'silent', outdir: 'unused' },
});
const script = bundle.outputFiles[0]!.text;

test('the bundle for the browser leaves out what is Node only', () => {
  const files = Object.keys(bundle.metafile.inputs);
  assert.ok(files.includes('engine/platform.browser.ts'));
  assert.equal(
    files.filter((f) => f.includes('.node.') || f.includes('node_modules')),
    [],
  );
  assert.equal(
    Object.values(bundle.metafile.outputs).flatMap((o) => o.imports),
    [],
  );
});

/** Runs the bundle in a page of a headless Chromium. */
async function inChromium(): Promise<Step> {
  const server = createServer(({ url }, response) => {
    const isScript = url === '/step.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(
      isScript ? script : '<!doctype html><title>wgrad</title><script type="module" src="/step.js"></script>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  let browser: Browser | undefined;
  try {
    browser = await launchChromium();
    const page = await browser.newPage();
    page.setDefaultTimeout(120_000);
    const said: string[] = [];
    page.on('console', (m) => m.type() !== 'info' && said.push(`${m.type()}: ${m.text()}`));
    page.on('pageerror', (e) => said.push(String(e)));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { waitUntil: 'load' });
    const step = await page.evaluate(() => (globalThis as unknown as { browserStep(): Promise<Step> }).browserStep());
    assert.equal(said, [], 'the page complained');
    return step;
  } finally {
    await browser?.close();
    server.close();
  }
}

test('a training step in Chromium agrees with Node, and both with float64', async () => {
  const page = await inChromium();
  assert.is(page.kind, 'webgpu');
  assert.match(page.device, /swiftshader/i);
  assert.is(page.family, 'software');
  const node = await browserStep({ device: 'webgpu', adapter });
  const exact = await browserStep({ device: 'reference' });
  assert.equal(Object.keys(page.values).sort(), Object.keys(exact.values).sort());
  assert.ok(Math.abs(exact.values.loss![0]!) > 0.1);
  for (const [name, values] of Object.entries(page.values)) {
    const d = distance(values, node.values[name]!, 1e-3);
    assert.ok(d < 1e-5, `${name}: Chromium and Node differ by ${d} of its scale`);
    const e = distance(values, exact.values[name]!, 1e-3);
    assert.ok(e < 2e-5, `${name}: Chromium is off by ${e} of its scale`);
  }
});

test.run();
