// The palette finds what is meant: what stands there is what the API answers.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, cli, demoData, open, PHONE, serve } from './app.mjs';

describe('search', () => {
  let app;
  let client;
  before(async () => {
    const data = demoData();
    client = JSON.parse(cli(data, 'query', '--measures', 'revenue', '--by', 'client', '--order=-revenue', '--limit', '1', '--json'))
      .rows[0][0];
    for (const format of ['csv', 'json'])
      cli(data, 'report', 'client-qbr', '--client', client, '--format', format, '-o', join(data, `review.${format}`));
    app = await serve(data);
  });
  after(() => app.stop());

  const find = async (page, text) => {
    await page.getByRole('button', { name: /Search/ }).click();
    await page.getByRole('searchbox', { name: 'Go to or do' }).fill(text);
  };

  test('a misspelled client is found and opened with the keyboard', async (t) => {
    const page = await open(t, app, '/');
    const { hits } = await ask(app, '/api/v1/search?q=hrabor');
    assert.equal(hits[0].kind, 'client');
    await find(page, 'hrabor');
    const first = page.getByRole('menuitem', { name: hits[0].label, exact: true });
    await first.waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: hits[0].label, level: 1 }).waitFor();
  });

  test('a person opens the page of people with their filter', async (t) => {
    const page = await open(t, app, '/clients');
    const { rows } = await ask(app, '/api/v1/query?measures=hours_worked&by=staff&order=-hours_worked&limit=1');
    await find(page, rows[0][0]);
    await page.getByRole('menuitem', { name: rows[0][0], exact: true }).first().click();
    await page.waitForURL(/\/team\?/);
    assert.ok(decodeURIComponent(page.url().replaceAll('+', ' ')).includes(`staff = "${rows[0][0]}"`));
  });

  test('a finding opens beside the overview, also on a phone', async (t) => {
    const page = await open(t, app, '/help', { viewport: PHONE });
    const { hits } = await ask(app, '/api/v1/search?q=seats+paid+not+used');
    const finding = hits.find((h) => h.kind === 'finding');
    await page.keyboard.press('Control+k');
    await page.getByRole('searchbox', { name: 'Go to or do' }).fill('seats paid not used');
    await page.getByRole('menuitem', { name: finding.label, exact: true }).click();
    await page.waitForURL(/panel=/);
    await page.getByRole('dialog').waitFor();
    assert.ok(decodeURIComponent(page.url()).includes(finding.finding));
  });

  test('a report is found by its client and template and opens on its page; a template shows what it makes', async (t) => {
    const page = await open(t, app, '/clients');
    const { hits } = await ask(app, `/api/v1/search?q=${encodeURIComponent(`qbr ${client} csv`)}`);
    assert.equal(hits[0].kind, 'report');
    await find(page, `qbr ${client}`);
    const files = page.getByRole('group', { name: 'Report', exact: true }).getByRole('menuitem');
    await files.first().waitFor();
    assert.equal(await files.count(), 2);
    await files.filter({ hasText: 'CSV' }).click();
    await page.waitForURL((url) => url.searchParams.get('report') === hits[0].report);
    await page.getByRole('dialog', { name: hits[0].label }).waitFor();
    await page.keyboard.press('Escape');

    await page.goto(`${app.url}/clients`);
    await find(page, 'receivables');
    await page.getByRole('group', { name: 'Report template' }).getByRole('menuitem', { name: 'Cash and receivables', exact: true }).click();
    await page.waitForURL(/preview=cash-and-receivables/);
    await page.getByRole('dialog', { name: 'Cash and receivables' }).waitFor();
  });

  test('nothing that fits says what to try', async (t) => {
    const page = await open(t, app, '/');
    await find(page, 'zzzzqq');
    await page.getByText('Nothing matches.').waitFor();
  });
});
