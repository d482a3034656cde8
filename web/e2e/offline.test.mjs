// The last overview, opened client pages and exports are readable when nothing answers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { demoData, newContext, serve, settled } from './app.mjs';

test('what was seen stays readable without the program, marked with its date', async (t) => {
  const app = await serve(demoData());
  const context = await newContext({ serviceWorkers: 'allow', acceptDownloads: true });
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(app.url);
  await settled(page);
  await page.evaluate(() => navigator.serviceWorker.ready);
  // A worker takes over at the next load; what that load asks for is kept.
  await page.reload();
  await settled(page);
  const profit = (await page.locator('[data-kpi=gross_profit]').textContent()).match(/\$[\d.]+M/)[0];
  await page.goto(`${app.url}/clients/Linden%20Square%20Logistics`);
  await settled(page);
  await page.goto(`${app.url}/clients`);
  await settled(page);
  await page.getByRole('button', { name: 'Export' }).first().click();
  await page.getByRole('dialog').getByLabel('Format').selectOption('csv');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('was saved').waitFor();
  await app.stop();

  await page.goto(app.url);
  await settled(page);
  await page.getByText('MoatMetrics does not answer. These are the figures kept on this device').waitFor();
  assert.ok((await page.locator('[data-kpi=gross_profit]').textContent()).includes(profit), profit);
  await page.goto(`${app.url}/clients/Linden%20Square%20Logistics`);
  await settled(page);
  assert.match(await page.locator('[data-kpi=gross_margin]').textContent(), /11\.5%/);
  await page.goto(`${app.url}/files`);
  const file = page.getByRole('button', { name: /^gross.*\.csv$/ });
  await file.waitFor();
  const waiting = page.waitForEvent('download');
  await file.click();
  assert.ok((await waiting).suggestedFilename().endsWith('.csv'));
  // A page never opened says that there is no answer, and how to go on.
  await page.goto(`${app.url}/team`);
  await page.getByRole('alert').first().waitFor();

  const again = await serve(app.data, app.port);
  t.after(() => again.stop());
  await page.goto(again.url);
  await settled(page);
  await page.getByText('MoatMetrics does not answer').waitFor({ state: 'detached' });
});
