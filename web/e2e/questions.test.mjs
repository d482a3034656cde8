// The standing questions: the list answers by itself, an answer leads to its rows.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, demoData, open, PHONE, serve, settled } from './app.mjs';

/** Words without their joints: the page holds minus signs with their numbers. */
const plain = (text) => text.replaceAll('\u2060', '').replaceAll('\u2212', '-');

describe('standing questions', () => {
  let app;
  before(async () => {
    app = await serve(demoData());
  });
  after(() => app.stop());

  test('every question has its answer in a sentence, and the palette finds one by its words', async (t) => {
    const page = await open(t, app, '/questions');
    const list = await ask(app, '/api/v1/questions');
    for (const q of list.filter((x) => !x.of_client)) {
      const { headline } = await ask(app, `/api/v1/questions/${q.name}?top=1`);
      const item = page.getByRole('listitem').filter({ hasText: q.text });
      await item.getByRole('status').waitFor({ state: 'detached' });
      assert.equal(plain(await item.locator('p').first().textContent()), plain(headline));
    }
    await page.keyboard.press('Control+k');
    await page.keyboard.type('unused licenses drop');
    await page.getByRole('menuitem', { name: /Which unused licenses/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/questions\/reclaim/);
    await page.getByRole('heading', { name: 'Which unused licenses can we drop, by what date, and whose money is it?' }).waitFor();
  });

  test('an answer says how sure it is, and a row leads to the client and to its figures', async (t) => {
    const page = await open(t, app, '/questions/losing-clients');
    const a = await ask(app, '/api/v1/questions/losing-clients');
    assert.equal(plain(await page.locator('[data-headline]').textContent()), plain(a.headline));
    await page.getByText(a.reasons[0].slice(1)).waitFor();
    const [first] = a.tables[0].rows;
    const table = page.getByRole('table', { name: a.tables[0].title });
    await table.getByRole('button', { name: `${first.cells[0]}: why, and what is behind it` }).click();
    const drawer = page.getByRole('dialog', { name: first.cells[0] });
    await drawer.getByText(first.why.split('.')[0].slice(0, 40)).waitFor();
    await page.reload();
    await settled(page);
    await drawer.getByRole('link', { name: 'See the figures' }).click();
    await page.waitForURL(/\/explore/);
    await page.goBack();
    await page.keyboard.press('Escape');
    await table.getByRole('link', { name: first.cells[0] }).click();
    await page.waitForURL(/\/clients\//);
  });

  test('a scenario opens with its levers', async (t) => {
    const page = await open(t, app, '/questions/what-if');
    await page.getByRole('link', { name: /Open in What if: Lose the largest client/ }).click();
    await page.waitForURL(/\/scenarios\/new/);
    await settled(page);
    await page.getByText('Tallgrass Brewing').first().waitFor();
  });

  test('an answer is saved as a file', async (t) => {
    const page = await open(t, app, '/questions/true-up');
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export: More seats in use than bought' }).click();
    await page.getByRole('dialog').getByLabel('Format').selectOption('csv');
    await page.getByRole('button', { name: 'Save' }).click();
    assert.match((await saved).suggestedFilename(), /^true-up-1-2025-07-2026-06\.csv$/);
  });

  test('without a period a question takes its own; the time bar changes it', async (t) => {
    const page = await open(t, app, '/questions/margin-change');
    await page.getByText('· Jun 2026').waitFor();
    await page.goto(`${app.url}/questions/margin-change?period=2026-01..2026-03`);
    await settled(page);
    const a = await ask(app, '/api/v1/questions/3?from=2026-01&to=2026-04');
    assert.equal(plain(await page.locator('[data-headline]').textContent()), plain(a.headline));
  });

  test('answers fit a phone', async (t) => {
    for (const path of ['/questions', '/questions/reprice', '/questions/what-if', '/questions/concentration']) {
      const page = await open(t, app, path, { viewport: PHONE });
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= PHONE.width, path);
    }
  });
});
