// Benchmarks: figures beside bands, their history and peers; taking part and leaving.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, cli, demoData, emptyData, open, PHONE, serve, serveFor, settled } from './app.mjs';

const DAYS = 'from=2025-07-01&to=2026-07-01';
const share = (value) => `${(100 * Number(value)).toFixed(1)}%`.replace('-', '\u2212');

/** Six tenants that take part, each with a year of revenue. */
function withPeers(data) {
  const dir = mkdtempSync(join(tmpdir(), 'moat-peers-'));
  for (let n = 1; n <= 6; n++) {
    const lines = ['invoice_number,client_name,invoice_date,net_amount,revenue_category'];
    for (let m = 0; m < 12; m++) {
      const date = new Date(Date.UTC(2025, 6 + m, 1)).toISOString().slice(0, 10);
      lines.push(`${m}r,Someone,${date},${6000 + 500 * n},recurring_labor`, `${m}p,Someone,${date},${4000 - 500 * n},project`);
    }
    const file = join(dir, 'invoices.csv');
    writeFileSync(file, `${lines.join('\n')}\n`);
    cli(data, 'import', file, '--tenant', `firm-${n}`);
    cli(data, 'peers', 'join', '--tenant', `firm-${n}`);
  }
  rmSync(dir, { recursive: true });
  return data;
}

describe('benchmarks', () => {
  let app;
  before(async () => {
    app = await serve(withPeers(demoData()));
  });
  after(() => app.stop());

  const card = (page, title) => page.getByRole('region', { name: title, exact: true });

  test('every source stands beside the figure, with its probability', async (t) => {
    const page = await open(t, app, '/benchmarks');
    const { benchmarks } = await ask(app, `/api/v1/benchmarks?${DAYS}`);
    const margin = benchmarks.find((b) => b.measure === 'gross_margin');
    const own = card(page, margin.label);
    await own.getByText(share(margin.value), { exact: true }).waitFor();
    assert.ok(margin.references.length > 3);
    for (const r of margin.references) await own.getByText(r.threshold.source, { exact: false }).first().waitFor();
    await own.getByText(`${Math.round(100 * margin.references[0].chances[margin.references[0].band])}% likely`).waitFor();
    await own.getByRole('button', { name: /Explain/ }).click();
    await page.getByRole('dialog').waitFor();
  });

  test('others are seen only while taking part', async (t) => {
    const page = await open(t, app, '/benchmarks');
    await page.getByText('not taking part').waitFor();
    assert.equal(await page.getByRole('heading', { name: 'Other tenants' }).count(), 0);
    await page.getByRole('button', { name: 'Take part' }).click();
    const own = card(page, 'Recurring share');
    await own.getByRole('heading', { name: 'Other tenants' }).waitFor();
    const shown = async () =>
      (await ask(app, `/api/v1/benchmarks?${DAYS}`)).benchmarks.find((b) => b.measure === 'recurring_share').peers.release;
    const first = await shown();
    assert.equal(first.n, 6);
    await own.getByText(`n = 6, ε = 2`, { exact: false }).waitFor();
    await page.reload();
    await settled(page);
    assert.deepEqual(await shown(), first, 'looking again tells nothing more');
    await page.getByRole('button', { name: 'Take no part any more' }).click();
    await page.getByText('not taking part').waitFor();
    await own.getByRole('heading', { name: 'Other tenants' }).waitFor({ state: 'detached' });
  });

  test('a client stands among the other clients', async (t) => {
    const page = await open(t, app, `/benchmarks?where=${encodeURIComponent('client = "Linden Square Logistics"')}`, { viewport: PHONE });
    const { benchmarks } = await ask(app, `/api/v1/benchmarks?${DAYS}&client=Linden%20Square%20Logistics`);
    const margin = benchmarks.find((b) => b.measure === 'gross_margin');
    const own = card(page, margin.label);
    await own.getByText(`${margin.clients.n} others`, { exact: false }).first().waitFor();
    await page.getByText('Not for the client’s eyes', { exact: false }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth), false);
  });
});

test('before there is data, the page says what is needed', async (t) => {
  const page = await open(t, await serveFor(t, emptyData()), '/benchmarks');
  await page.getByText('There are no figures to show').waitFor();
  await page.getByRole('main').getByRole('link', { name: 'Import files' }).waitFor();
});
