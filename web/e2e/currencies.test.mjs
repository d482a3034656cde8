// Amounts in two currencies: each names its own, none are added, and what is unknown says why.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, emptyData, number, open, serve, settled } from './app.mjs';

let app;
before(async () => {
  app = await serve(emptyData());
  const invoices = ['invoice_number,client_name,invoice_date,net_amount,currency'];
  for (let m = 1; m <= 12; m++) {
    const date = `2025-${String(m).padStart(2, '0')}-28`;
    invoices.push(`B${m},Berlin Werk,${date},4000.50,EUR`, `N${m},Boston Bank,${date},6000.25,USD`);
    invoices.push(`X${m},Both Ltd,${date},1000,EUR`, `Y${m},Both Ltd,${date},500,USD`);
  }
  const form = new FormData();
  form.append('file', new Blob([`${invoices.join('\n')}\n`]), 'invoices.csv');
  const answer = await fetch(`${app.url}/api/v1/imports`, { method: 'POST', body: form }).then((r) => r.json());
  assert.equal(answer.results[0].rows_added, 48);
});
after(() => app?.stop());

test('amounts in two currencies are shown each in its own and never added', async (t) => {
  const page = await open(t, app, '/clients');
  const cellOf = async (client) => {
    const row = page.getByRole('row').filter({ has: page.getByRole('link', { name: client }) });
    return (await row.textContent()) ?? '';
  };
  assert.match(await cellOf('Berlin Werk'), /€48,006\.00/);
  assert.match(await cellOf('Boston Bank'), /\$72,003\.00/);
  assert.doesNotMatch(await cellOf('Both Ltd'), /\d{3}\.\d\d/, 'a sum of euros and dollars');
  await page.locator('[data-kpi="gross_profit"]').getByText('Amounts are in EUR and USD', { exact: false }).waitFor();

  await page.goto(`${app.url}/clients/Berlin%20Werk`);
  await settled(page);
  const revenue = page.locator('[data-kpi="revenue"] button').last();
  assert.match((await revenue.textContent()) ?? '', /^€/);
  await revenue.click();
  await page.getByRole('dialog').getByText('The revenue of Berlin Werk', { exact: false }).waitFor();
  await page.getByRole('tab', { name: 'Rows' }).click();
  await page.getByRole('dialog').getByText('4,000.50').first().waitFor();

  const csv = await fetch(`${app.url}/api/v1/query/export?measures=revenue&by=client&from=2025-01&to=2025-12`).then((r) => r.text());
  assert.match(csv, /^client,revenue,revenue_currency\nBerlin Werk,44005\.5,EUR\nBoston Bank,66002\.75,USD\nBoth Ltd,,EUR USD\n$/);
  const rows = (await ask(app, '/api/v1/query?measures=revenue&by=currency&from=2025-01&to=2025-12')).rows;
  assert.deepEqual(
    rows.map(([code, sum]) => [code, number(sum)]),
    [
      ['EUR', 55005.5],
      ['USD', 71502.75],
    ],
  );
});

test('a cell of a table cut by month explains that month', async (t) => {
  const search = new URLSearchParams({
    measures: '["revenue"]',
    by: '["month"]',
    period: '2025-01..2025-11',
    where: 'client = "Berlin Werk"',
  });
  const page = await open(t, app, `/explore?${search}`);
  await page.getByRole('row').filter({ hasText: 'Mar 2025' }).getByRole('button').click();
  const panel = page.getByRole('dialog');
  await panel.getByText('Mar 2025', { exact: false }).first().waitFor();
  await panel.getByText('€4,000.50', { exact: true }).first().waitFor();
});
