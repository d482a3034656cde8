// The panel that explains a number: its drivers opened level by level, what it is compared
// with, how sure it is and how to be surer, and what an import has changed of it.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, demoData, number, open, PHONE, serve } from './app.mjs';

const where = 'client = "Linden Square Logistics"';
const days = { from: '2025-07-01', to: '2026-07-01' };
const panelOf = (of, more = {}) => `/?panel=${encodeURIComponent(JSON.stringify({ kind: 'explain', of, where, days, ...more }))}`;

describe('a number explained', () => {
  let app;
  before(async () => {
    app = await serve(demoData());
  });
  after(() => app.stop());

  const explained = (of, more) => ask(app, `/api/v1/explain?${new URLSearchParams({ measure: of, where, ...days, ...more })}`);

  test('the drivers of a margin open two levels deep, and each level adds up to the one above', async (t) => {
    const e = await explained('gross_margin', { depth: '3' });
    const page = await open(t, app, panelOf('gross_margin'));
    const bridge = page.getByRole('dialog').getByRole('list', { name: /^From / });
    const rate = bridge.getByRole('button', { name: 'Labor cost rate' });
    await rate.waitFor();
    assert.equal(await rate.getAttribute('aria-expanded'), 'false');
    await rate.focus();
    await page.keyboard.press('Enter');
    assert.equal(await rate.getAttribute('aria-expanded'), 'true');
    const row = bridge
      .getByRole('listitem')
      .filter({ has: page.getByRole('button', { name: 'Labor cost rate' }) })
      .first();
    const api = e.drivers.find((d) => d.name === 'labor_cost_rate');
    assert.deepEqual(await amounts(row), inPoints(api.drivers), 'the parts of the labor cost rate');
    assert.ok(Math.abs(exactly(api.drivers) - Number(api.contribution)) < 1e-9, 'they add up to it');
    await page.keyboard.press('Space');
    assert.equal(await row.locator('ol').count(), 0, 'closed again');

    // By client first: client, agreement, work type.
    await page.goto(`${app.url}${panelOf('gross_margin', { where: 'industry = "Legal"' })}`);
    await page.getByLabel('Drivers by').selectOption('client');
    await page.waitForURL(/client/);
    const clients = await ask(
      app,
      `/api/v1/explain?${new URLSearchParams({ measure: 'gross_margin', where: 'industry = "Legal"', ...days, depth: '4', by: 'client,agreement,work_type' })}`,
    );
    const oak = clients.drivers.find((d) => d.name === 'Oak Terrace Law Offices');
    const open1 = bridge.getByRole('button', { name: 'Oak Terrace Law Offices', exact: true });
    await open1.click();
    const first = bridge
      .getByRole('listitem')
      .filter({ has: page.getByRole('button', { name: 'Oak Terrace Law Offices', exact: true }) })
      .first();
    assert.deepEqual(await amounts(first), inPoints(oak.drivers), 'the agreements of the client');
    const managed = oak.drivers.find((d) => d.name.startsWith('Managed Services'));
    const open2 = first.getByRole('button', { name: /^Managed Services/ });
    await open2.click();
    const second = first
      .locator('ol li')
      .filter({ has: page.getByRole('button', { name: /^Managed Services/ }) })
      .first();
    assert.deepEqual(await amounts(second), inPoints(managed.drivers), 'the work types of the agreement');
    for (const d of [oak, managed]) assert.ok(Math.abs(exactly(d.drivers) - Number(d.contribution)) < 1e-9, d.name);
  });

  test('it is compared with a year ago, and with another client, as the address says', async (t) => {
    const page = await open(t, app, panelOf('gross_margin', { days: { from: '2026-04-01', to: '2026-07-01' } }));
    const panel = page.getByRole('dialog');
    const quarter = { from: '2026-04-01', to: '2026-07-01' };
    await panel.getByRole('button', { name: 'A year ago' }).click();
    await page.waitForURL(/year_ago/);
    const ago = await explained('gross_margin', { ...quarter, versus: 'year_ago' });
    await panel.getByText(ago.headline.replaceAll('-', '−').replace(/\.$/, ''), { exact: false }).waitFor();
    await page.reload();
    await panel.getByText('a year ago', { exact: false }).first().waitFor();
    await panel.getByRole('button', { name: 'Another client' }).click();
    await panel.getByLabel('The other client').selectOption('Oak Terrace Law Offices');
    await page.waitForURL(/other/);
    const other = await explained('gross_margin', { ...quarter, versus: 'where', other_where: 'client = "Oak Terrace Law Offices"' });
    await panel.getByText(other.headline.replaceAll('-', '−').replace(/\.$/, ''), { exact: false }).waitFor();
  });

  test('how sure says what is expected, what is probable, and the cheapest way to a higher score', async (t) => {
    const e = await explained('gross_margin');
    const page = await open(t, app, panelOf('gross_margin', { tab: 'sure' }), { viewport: PHONE, hasTouch: true, isMobile: true });
    const panel = page.getByRole('dialog');
    await panel.getByText('The cheapest way to raise it').waitFor();
    const text = await panel.getByRole('tabpanel').textContent();
    const whole = (p) => `${Math.round(100 * p)}%`;
    assert.ok(text.includes(`${e.raise.words.split(':')[0]}, from ${whole(e.raise.from)} to ${whole(e.raise.to)}.`), text);
    assert.ok(text.toLowerCase().includes(e.interval.method.toLowerCase()), 'the method');
    const loss = e.chances.find((c) => c.name === 'loss');
    assert.match(text, new RegExp(`P\\(gross margin < 0\\.0%\\), expected\\s*${whole(loss.probability)}`));
    for (const c of e.confidence.components) assert.ok(text.toLowerCase().includes(c.reason.toLowerCase()), c.reason);
    assert.ok(
      await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth),
      'not wider than a phone',
    );
    await panel.getByRole('link', { name: 'Go to the import' }).click();
    await page.waitForURL(/\/import$/);
  });

  test('history says what the imports since a snapshot have changed of the number', async (t) => {
    const file = join(app.data, 'june.csv');
    const text = 'invoice_id,client_name,amount,date,status\nX-1,Linden Square Logistics,1500.00,2026-06-11,paid\n';
    writeFileSync(file, text);
    const [seen] = (await ask(app, '/api/v1/snapshots?limit=1')).items;
    const form = new FormData();
    form.append('file', new Blob([text]), 'june.csv');
    await fetch(`${app.url}/api/v1/imports`, { method: 'POST', body: form });
    const page = await open(t, app, panelOf('revenue', { tab: 'history', snapshot: seen.id }));
    const why = page.getByRole('region', { name: 'Why it differs' });
    await why.getByText(`snapshot ${seen.id}?`, { exact: false }).waitFor();
    const row = why.getByRole('listitem').filter({ hasText: 'Rows added' });
    assert.equal(number(await row.locator('> span:last-child').textContent()), 1500);
    await why.getByText('Rows that differ since: invoices: 1 added').waitFor();
  });
});

const amounts = async (row) => (await row.locator('> ol > li > span:nth-child(3)').allTextContents()).map(number);
const exactly = (drivers) => drivers.reduce((all, d) => all + Number(d.contribution), 0);
/** Contributions as they are shown: those that round to nothing are not. */
const inPoints = (drivers) =>
  drivers.filter((d) => Math.abs(Number(d.contribution)) >= 0.0005).map((d) => Math.round(1000 * Number(d.contribution)) / 10);
