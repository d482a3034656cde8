// A newcomer's first morning: which clients lose money, why, and since when, using only the
// screen; then the same with only the keyboard. What the screen says is compared with what
// was planted in the demo's files.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { demoData, number, open, serve, settled } from './app.mjs';

describe('a newcomer', () => {
  let app;
  let planted;
  before(async () => {
    const data = demoData();
    planted = JSON.parse(readFileSync(join(data, 'demo-files', 'truth.json'), 'utf8'));
    app = await serve(data);
  });
  after(() => app.stop());

  test('names the clients that lose money, why, and since when', async (t) => {
    const page = await open(t, app);
    await page.getByRole('link', { name: 'All clients' }).click();
    await settled(page);
    assert.equal(await page.locator('h1').textContent(), 'Clients');
    const losers = await losersOf(page);
    assert.deepEqual([...losers].sort(), planted.loss_clients.map((c) => c.client).sort());
    for (const name of losers) {
      await page.getByRole('link', { name, exact: true }).click();
      await settled(page);
      await page
        .locator('[data-kpi=gross_profit]')
        .getByRole('button', { name: /Explain$/ })
        .click();
      const panel = page.getByRole('dialog');
      const why = panel.getByRole('list', { name: /^From / }).locator('li');
      await why.first().waitFor();
      const { cause, since: began } = planted.loss_clients.find((c) => c.client === name);
      const causes = await why.allTextContents();
      // An agreement that was underpriced from the start did not change: its fee is the cause.
      if (cause !== 'underpriced agreement')
        assert.ok(causes[1].toLowerCase().startsWith(cause), `${name}: ${causes[1]} first, planted was ${cause}`);
      await page.keyboard.press('Escape');
      await panel.waitFor({ state: 'detached' });
      const since = await sinceWhen(page);
      if (cause !== 'underpriced agreement') assert.equal(since, monthOf(began), `when ${name} began to lose`);
      else assert.match(since, /^[A-Z][a-z]{2} 20\d\d$/);
      await page.goBack();
      await page.goBack();
      await settled(page);
      if ((await page.locator('h1').textContent()) !== 'Clients') {
        await page.getByRole('navigation', { name: 'Main', exact: true }).getByRole('link', { name: 'Clients' }).click();
        await settled(page);
      }
    }
  });

  test('does the same with the keyboard alone', async (t) => {
    const page = await open(t, app);
    // The palette leads to the clients.
    await page.keyboard.press('Control+k');
    await page.keyboard.type('clients');
    await page
      .getByRole('menuitem', { name: /^Clients/ })
      .first()
      .waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/clients/);
    await settled(page);
    const losers = await losersOf(page);
    const name = losers[0];
    // Tab leads on from the head of the page to the first client's name.
    await tabTo(page, (x) => x.text === name && x.tag === 'A');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/clients\/./);
    await settled(page);
    assert.equal(await page.locator('h1').textContent(), name);
    // The gross profit of the client, and why it is what it is.
    await tabTo(page, (x) => /^Gross profit: .*Explain$/.test(x.label));
    await page.keyboard.press('Enter');
    const panel = page.getByRole('dialog');
    await panel.getByRole('list', { name: /^From / }).waitFor();
    assert.ok(await page.evaluate(() => document.activeElement?.closest('[role=dialog]') !== null), 'focus is in the panel');
    // Its rows: the tabs are one stop, arrows choose.
    await tabTo(page, (x) => x.role === 'tab');
    await page.keyboard.press('ArrowRight');
    await panel.getByRole('table').waitFor();
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'detached' });
    // Focus comes back to the number, in the frame after the panel is gone.
    await page.waitForFunction(() => /Gross profit/.test(document.activeElement?.getAttribute('aria-label') ?? ''));
    // The trend as a table says since when.
    await tabTo(page, (x) => x.label === 'View as table');
    await page.keyboard.press('Enter');
    assert.match(await firstLoss(page), /^[A-Z][a-z]{2} 20\d\d$/);
    // A step in time and back.
    await page.keyboard.press('[');
    await page.waitForURL(/period=/);
    await page.keyboard.press(']');
  });
});

/** The clients whose gross profit is below zero, as the table shows them. */
async function losersOf(page) {
  const out = [];
  for (const row of await page.locator('tbody tr').all()) {
    const cells = await row.locator('td').allTextContents();
    if (cells.length > 2 && number(cells[1]) < 0) out.push(cells[0]);
  }
  return out;
}

const monthOf = (day) => new Intl.DateTimeFormat('en-US', { month: 'short', year: 'numeric', timeZone: 'UTC' }).format(new Date(day));

async function sinceWhen(page) {
  await page.getByRole('button', { name: 'View as table' }).first().click();
  const month = await firstLoss(page);
  await page.getByRole('button', { name: 'View as chart' }).first().click();
  return month;
}

/** The first month of the present run of losses. */
async function firstLoss(page) {
  const table = page.getByRole('table', { name: /^Revenue and gross profit/ });
  await table.waitFor();
  const rows = await table.locator('tbody tr').evaluateAll((all) => all.map((r) => [...r.cells].map((c) => c.textContent ?? '')));
  let since = '';
  for (const [month, , profit] of rows) {
    if (number(profit) < 0) since ||= month;
    else since = '';
  }
  return since || rows.find(([, , p]) => number(p) < 0)?.[0] || '';
}

/** Presses Tab until the focused thing fits; it must come within reach. */
async function tabTo(page, fits, most = 150) {
  for (let i = 0; i < most; i++) {
    const now = await page.evaluate(() => {
      const x = document.activeElement;
      return {
        tag: x?.tagName ?? '',
        text: x?.textContent ?? '',
        label: x?.getAttribute('aria-label') ?? '',
        role: x?.getAttribute('role') ?? '',
      };
    });
    if (fits(now)) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`not reached with ${most} tabs`);
}
