/** The lessons: their numbers are the lectures', and their pages take the right ones and no others. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isRight, numbersIn } from '../../playground/lessons/check.ts';
import { answerValues, lessons } from '../../playground/lessons/render.node.ts';
import { accessible, type Context, close, open, withPage } from '../support/page/playground.ts';

const test = suite<Context>('lessons');
test.before(open);
test.after(close);

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

const narrow = { viewport: { width: 360, height: 800 } };

test('each lesson fits 360 pixels without a word on the console, and takes the right numbers only', async (context) => {
  for (const { name } of lessons(await answerValues(), '../index.html')) {
    const look = async (page: Page): Promise<void> => {
      for (const form of await page.locator('form').all()) {
        const id = (await form.getAttribute('id'))!.replace('answer-', '');
        await form.locator('input').fill('77');
        await form.locator('button').click();
        assert.match((await form.locator('output').textContent())!, /^Not yet/);
        await form.locator('input').fill(PRINTED[id]!.join(' '));
        await form.locator('button').click();
        assert.match((await form.locator('output').textContent())!, /^✓ Right/);
      }
      for (const slider of await page.locator('[data-figure]').all()) {
        const before = await slider.locator('output').textContent();
        await slider.locator('input').press('ArrowRight');
        assert.is.not(await slider.locator('output').textContent(), before);
      }
      await accessible(page);
      if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`), fullPage: true });
    };
    await withPage(context, `${context.url}lessons/${name}.html`, look, narrow);
  }
});

test('a panel in a lesson starts on a press and not before', async (context) => {
  for (const name of ['05-convolution', '06-backward-twice', '08-slope-of-a-slope']) {
    await withPage(context, `${context.url}lessons/${name}.html`, async (page) => {
      for (const box of await page.locator('[data-panel]').all()) {
        assert.is(await box.locator('iframe').count(), 0);
        await box.locator('button').click();
        const inner = box.frameLocator('iframe');
        await inner.locator('.state', { hasText: 'WebGPU' }).waitFor({ timeout: 60_000 });
        await inner.getByText(/^(Computing|Recording) …$/).waitFor({ state: 'detached', timeout: 60_000 });
        assert.is(await inner.locator('.notes').count(), 0, 'its link is taken as it stands');
      }
      if (process.env.SHOTS)
        await page.screenshot({ path: join(process.env.SHOTS, `${name}-open.png`), fullPage: true });
    });
  }
});

test('without JavaScript a lesson is read, with its figure as it is at first', async (context) => {
  const look = async (page: Page): Promise<void> => {
    assert.match((await page.textContent('main'))!, 'Louppe, lecture 6');
    assert.is(await page.locator('[data-figure] svg').count(), 1);
  };
  await withPage(context, `${context.url}lessons/04-moving-earth.html`, look, { javaScriptEnabled: false });
});

test.run();
