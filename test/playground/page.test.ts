/** The page as people open it, in a real Chromium on SwiftShader: from a server, and as one file from a disk. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Context, close, open, wideAndNarrow, withPage } from '../support/page/playground.ts';

const test = suite<Context>('playground page');
test.before(open);
test.after(close);

const ready = (page: Page) => page.waitForSelector('button.main:enabled', { timeout: 60_000 });
const stepOf = async (page: Page): Promise<number> => Number(await page.textContent('#step'));
const reached = (page: Page, step: number) =>
  page.waitForFunction((least) => Number(document.querySelector('#step')?.textContent) >= least, step, {
    timeout: 120_000,
  });

/** It trains no more, and the last step has been drawn. */
async function atRest(page: Page): Promise<void> {
  await page.waitForSelector('button.main:has-text("Train")');
  await page.waitForFunction(
    () =>
      document.querySelector('.plane canvas')!.textContent === `step ${document.querySelector('#step')!.textContent}`,
  );
}

/** A small network, so that a busy machine gets through. */
const SMALL = 'w=8&l=2&cw=8&cl=2&n=32';

test('as it comes it trains on WebGPU and finds all modes of the ring', async (context) => {
  await withPage(context, context.url, async (page) => {
    await ready(page);
    assert.match((await page.textContent('.state'))!, /WebGPU on .*swiftshader/i);
    await page.keyboard.press('Space');
    await page.waitForFunction(() => document.querySelector('#modes')?.textContent === '8 of 8', undefined, {
      timeout: 120_000,
    });
    assert.ok((await stepOf(page)) < 400, 'within so many steps');
    await page.keyboard.press('Space');
    await page.waitForSelector('button.main:has-text("Train")');
  });
});

test('as one file it trains from a disk', async (context) => {
  await withPage(context, `${context.file}#${SMALL}`, async (page) => {
    await ready(page);
    await page.click('button.main');
    await reached(page, 20);
  });
});

test('without WebGPU it trains on the processor, and says so', async (context) => {
  await withPage(context, `${context.url}#${SMALL}&device=reference`, async (page) => {
    await ready(page);
    assert.match((await page.textContent('.state'))!, 'No WebGPU');
    await page.click('button.main');
    await reached(page, 10);
  });
});

test('the same link gives the same numbers, step by step and in a run', async (context) => {
  const told: string[] = [];
  for (const runs of [true, false]) {
    await withPage(context, `${context.url}#${SMALL}&seed=3&until=6`, async (page) => {
      await ready(page);
      if (runs) await page.click('button.main');
      else for (let i = 0; i < 6; i++) await page.keyboard.press('s');
      await reached(page, 6);
      await atRest(page);
      assert.is(await stepOf(page), 6, 'it stops there');
      told.push((await page.textContent('section.charts'))!);
    });
  }
  assert.is(told[0], told[1]);
  assert.match(told[0]!, /exact W₁ \d/);
});

test('a large network stops within a second', async (context) => {
  await withPage(context, `${context.url}#w=128&cw=128`, async (page) => {
    await ready(page);
    await page.click('button.main');
    await reached(page, 3);
    await page.click('button.main');
    const asked = Date.now();
    let last = -1;
    for (let same = 0; same < 3; await page.waitForTimeout(100)) {
      const now = await stepOf(page);
      same = now === last ? same + 1 : 0;
      last = now;
    }
    assert.ok(Date.now() - asked < 1500, `${Date.now() - asked} ms until three looks found it at rest`);
  });
});

test('the link follows the page, and the page the link', async (context) => {
  await withPage(context, context.url, async (page) => {
    await ready(page);
    await page.selectOption('#set-data', 'moons');
    await page.getByLabel('R1', { exact: true }).check();
    assert.match(page.url(), '#v=1&d=moons&r=gradient-penalty=0.1,r1=10');
    await page.goto(`${context.url}#d=grid&m=3&hide=seed,critic&lock=batch&zz=1`);
    await page.waitForFunction(() => document.querySelector('.notes'));
    assert.match((await page.textContent('.notes'))!, "'zz' is not known here; it stays in the link");
    assert.is(await page.inputValue('#set-modes'), '3');
    assert.is(await page.locator('#set-seed').count(), 0);
    assert.is(await page.locator('#set-criticWidth').count(), 0);
    assert.ok(await page.isDisabled('#set-batch'));
  });
});

test('a value that may not be is not taken, and the control says what may', async (context) => {
  await withPage(context, context.url, async (page) => {
    await ready(page);
    await page.fill('#set-modes', '99');
    await page.keyboard.press('Tab');
    const said = await page.$eval('#set-modes', (input) => (input as HTMLInputElement).validationMessage);
    assert.match(said, 'Modes is a whole number from 1 to 16');
    assert.not.match(page.url(), 'm=99');
  });
});

test('a goal is marked where it is reached, and the answer says so; what was saved opens with its state', async (context) => {
  const link = `${SMALL}&seed=2&until=5&goal=step>=3`;
  await withPage(context, `${context.file}#${link}`, async (page) => {
    await ready(page);
    assert.is(await page.textContent('.goal'), 'Goal: step>=3');
    await page.click('button.main');
    await atRest(page);
    assert.match((await page.textContent('.goal'))!, '✓ step>=3 at step ');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('text=Save page')]);
    const saved = join(context.folder, 'saved.html');
    await download.saveAs(saved);
    await withPage(context, pathToFileURL(saved).href, async (other) => {
      await ready(other);
      assert.is(await other.inputValue('#set-seed'), '2');
      await other.click('button.main');
      await reached(other, 5);
    });
  });
});

test('points are drawn by hand and learnt', async (context) => {
  await withPage(context, `${context.url}#${SMALL}`, async (page) => {
    await ready(page);
    await page.getByRole('button', { name: 'Draw' }).click();
    const box = (await page.locator('.plane canvas').boundingBox())!;
    const at = (x: number, y: number) => [box.x + x * box.width, box.y + y * box.height] as const;
    await page.mouse.move(...at(0.2, 0.2));
    await page.mouse.down();
    await page.mouse.move(...at(0.6, 0.3), { steps: 20 });
    await page.mouse.up();
    assert.is(await page.inputValue('#set-data'), 'drawn');
    assert.match(page.url(), /d=drawn&x=[\w-]{100,}/);
    await page.click('button.main');
    await reached(page, 5);
  });
});

test('back in time it goes on with the same numbers', async (context) => {
  await withPage(context, `${context.url}#${SMALL}&until=12`, async (page) => {
    await ready(page);
    await page.click('button.main');
    await atRest(page);
    const at12 = await page.textContent('section.charts');
    await page.keyboard.press('[');
    await page.waitForFunction(() => Number(document.querySelector('#step')?.textContent) < 12);
    await page.click('button.main');
    await reached(page, 12);
    await atRest(page);
    const plain = (text: string | null): string => text!.replace('before –', '').replace(/\s+/g, '');
    assert.is(plain(await page.textContent('section.charts')), plain(at12));
  });
});

test('the keyboard does all: halves, probe, layers', async (context) => {
  await withPage(context, `${context.url}#${SMALL}`, async (page) => {
    await ready(page);
    await page.keyboard.press('c');
    await page.waitForFunction(() => !/critic –/.test(document.querySelector('section.charts')!.textContent));
    assert.is(await stepOf(page), 0, 'half a step is none');
    await page.keyboard.press('g');
    await page.waitForFunction(() => !/generator –/.test(document.querySelector('section.charts')!.textContent));
    await page.focus('.plane canvas');
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction(() => /slope ‖∇f‖ = [\d.]/.test(document.querySelector('#probe')!.textContent));
    for (const label of await page.locator('.layers input').all()) await label.check();
    await page.waitForTimeout(500);
  });
});

test('axe finds nothing serious, wide and narrow; nothing hangs over at 360 pixels', (context) =>
  wideAndNarrow(context, `${context.url}#${SMALL}`, async (page) => {
    await ready(page);
    await page.keyboard.press('s');
    await reached(page, 1);
  }));

test('each panel alone, for a page inside another', async (context) => {
  for (const name of ['plane', 'values', 'formula', 'code']) {
    await withPage(context, `${context.url}#${SMALL}&embed=${name}`, async (page) => {
      await ready(page);
      assert.is(await page.locator('.columns').count(), 0);
    });
  }
});

test('page and worker are small', ({ built }) => {
  const kB = (text: string): number => gzipSync(text, { level: 9 }).length / 1000;
  assert.ok(kB(built.page) <= 60, `the page without the engine: ${kB(built.page).toFixed(1)} kB of 60`);
  assert.ok(built.single.length <= 1e6, `one file: ${built.single.length} bytes of 1,000,000`);
});

test.run();
