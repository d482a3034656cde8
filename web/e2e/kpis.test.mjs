// KPIs & rules: a formula becomes a measure that Explore knows, a condition a segment, and a
// rule finds whom it holds for; each figure is that of the API.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, demoData, open, serve, settled } from './app.mjs';

describe('KPIs & rules', () => {
  let app;
  before(async () => {
    app = await serve(demoData());
  });
  after(() => app.stop());

  const dollars = (value) => `$${Number(value).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;

  test('a formula becomes a KPI whose value is that of the API, and Explore knows it', async (t) => {
    const page = await open(t, app, '/kpis', { allowFailures: true });
    await page.getByText('None yet').waitFor();
    await page.getByRole('button', { name: 'New KPI' }).click();
    await page.getByLabel('Name').fill('Profit');
    await page.getByLabel('Formula').fill('revenue + hours_worked');
    await page.getByText(/these do not go together/).waitFor();
    assert.equal(await page.locator('mark').textContent(), 'h');
    await page.getByLabel('Formula').fill('gross_profit /');
    await page.getByLabel('Insert a measure').selectOption('endpoints');
    assert.equal(await page.getByLabel('Formula').inputValue(), 'gross_profit / endpoints');
    const preview = await fetch(`${app.url}/api/v1/kpis/preview`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ formula: 'gross_profit / endpoints' }),
    }).then((r) => r.json());
    const value = `${dollars(preview.total.rows[0][0])}\u00a0each`;
    await page.getByTestId('kpi-value').getByText(value).waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText(/must be 2 to 60 small letters/).waitFor();
    await page.getByLabel('Name').fill('profit_per_endpoint');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Profit per endpoint is saved.').waitFor();
    await page.waitForURL(/\/kpis\/edit\/profit_per_endpoint/);
    await page.getByTestId('kpi-value').getByText(value).waitFor();

    await page.getByRole('link', { name: 'Explore it' }).click();
    await settled(page);
    const months = preview.total.period;
    const q = await ask(app, `/api/v1/query?measures=profit_per_endpoint&from=${months.from}&to=${months.to}`);
    assert.equal(q.rows[0][0], preview.total.rows[0][0]);
    await page.goto(`${app.url}/explore?measures=${encodeURIComponent('["profit_per_endpoint"]')}&by=${encodeURIComponent('["client"]')}`);
    await page.getByText(dollars(q.rows[0][0]).slice(1)).first().waitFor();
  });

  test('a condition becomes a segment of the members that it shows', async (t) => {
    const page = await open(t, app, '/kpis?tab=segments', { allowFailures: true });
    await page.getByRole('button', { name: 'New segment' }).click();
    const form = page.getByRole('dialog', { name: 'New segment' });
    await form.getByLabel('Name').fill('Key accounts');
    await form.getByLabel('Condition').fill('revenue > $50000');
    await form.getByLabel('Measures are of').selectOption('12');
    const q = await ask(
      app,
      `/api/v1/query?measures=revenue&by=client&from=2025-07-01&to=2026-07-01&where=${encodeURIComponent('revenue > $50000')}`,
    );
    assert.ok(q.rows.length > 0);
    await form.getByTestId('members').getByText(`${q.rows.length} meet it, Jul 2025 to Jun 2026`).waitFor();
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Key accounts is saved.').waitFor();
    const own = await ask(
      app,
      `/api/v1/query?measures=revenue&by=client&from=2025-07-01&to=2026-07-01&where=${encodeURIComponent('segment = "Key accounts"')}`,
    );
    assert.deepEqual(own.rows.map((r) => r[0]).sort(), q.rows.map((r) => r[0]).sort());
    await page.getByRole('button', { name: 'Remove Key accounts' }).click();
    await page.getByText('None yet').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('button', { name: 'Change Key accounts' }).waitFor();
  });

  test('a rule says for whom it holds, and its question is decided', async (t) => {
    const page = await open(t, app, '/kpis?tab=rules', { allowFailures: true });
    await page.getByRole('button', { name: 'New rule' }).click();
    const form = page.getByRole('dialog', { name: 'New rule' });
    await form.getByLabel('Name').fill('Thin clients');
    await form.getByLabel('Condition').fill('client = "x"');
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByText(/must be about measures/).waitFor();
    await form.getByLabel('Condition').fill('gross_margin < 30% and revenue > $1000');
    await form.getByLabel('Then').selectOption('review');
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Thin clients is saved.').waitFor();
    await page.getByRole('button', { name: 'Run now: Thin clients' }).click();
    await page.getByText(/ found, /).waitFor();
    const hits = (await ask(app, '/api/v1/rules/hits')).items.filter((h) => !h.ended_at);
    assert.ok(hits.length > 0);
    await page.getByText(`holds for ${hits.length}`).waitFor();
    await page.getByRole('button', { name: `Acknowledge Thin clients: ${hits[0].subject}` }).click();
    await page.getByText('Acknowledged.').waitFor();
    const open_ = (await ask(app, '/api/v1/rules/reviews')).items;
    assert.equal(open_.length, hits.length - 1);
  });

  test('the fiscal year is set', async (t) => {
    const page = await open(t, app, '/kpis?tab=calendar');
    await page.getByLabel('The year begins in').selectOption('7');
    await page.getByLabel('It is made of').selectOption('4-4-5');
    await page.getByText('The fiscal year ends on the last Saturday of June.').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The fiscal calendar is saved.').waitFor();
    assert.deepEqual(await ask(app, '/api/v1/calendar'), { start_month: 7, weeks: '4-4-5', ends_on: 'saturday', rule: 'last' });
  });
});
