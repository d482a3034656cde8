// Personal data: a person is found, previewed and erased, and the totals stay.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, demoData, open, serve } from './app.mjs';

describe('governance', () => {
  let app;
  before(async () => {
    app = await serve(demoData());
  });
  after(() => app.stop());

  test('somebody is erased in two steps, and no total moves', async (t) => {
    const total = async () => (await ask(app, '/api/v1/query?measures=labor_cost,hours_worked&from=2025-07-01&to=2026-07-01')).rows;
    const was = await total();
    const staff = (await ask(app, '/api/v1/query?measures=hours_worked&by=staff&from=2026-06-01&to=2026-07-01&order=-hours_worked&limit=1'))
      .rows;
    const name = staff[0].find((v) => typeof v === 'string' && /[a-z] [A-Z]/.test(v));
    assert.ok(name, 'the demo has somebody with a name');
    const page = await open(t, app, '/governance');
    await page.getByText('No request yet').waitFor();
    await page.getByRole('button', { name: 'New request' }).click();
    await page.getByLabel('Who').fill(name);
    await page.getByRole('list', { name: 'Persons found' }).getByRole('button').first().click();
    await page.getByLabel('Asks for').selectOption('erasure');
    await page.getByRole('button', { name: 'Note it' }).click();
    const dialog = page.getByRole('dialog', { name });
    await dialog.getByRole('table', { name: 'What would be changed' }).waitFor({ timeout: 60_000 });
    await dialog.getByRole('button', { name: 'Approve and erase' }).click();
    await page.getByText('Names, addresses and free text are gone').waitFor({ timeout: 120_000 });
    assert.deepEqual(await total(), was);
    assert.equal((await ask(app, `/api/v1/governance/people?q=${encodeURIComponent(name)}`)).items.length, 0);
  });

  test('reports that were made are kept as long as somebody says', async (t) => {
    const page = await open(t, app, '/governance?tab=retention');
    const row = page.getByRole('row').filter({ hasText: 'Files: reports that were made' });
    await row.getByText('for ever').waitFor();
    await row.getByRole('button', { name: 'Change: Files: reports that were made' }).click();
    await page.getByLabel('Months to keep').fill('36');
    await page.getByRole('button', { name: 'Save' }).click();
    await row.getByText('36 months').waitFor();
    const { items } = await ask(app, '/api/v1/governance/retention');
    assert.equal(items.find((r) => r.what === 'reports').months, 36);
  });

  test('a hold begins, is shown and is lifted', async (t) => {
    const page = await open(t, app, '/governance?tab=holds');
    await page.getByText('Nothing is held').waitFor();
    await page.getByRole('button', { name: 'Begin a hold' }).click();
    await page.getByLabel('What is held').selectOption('dataset');
    await page.getByLabel('Why').fill('an inquiry');
    await page.getByRole('button', { name: 'Hold', exact: true }).click();
    await page.getByRole('button', { name: 'Lift the hold on everything' }).click();
    await page.getByText(/^lifted/).waitFor();
  });
});
