// The review queue: decided by keys, folded in the lists, talked about, and undone.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, demoData, open, PHONE, serve, settled } from './app.mjs';

describe('review', () => {
  let app;
  before(async () => {
    app = await serve(demoData());
  });
  after(() => app.stop());

  const queue = (page) => page.getByRole('list', { name: 'Questions' });

  test('a finding is rejected by keys, folded in the list, and undone', async (t) => {
    const page = await open(t, app, '/review');
    const items = (await ask(app, '/api/v1/reviews')).items;
    assert.ok(items.length > 3);
    assert.equal(await queue(page).getByRole('listitem').count(), items.length);
    const money = items.map((r) => Number(r.money_at_stake));
    assert.deepEqual(
      money,
      money.toSorted((a, b) => b - a),
      'the most money first',
    );

    await page.keyboard.press('j');
    await page.keyboard.press('r');
    const why = page.getByLabel('Why? It is shown with the finding.');
    await why.fill('a fixed fee until June');
    await page.getByText('rejection 1 in a row', { exact: false }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('Decided: ', { exact: false }).waitFor();
    const gone = await ask(app, `/api/v1/reviews/${items[1].id}`);
    assert.deepEqual([gone.status, gone.decision.verdict, gone.decision.reason], ['decided', 'rejected', 'a fixed fee until June']);

    await page.goto(`${app.url}/`);
    await settled(page);
    const folded = page.locator('details').filter({ hasText: '1 rejected' });
    await folded.locator('summary').click();
    await folded.getByText('a fixed fee until June', { exact: false }).waitFor();

    await page.goto(`${app.url}/review?tab=decided`);
    await settled(page);
    await page.keyboard.press('u');
    await page.getByText('the question is open again', { exact: false }).waitFor();
    assert.equal((await ask(app, `/api/v1/reviews/${items[1].id}`)).status, 'open');
  });

  test('several are confirmed at once, and "?" shows the keys', async (t) => {
    const page = await open(t, app, '/review?kind=finding');
    const before = (await ask(app, '/api/v1/reviews/count')).finding;
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys of the queue' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('x');
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    const bar = page.getByRole('region', { name: 'What is selected' });
    await bar.getByText('2 selected').waitFor();
    await bar.getByRole('button', { name: 'Confirm' }).click();
    await page.getByText('2 of 2 decided.').waitFor();
    assert.equal((await ask(app, '/api/v1/reviews/count')).finding, before - 2);
  });

  test('what is said on a number stays with it', async (t) => {
    const panel = encodeURIComponent(
      JSON.stringify({ kind: 'explain', of: 'gross_margin', days: { from: '2025-07-01', to: '2026-07-01' }, tab: 'comments' }),
    );
    const page = await open(t, app, `/?panel=${panel}`);
    await page.getByRole('textbox', { name: 'Say something' }).fill('Why is it so low?');
    await page.getByRole('button', { name: 'Comment', exact: true }).click();
    await page.getByText('Why is it so low?').last().waitFor();
    await page.reload();
    await page.getByText('Why is it so low?').waitFor();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Nothing was said yet.', { exact: false }).waitFor();
  });

  test('on a phone a question opens and leads back', async (t) => {
    const page = await open(t, app, '/review', { viewport: PHONE });
    await queue(page).getByRole('button').first().click();
    await page.getByRole('button', { name: 'Back to the queue' }).click();
    await queue(page).waitFor();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than the screen');
  });
});
