// What if: begun from a question, changed, solved for a target, saved and put side by side.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, demoData, open, serve, settled } from './app.mjs';

describe('what if', () => {
  let app;
  before(async () => {
    app = await serve(demoData());
  });
  after(() => app.stop());

  const run = (levers) =>
    fetch(`${app.url}/api/v1/scenarios/run`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ levers }),
    }).then((r) => r.json());
  const line = (result, name) => result.lines.find((l) => l.measure === name);

  test('a question becomes a saved what-if whose figures are those of the API', async (t) => {
    const page = await open(t, app, '/scenarios');
    await page.getByText('None yet').waitFor();
    await page.getByRole('button', { name: 'Try it: Raise all prices by 6%' }).click();
    await page.getByRole('heading', { name: 'What would it have brought?' }).waitFor();
    await page.getByLabel('By how much').fill('8.5');
    await page.getByText('Prices +8.5% (all)').first().waitFor();
    const eight = await run([{ kind: 'price', percent: '0.085' }]);
    const more = Number(line(eight, 'gross_profit').change).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    await page.getByText(`+$${more}`).first().waitFor();
    await page.getByRole('button', { name: 'Save …' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('Prices up');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByText('Prices up is saved.').waitFor();
    await page.reload();
    await settled(page);
    assert.equal(await page.locator('h1').textContent(), 'Prices up');
    assert.equal(await page.getByLabel('By how much').inputValue(), '8.5');
  });

  test('a target is solved for, and what finds nothing to change is said beside it', async (t) => {
    const page = await open(t, app, '/scenarios/new', { allowFailures: true });
    await page.getByRole('button', { name: 'Add a change' }).click();
    await page.getByRole('button', { name: 'Choose for whom …' }).click();
    await page.getByRole('dialog', { name: 'For whom' }).getByLabel('Linden Square Logistics').check();
    await page.keyboard.press('Escape');
    await page.getByLabel('of', { exact: true }).selectOption('Linden Square Logistics');
    await page.getByLabel('is, in percent').fill('45');
    await page.getByRole('button', { name: 'Find it' }).click();
    await page.getByRole('button', { name: 'Use it' }).click();
    const own = await fetch(`${app.url}/api/v1/scenarios/solve`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        definition: { levers: [{ kind: 'price', percent: '0', select: { client: ['Linden Square Logistics'] } }] },
        lever: 0,
        measure: 'gross_margin',
        client: 'Linden Square Logistics',
        target: '0.45',
      }),
    }).then((r) => r.json());
    assert.equal(await page.getByLabel('By how much').inputValue(), String(Number(own.lever.percent) * 100));
    await page.getByLabel('What changes', { exact: true }).selectOption('seats');
    await page.getByLabel('By how much').fill('-3');
    await page.getByText('Not counted yet: choose for whom.').waitFor();
    await page.getByLabel('What changes', { exact: true }).selectOption('price');
    await page.getByLabel('By how much').fill('-101');
    await page.getByText(/must be -1 to 10/).waitFor();
  });

  test('two are put side by side', async (t) => {
    const save = (name, levers) =>
      fetch(`${app.url}/api/v1/scenarios`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name, content: { levers } }),
      }).then((r) => r.json());
    await save('One more', [{ kind: 'staffing', amount: '1' }]);
    await save('Pay up', [{ kind: 'pay', percent: '0.04' }]);
    const page = await open(t, app, '/scenarios');
    await page.getByLabel('Compare One more').check();
    await page.getByLabel('Compare Pay up').check();
    await page.getByRole('button', { name: 'Compare', exact: true }).click();
    await page.getByRole('columnheader', { name: 'Pay up' }).waitFor();
    const list = (await ask(app, '/api/v1/scenarios')).items;
    assert.ok(list.length >= 2);
    const pay = line(await run([{ kind: 'pay', percent: '0.04' }]), 'labor_cost');
    const text = Number(pay.scenario).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    await page.getByText(`$${text}`).first().waitFor();
  });
});
