/** The engine in a headless Chromium: a training step beside Node's, and every test file that does not need Node. */
import { readdirSync, readFileSync } from 'node:fs';
import { sep } from 'node:path';
import { suite, test } from 'uvu';
import * as assert from 'uvu/assert';
import { init } from '../../engine/index.ts';
import { cases, compositions } from '../support/cases.ts';
import { initGpu } from '../support/devices.ts';
import { NODE_ONLY, PROVOKING } from '../support/page/nodeOnly.ts';
import { bundle, inChromium } from '../support/page/open.ts';
import { complaints, type PageReport, runTests } from '../support/page/runTests.ts';
import { browserStep, type Step } from '../support/page/step.ts';
import { distance } from '../support/values.ts';

const STEP = 'test/support/page/step.ts';
const FAULTY = 'test/support/page/faulty.ts';
const step = await bundle([STEP]);

test('the bundle for the browser leaves out what is Node only', () => {
  const files = Object.keys(step.metafile.inputs);
  assert.ok(files.includes('engine/platform/platform.browser.ts'));
  assert.equal(
    files.filter((f) => f.includes('.node.') || f.includes('node_modules')),
    [],
  );
  const imports = Object.values(step.metafile.outputs).flatMap((o) => o.imports);
  assert.equal(
    imports.filter((i) => i.external),
    [],
  );
});

test('a training step in Chromium agrees with Node, and both with float64', async () => {
  const page = await inChromium(step, async (open) => {
    const { page, said } = await open(STEP);
    const result = await page.evaluate(() => (globalThis as unknown as { browserStep(): Promise<Step> }).browserStep());
    assert.equal(said, [], 'the page complained');
    return result;
  });
  assert.is(page.kind, 'webgpu');
  assert.match(page.device, /swiftshader/i);
  assert.is(page.family, 'software');
  const node = await browserStep(initGpu);
  const exact = await browserStep(() => init({ adapter: 'reference' }));
  assert.equal(Object.keys(page.values).sort(), Object.keys(exact.values).sort());
  assert.ok(Math.abs(exact.values.loss![0]!) > 0.1);
  for (const [name, values] of Object.entries(page.values)) {
    const d = distance(values, node.values[name]!, 1e-3);
    assert.ok(d < 1e-5, `${name}: Chromium and Node differ by ${d} of its scale`);
    const e = distance(values, exact.values[name]!, 1e-3);
    assert.ok(e < 2e-5, `${name}: Chromium is off by ${e} of its scale`);
  }
});

const folder = new URL('..', import.meta.url);
const everywhere = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .map((f) => f.split(sep).join('/'))
  .filter((f) => f.endsWith('.test.ts'));
const inPages = everywhere.filter((f) => !(f in NODE_ONLY));
const [faulty, ...reports] = await runTests([FAULTY, ...inPages.map((f) => `test/${f}`)]);

test('files left out of the browser exist, and test the GPU only where they say so', () => {
  const left = Object.keys(NODE_ONLY);
  assert.equal(
    left.filter((f) => !everywhere.includes(f)),
    [],
  );
  assert.equal(
    left.filter((f) => !/GPU/.test(NODE_ONLY[f]!) && /\bopenGpu\b/.test(readFileSync(new URL(f, folder), 'utf8'))),
    [],
  );
});

test('a run in a page reports tests that fail or never run, hooks that fail, warnings, and commands refused', () => {
  const { tests } = faulty!;
  assert.equal(
    tests.map((t) => [t.name, t.ms !== undefined, t.error?.split('\n')[0]]),
    [
      ['passes', true, undefined],
      ['fails', true, 'Assertion: Expected values to be deeply equal:'],
      ['warns, and has a buffer refused', true, undefined],
      ['is not run', false, undefined],
    ],
  );
  const said = complaints(faulty!);
  const expected = [
    /^after: Error: a hook failed/,
    /^WebGPU refused in '.*': .*usage/is,
    /^the console shows warning: a/,
  ];
  assert.is(said.length, expected.length, said.join('\n'));
  for (const [i, pattern] of expected.entries()) assert.match(said[i]!, pattern);
  assert.equal(complaints({ ...faulty!, tests: [], hookErrors: [], refused: [], said: [] }), ['no test is declared']);
});

test('the kernels of every op ran in the page, in both families', () => {
  const names = new Set(reports.find((r) => r.file === 'test/kernels/kernels.test.ts')!.tests.map((t) => t.name));
  const missing = [...Object.keys(cases), ...Object.keys(compositions)].flatMap((op) =>
    ['software', 'hardware']
      .map((family) => `${op}: ${family} kernels agree with float64, values and gradients`)
      .filter((name) => !names.has(name)),
  );
  assert.equal(missing, []);
});

test.run();

/** The tests of a file as they went in the page, as tests here: they are counted, and print what they threw. */
function repeat(report: PageReport): void {
  const file = report.file.replace('test/', '');
  const again = suite(`${file} in Chromium`);
  for (const { name, ms, error } of report.tests) {
    again(name, () => {
      if (error) throw Object.assign(new Error(error), { stack: '' }); // its message holds the page's stack
      assert.ok(ms !== undefined, 'it never ran');
    });
  }
  again('WebGPU and the page had nothing to complain about', () => {
    const said = new Set(complaints(report, PROVOKING[file]));
    assert.is(said.size, 0, [...said].join('\n'));
  });
  again.run();
}

for (const report of reports) repeat(report);
