// What must hold when things are not as they should be: periods without data, filters that a
// figure cannot take, addresses written by hand, a server that goes away.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, demoData, open, serve, settled } from './app.mjs';

describe('trust', () => {
  let app;
  before(async () => {
    app = await serve(demoData());
  });
  after(() => app.stop());

  const kpi = (page, measure) => page.locator(`[data-kpi="${measure}"]`);

  test('a value stays known when the time before it is not', async (t) => {
    const page = await open(t, app, '/?period=all');
    const [[margin]] = (await ask(app, '/api/v1/query?measures=gross_margin&from=2024-07&to=2026-07')).rows;
    await kpi(page, 'gross_margin')
      .getByText(`${(100 * Number(margin)).toFixed(1)}%`)
      .waitFor();
    for (const measure of ['gross_margin', 'revenue', 'gross_profit', 'utilization']) {
      const text = (await kpi(page, measure).textContent()) ?? '';
      assert.match(text, /no comparison/, measure);
      assert.match(text, /The data begins in July 2024/, measure);
    }
  });

  test('steps end with the data, and a period beyond it is unknown, not zero', async (t) => {
    const page = await open(t, app, '/');
    await page.getByRole('button', { name: /^Later/ }).isDisabled();
    await page.keyboard.press(']');
    assert.doesNotMatch(page.url(), /period/);
    await page.goto(`${app.url}/?period=2027-01..2027-06`);
    await settled(page);
    for (const measure of ['revenue', 'gross_profit', 'utilization']) {
      const text = (await kpi(page, measure).textContent()) ?? '';
      assert.match(text, /—/, measure);
      assert.match(text, /The data reaches from July 2024 to June 2026/, measure);
    }
  });

  test('one filter holds for the findings, too, and a figure that cannot take it says so', async (t) => {
    const where = encodeURIComponent('client = "Linden Square Logistics"');
    const page = await open(t, app, `/?where=${where}`);
    const heads = await page.locator('ol h3').allTextContents();
    assert.ok(heads.length > 0 && heads.every((h) => h.includes('Linden Square Logistics')), heads.join('; '));
    assert.match((await kpi(page, 'utilization').textContent()) ?? '', /Not filtered by client/);
    await page.goto(`${app.url}/team?where=${where}`);
    await settled(page);
    assert.equal(await page.getByRole('alert').count(), 0);
    await page.getByText('Not filtered by client', { exact: false }).first().waitFor();
  });

  test('an address written by hand never breaks a page', async (t) => {
    const page = await open(t, app, '/', { allowFailures: true });
    for (const path of [
      '/explore?measures=nope',
      '/explore?measures=%5B%22revenue%22,%22revenue%22%5D&by=%5B%22client%22,%22client%22%5D',
      '/?panel=banana',
      '/?period=banana',
      `/?panel=${encodeURIComponent('{"kind":"explain","of":"revenue","days":{"from":"banana","to":"x"}}')}`,
      '/clients?sort=%00&tab=9',
      '/?where=%F0%9F%A6%86',
    ]) {
      await page.goto(app.url + path);
      await page.waitForSelector('main h1');
      assert.equal(await page.getByText('This page failed').count(), 0, path);
      assert.equal(await page.getByRole('dialog').count(), 0, path);
    }
  });

  test('a client with a dot in its name is a page, also after reloading', async (t) => {
    const page = await open(t, app, '/clients/Acme%20Inc.');
    await page.reload();
    await page.getByRole('heading', { name: 'Acme Inc.' }).waitFor();
    const missing = await fetch(`${app.url}/assets/none.js`);
    assert.equal(missing.status, 404);
  });

  test('when the state is not known the page says so and can be tried again', async (t) => {
    const page = await open(t, app, '/help', { allowFailures: true });
    let broken = true;
    await page.route('**/api/v1/status', (r) =>
      broken
        ? r.fulfill({
            status: 503,
            contentType: 'application/problem+json',
            body: '{"title":"x","status":503,"detail":"the database is busy"}',
          })
        : r.continue(),
    );
    await page.goto(`${app.url}/clients`);
    await page.getByRole('alert').getByText('the database is busy').waitFor({ timeout: 30_000 });
    broken = false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('link', { name: 'Linden Square Logistics' }).first().waitFor();
  });

  test('a draft survives leaving the page at once', async (t) => {
    const made = await fetch(`${app.url}/api/v1/dashboards`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Leaving', template: 'owner' }),
    }).then((r) => r.json());
    const page = await open(t, app, `/dashboards/${made.id}?edit=1`);
    await page.getByLabel('Name', { exact: true }).fill('Left at once');
    await page.getByRole('link', { name: 'Clients', exact: true }).first().click();
    await page.waitForURL(/clients/);
    await page.waitForFunction(async (path) => (await (await fetch(path)).json()).name === 'Left at once', `/api/v1/dashboards/${made.id}`);
  });

  test('the rows of a number add up to it', async (t) => {
    const page = await open(t, app, '/clients/Linden%20Square%20Logistics');
    await kpi(page, 'revenue').getByRole('button').last().click();
    await page.getByRole('tab', { name: 'Rows' }).click();
    await page.locator('[data-sum]').getByText('$44,184.00').waitFor();
  });

  test('a table says what all of its rows are together', async (t) => {
    const page = await open(t, app, '/clients');
    const [[profit]] = (
      await ask(
        app,
        `/api/v1/query?measures=gross_profit&from=2025-07&to=2026-07&where=${encodeURIComponent('client_status != "internal"')}`,
      )
    ).rows;
    const foot = (await page.locator('tfoot').first().textContent()) ?? '';
    assert.ok(foot.includes(Number(profit).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })), foot);
  });
});

test('a server that comes back is noticed, and what failed is asked again', async (t) => {
  const data = demoData();
  const first = await serve(data);
  const page = await open(t, first, '/clients', { allowFailures: true });
  await first.stop();
  await page.getByText('MoatMetrics does not answer', { exact: false }).waitFor();
  await page.getByRole('link', { name: 'Spend', exact: true }).first().click();
  const second = await serve(data, first.port);
  t.after(() => second.stop());
  await page.getByText('MoatMetrics does not answer', { exact: false }).waitFor({ state: 'detached', timeout: 60_000 });
  await page.locator('[data-kpi="expense_amount"]').getByText('$').first().waitFor({ timeout: 60_000 });
});
