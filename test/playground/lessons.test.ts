/** The lessons: their numbers are the lectures', and their pages take the right ones and no others. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import AxeBuilder from '@axe-core/playwright';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { writePlayground } from '../../playground/build.node.ts';
import { isRight, numbersIn } from '../../playground/lessons/check.ts';
import { answerValues, lessons } from '../../playground/lessons/render.node.ts';
import { launchChromium } from '../support/page/chromium.ts';

/** As the lectures and the README print them. */
const PRINTED: Readonly<Record<string, readonly number[]>> = {
  equal: [-1.3863],
  saturating: [0.001],
  nonSaturating: [0.999],
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: as printed, to four digits
  disjoint: [0.6931],
  far: [0.7],
  dropped: [0.2158],
  earth: [3],
  earthDual: [3],
  convolution: [122, 148, 126, 134],
  transposed: [2, 9, 6, 1, 6, 29, 30, 7, 10, 29, 33, 13, 12, 24, 16, 4],
  cube: [3, 12, 27],
  cubeTwice: [6, 12, 18],
  penalty: [4],
  quality: [0.2877],
  coverage: [0.1438],
};

test('the library computes what the lectures print', async () => {
  const values = await answerValues();
  const rounded = [...values].map(([id, all]) => [id, all.map((v) => Number(v.toFixed(4)))]);
  assert.equal(Object.fromEntries(rounded), PRINTED);
});

test('numbers are read as people write them', () => {
  assert.equal(numbersIn('3, 12;27'), [3, 12, 27]);
  assert.ok(isRight(numbersIn('−1.386'), [-1.38629], 0.001));
  assert.not.ok(isRight(numbersIn('1.386'), [-1.38629], 0.001));
  assert.not.ok(isRight(numbersIn('three'), [3], 0.001));
  assert.not.ok(isRight(numbersIn('3 3'), [3], 0.001));
});

test('each lesson opens without a word on the console, fits 360 pixels, and takes the right number only', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wgrad-lessons-'));
  const browser = await launchChromium();
  try {
    await writePlayground(folder);
    const context = await browser.newContext({ locale: 'en-US', viewport: { width: 360, height: 800 } });
    const page = await context.newPage();
    const said: string[] = [];
    page.on('console', (message) => void said.push(message.text()));
    page.on('pageerror', (error) => void said.push(String(error)));
    for (const { name } of lessons(await answerValues(), '../index.html')) {
      await page.goto(pathToFileURL(join(folder, 'lessons', `${name}.html`)).href);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= 360, `${name} is ${wide} pixels wide`);
      for (const form of await page.locator('form').all()) {
        const id = (await form.getAttribute('id'))!.replace('answer-', '');
        await form.locator('input').fill('77');
        await form.locator('button').click();
        assert.match((await form.locator('output').textContent())!, /^Not yet/);
        await form.locator('input').fill(PRINTED[id]!.join(' '));
        await form.locator('button').click();
        assert.match((await form.locator('output').textContent())!, /^✓ Right/);
      }
      const { violations } = await new AxeBuilder({ page }).options({ preload: false }).analyze();
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      assert.equal(
        serious.map(({ id, nodes }) => `${name}: ${id} ${nodes[0]!.html}`),
        [],
      );
      if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`), fullPage: true });
    }
    assert.equal(said, [], 'the console is empty');
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true });
  }
});

test.run();
