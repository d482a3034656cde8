// Risk: what stands on the page is what the API answers, and each figure leads to its rows.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, demoData, open, PHONE, serve, settled } from './app.mjs';

const DAYS = 'from=2025-07-01&to=2026-07-01';

describe('risk', () => {
  let app;
  before(async () => {
    app = await serve(demoData());
  });
  after(() => app.stop());

  test('clients stand in the order of the rule, and a name opens the figures and their rows', async (t) => {
    const page = await open(t, app, '/risk');
    const { clients, rule } = await ask(app, `/api/v1/client-risks?${DAYS}`);
    await page.getByText(rule).waitFor();
    const names = await page
      .getByRole('table', { name: 'Clients by what is to act on' })
      .locator('tbody tr td:first-child button')
      .allTextContents();
    assert.deepEqual(
      names.slice(0, 10),
      clients.slice(0, 10).map((c) => c.client),
    );

    const late = clients.find((c) => c.components.some((p) => p.name === 'payment' && p.state === 'act'));
    await page.getByRole('button', { name: `${late.client}: the figures behind it` }).focus();
    await page.keyboard.press('Enter');
    const drawer = page.getByRole('dialog', { name: late.client });
    const part = drawer.getByRole('region', { name: 'Payment' });
    const payment = late.components.find((p) => p.name === 'payment');
    await part.getByText(payment.words).waitFor();
    await part.getByText(payment.step).waitFor();
    await part.getByText('from 15 days: half a month late and more (act)').waitFor();
    await part.getByRole('button', { name: /^Days paid beyond the due date .*: where it comes from/ }).click();
    await settled(page);
    await page.getByRole('tab', { name: 'Rows', selected: true }).waitFor();
    await page.goBack();
    await drawer.waitFor();
  });

  test('projects: the one that overruns stands first, with its probability', async (t) => {
    const page = await open(t, app, '/risk?tab=projects');
    const { projects, history } = await ask(app, '/api/v1/project-risks?to=2026-07-01');
    assert.equal(projects[0].state, 'act');
    const first = page.getByRole('table', { name: 'Open projects, those to act on first' }).locator('tbody tr').first();
    const text = await first.textContent();
    assert.ok(text.includes(projects[0].project) && text.includes(`${Math.round(100 * projects[0].overrun_probability)}%`), text);
    await page.getByText(history.words).waitFor();
    await first.getByRole('button').click();
    await page.getByRole('dialog', { name: projects[0].project }).getByText(projects[0].components[0].words).waitFor();
  });

  test('a client shows its five states, which lead to the figures', async (t) => {
    const page = await open(t, app, '/clients/Linden%20Square%20Logistics', { viewport: PHONE });
    const { clients } = await ask(app, `/api/v1/client-risks?${DAYS}`);
    const own = clients.find((c) => c.client === 'Linden Square Logistics');
    const card = page.getByRole('region', { name: 'What is at risk?' });
    for (const c of own.components) await card.getByText(c.label, { exact: false }).first().waitFor();
    await card.getByRole('link', { name: 'The figures' }).click();
    await page.getByRole('dialog', { name: 'Linden Square Logistics' }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  });

  test('a client without an open project is told what projects are made of', async (t) => {
    const page = await open(t, app, `/risk?tab=projects&where=${encodeURIComponent('client = "Walnut Street Dental Group"')}`);
    await page.getByText('No open project').waitFor();
    await page.getByRole('link', { name: 'Import projects' }).waitFor();
  });
});
