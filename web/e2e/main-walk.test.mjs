// The jobs people come for, on the demo MSP, each as a person does it.
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, demoData, emptyData, number, open, PHONE, serve, serveFor, settled } from './app.mjs';

describe('the demo MSP', () => {
  let app;
  before(async () => {
    app = await serve(demoData());
  });
  after(() => app.stop());

  test('from the overview to a client, to the rows, and back', async (t) => {
    const page = await open(t, app);
    await page.getByRole('link', { name: 'Linden Square Logistics' }).first().click();
    await settled(page);
    assert.equal(await page.locator('h1').textContent(), 'Linden Square Logistics');
    await page
      .getByRole('button', { name: /^Gross profit −.*Explain/ })
      .first()
      .click();
    const panel = page.getByRole('dialog');
    await panel.getByRole('tab', { name: 'Rows' }).click();
    await panel.getByRole('table').waitFor();
    assert.match(page.url(), /panel=/);
    const shown = await panel.locator('tbody tr').count();
    assert.ok(shown > 5, `${shown} rows`);
    const answer = await ask(
      app,
      `/api/v1/query?measures=revenue&where=${encodeURIComponent('client = "Linden Square Logistics"')}&from=2025-07-01&to=2026-07-01`,
    );
    const amounts = await panel.locator('tbody tr td:nth-child(2)').allTextContents();
    const rows = await ask(
      app,
      `/api/v1/query/rows?measure=revenue&where=${encodeURIComponent('client = "Linden Square Logistics"')}&from=2025-07-01&to=2026-07-01&limit=1000`,
    );
    const sum = rows.rows.reduce((cents, r) => cents + Math.round(Number(r.at(-1)) * 100), 0);
    assert.equal(sum, Math.round(Number(answer.rows[0][0]) * 100), 'the rows add up to the figure');
    assert.equal(Math.round(number(amounts[0]) * 100), Math.round(Number(rows.rows[0].at(-1)) * 100), 'the largest row is first');
    await page.goBack();
    await panel.waitFor({ state: 'detached' });
    await page.goBack();
    await settled(page);
    assert.equal(await page.locator('h1').textContent(), 'Overview');
  });

  test('a change of margin is explained by parts that add up to it', async (t) => {
    const page = await open(t, app, '/clients/Oak%20Terrace%20Law%20Offices');
    await page
      .locator('[data-kpi=gross_margin]')
      .getByRole('button', { name: /Explain$/ })
      .click();
    const panel = page.getByRole('dialog');
    const bridge = panel.getByRole('list', { name: /^From / });
    await bridge.waitFor();
    const values = (await bridge.locator('li > span:last-child').allTextContents()).map(number);
    const [from, to, parts] = [values[0], values.at(-1), values.slice(1, -1)];
    const sum = parts.reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(to - from - sum) < 0.1 * (parts.length + 1), `${from} + ${parts} = ${to}, each rounded to 0.1`);
    await panel.getByRole('tab', { name: 'How sure' }).click();
    await panel.getByText('Score').first().waitFor();
    await panel.getByRole('tab', { name: 'Definition' }).click();
    await panel.getByText('gross profit / revenue', { exact: false }).first().waitFor();
  });

  test('the period and the filter are in the address and survive a reload', async (t) => {
    const page = await open(t, app, '/clients');
    await page.getByRole('button', { name: /Last 12 months/ }).click();
    await page.getByRole('button', { name: /Last 3 months/ }).click();
    await page.waitForURL(/period=last3/);
    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    await page.getByLabel('Filter by').selectOption('industry');
    await page.getByLabel('Healthcare').check();
    await page.keyboard.press('Escape');
    await page.waitForURL(/Healthcare/);
    await settled(page);
    const rows = await page.locator('table tbody tr').count();
    await page.reload();
    await settled(page);
    assert.equal(await page.locator('table tbody tr').count(), rows);
    await page.getByText('Industry: Healthcare').waitFor();
    await page.getByRole('button', { name: 'Remove the filter Industry: Healthcare' }).click();
    await page.waitForURL((u) => !u.href.includes('Healthcare'));
  });

  test('the palette finds a client, a measure and a page', async (t) => {
    const page = await open(t, app, '/help');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('bayview');
    await page
      .getByRole('menuitem', { name: /Bayview Point Family Medicine/ })
      .first()
      .waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await settled(page);
    assert.match(page.url(), /Bayview/);
    await page.keyboard.press('/');
    await page.keyboard.type('utilization');
    await page
      .getByRole('menuitem', { name: /^Utilization/ })
      .first()
      .click();
    await page.getByRole('dialog').getByText('Utilization').first().waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('snapsh');
    await page.getByRole('menuitem', { name: /Snapshots/ }).click();
    await settled(page);
    assert.equal(await page.locator('h1').textContent(), 'Snapshots');
  });
});

test('from the first visit to the first finding, with the files of the demo', async (t) => {
  const source = demoData();
  const app = await serveFor(t, emptyData());
  const page = await open(t, app);
  assert.equal(await page.locator('h1').textContent(), 'Welcome to MoatMetrics');
  const dir = join(source, 'demo-files');
  const order = [
    'clients.csv',
    'staff.csv',
    'agreements.csv',
    'agreement_additions.csv',
    'holidays.csv',
    'time_off.csv',
    'invoices.csv',
    'time_entries.csv',
    'expenses.csv',
    'licenses.csv',
  ];
  const files = order.filter((f) => readdirSync(dir).includes(f)).map((f) => join(dir, f));
  assert.ok(files.length >= 6);
  await page.setInputFiles('input[type=file]', files);
  await page.getByRole('heading', { name: 'What would change?' }).waitFor({ timeout: 60_000 });
  await settled(page);
  await page.getByRole('button', { name: /^Import all/ }).click();
  await page.getByRole('heading', { name: 'Imported', exact: true }).waitFor({ timeout: 60_000 });
  await settled(page);
  await page.getByRole('navigation', { name: 'Main', exact: true }).getByRole('link', { name: 'Overview' }).click();
  await settled(page);
  const first = page.locator('ol li h3 button').first();
  await first.waitFor();
  await first.click();
  await page.getByRole('dialog').getByText('at stake a year').waitFor();
});

test('a file with bad rows: see why, undo, and bring it back', async (t) => {
  const app = await serveFor(t, demoData());
  const file = join(app.data, 'bad.csv');
  writeFileSync(
    file,
    'invoice_id,client_name,amount,date,status\nX-1,Linden Square Logistics,1500.00,2026-06-11,paid\nX-2,Linden Square Logistics,abc,2026-06-12,paid\nX-3,Linden Square Logistics,20.00,2026-13-40,paid\n',
  );
  const before = await ask(app, '/api/v1/query?measures=revenue&from=2026-06-01&to=2026-07-01');
  const page = await open(t, app, '/import');
  await page.setInputFiles('input[type=file]', file);
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  await page.getByRole('link', { name: 'bad.csv' }).click();
  await page.getByRole('heading', { name: 'Why were rows rejected?' }).waitFor();
  await settled(page);
  const table = page.getByRole('table', { name: 'Rejected rows' });
  await table.waitFor();
  const text = await table.textContent();
  for (const part of ['abc', '2026-13-40', 'amount', 'date']) assert.ok(text.includes(part), `${part} in ${text}`);
  const with_ = await ask(app, '/api/v1/query?measures=revenue&from=2026-06-01&to=2026-07-01');
  assert.equal(Math.round((Number(with_.rows[0][0]) - Number(before.rows[0][0])) * 100), 150000);
  await page.getByRole('button', { name: /^Undo the import/ }).click();
  await page.getByText('bad.csv was undone').waitFor();
  assert.equal((await ask(app, '/api/v1/query?measures=revenue&from=2026-06-01&to=2026-07-01')).rows[0][0], before.rows[0][0]);
  await page.getByRole('button', { name: 'Bring it back' }).click();
  await page.getByText('The import is back.').waitFor();
  assert.equal((await ask(app, '/api/v1/query?measures=revenue&from=2026-06-01&to=2026-07-01')).rows[0][0], with_.rows[0][0]);
  const rejects = await fetch(`${app.url}/api/v1/imports/${page.url().split('/').pop()}/rejects?format=csv`).then((r) => r.text());
  assert.ok(rejects.includes('abc'));
});

test('on a phone the overview leads to the rows too', async (t) => {
  const app = await serveFor(t, demoData());
  const page = await open(t, app, '/', { viewport: PHONE, hasTouch: true, isMobile: true });
  await page.locator('ol li h3 button').first().tap();
  const panel = page.getByRole('dialog');
  await panel.getByRole('tab', { name: 'Rows' }).tap();
  await panel.getByRole('table').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'More' }).tap();
  await page.getByRole('dialog').getByRole('link', { name: 'Team' }).tap();
  await settled(page);
  assert.equal(await page.locator('h1').textContent(), 'Team');
});
