/** The tape and the convolution as people open them, in a real Chromium. */
import type { Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Context, close, open, wideAndNarrow, withPage } from '../support/page/playground.ts';

const test = suite<Context>('playground panels in the page');
test.before(open);
test.after(close);

const SMALL = 'w=4&l=1&cw=4&cl=1&n=8';
const told = async (page: Page): Promise<string> => (await page.textContent('#told'))!;
const square = (page: Page, name: string) => page.locator('.square', { has: page.getByText(name, { exact: true }) });
const numbers = async (page: Page, name: string): Promise<number[]> =>
  (await square(page, name).locator('td').allTextContents()).map(Number);

test('the tape steps to its end by keys: 3x² is 27 and its gradient 18, as a sum', async (context) => {
  await withPage(context, `${context.url}#${SMALL}&panel=tape`, async (page) => {
    await page.waitForSelector('.graph', { timeout: 60_000 });
    await page.focus('.graph');
    const entries = await page.locator('.box').count();
    for (let i = 0; i < entries; i++) await page.keyboard.press('ArrowRight');
    assert.match(await told(page), `Forward ${entries} of ${entries}`);
    assert.match(await told(page), '= 27');
    await page.keyboard.press('ArrowRight');
    assert.match(await told(page), 'has the cotangent g = 1');
    await page.keyboard.press('End');
    assert.match(await told(page), /Backward (\d+) of \1:/);
    await page.focus('[data-id="1"]');
    await page.keyboard.press('Enter');
    assert.match((await page.textContent('.flow'))!, /= 18.*grad gives 18/s);
    await page.keyboard.press('Home');
    assert.match(await told(page), 'Forward: each step');
    await page.fill('input[type=search]', 'add');
    assert.is(await page.locator('.box.found').count(), 2);
  });
});

test('the loss of the training is shown with its second order, on both devices and from a disk', async (context) => {
  for (const url of [`${context.url}#${SMALL}`, `${context.file}#${SMALL}&device=reference`]) {
    await withPage(context, `${url}&embed=tape`, async (page) => {
      await page.waitForSelector('.graph', { timeout: 60_000 });
      await page.selectOption('#tape-of', 'critic');
      await page.waitForFunction(() => document.querySelectorAll('.box').length > 20, undefined, { timeout: 60_000 });
      assert.ok((await page.locator('.box.second').count()) >= 3);
      await page.click('text=End');
      assert.match(await told(page), /Backward (\d+) of \1:/);
    });
  }
});

test('the convolution has the numbers of the lecture, and cells say what they stand for', async (context) => {
  for (const url of [`${context.url}#`, `${context.file}#device=reference&`]) {
    await withPage(context, `${url}${SMALL}&panel=convolution`, async (page) => {
      await page.waitForSelector('.matrix', { timeout: 60_000 });
      assert.equal(await numbers(page, 'U v(x)'), [122, 148, 126, 134]);
      await page.focus('section:has(> .matrix)');
      await page.keyboard.press('ArrowRight');
      assert.match((await page.textContent('.convolution [role=status]'))!, 'This cell is u12 = 4, times x12 = 5. ');
      await page.selectOption('#conv-which', 'transposed');
      const back = [2, 9, 6, 1, 6, 29, 30, 7, 10, 29, 33, 13, 12, 24, 16, 4];
      assert.equal(await numbers(page, 'Uᵀ v(z)'), back);
      await page.getByLabel('this is the gradient of the other one').check();
      assert.equal(await numbers(page, 'by grad'), back);
      await page.getByLabel('z, row 1, column 1').fill('3');
      await page.keyboard.press('Tab');
      await page.waitForFunction(() =>
        /^3/.test(document.querySelectorAll('.square')[2]!.querySelector('td')!.textContent!),
      );
      await page.fill('#conv-stride', '2');
      await page.keyboard.press('Tab');
      await page.waitForFunction(() => document.querySelectorAll('.matrix tr')[0]!.children.length === 1);
    });
  }
});

test('axe finds nothing serious in either, wide and narrow', async (context) => {
  for (const panel of ['tape', 'convolution']) {
    await wideAndNarrow(context, `${context.url}#${SMALL}&panel=${panel}`, async (page) => {
      await page.waitForSelector('.graph, .matrix', { timeout: 60_000 });
      if (panel === 'tape') await page.click('text=End');
    });
  }
});

test.run();
