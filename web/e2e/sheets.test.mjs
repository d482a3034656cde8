// The action sheets: what stands on the page is what the API answers.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, demoData, open, serve, settled } from './app.mjs';

const DAYS = 'from=2025-07-01&to=2026-07-01';
const MINUS = '\u2212';

const money = (value) =>
  Number(value).toLocaleString('en-US', { style: 'currency', currency: 'USD', minimumFractionDigits: 2 }).replace('-', MINUS);
/** As the page writes a ratio: a tie goes to the even tenth. */
const share = (value) => {
  const tenths = 1000 * Number(value);
  const low = Math.floor(tenths);
  const tie = Math.abs(tenths - low - 0.5) < 1e-9;
  return `${((tie ? low + Math.abs(low % 2) : Math.round(tenths)) / 10).toFixed(1)}%`.replace('-', MINUS);
};

describe('action sheets', () => {
  let app;
  before(async () => {
    app = await serve(demoData());
  });
  after(() => app.stop());

  const row = (page, caption, name) => page.getByRole('table', { name: caption }).getByRole('row').filter({ hasText: name }).first();

  test('prices follow what is wanted of them, and the address keeps it', async (t) => {
    const page = await open(t, app, '/agreements?tab=reprice');
    const first = (await ask(app, `/api/v1/reprices?${DAYS}`)).items[0];
    const own = row(page, 'Agreements by the amount missing to the margin', first.agreement);
    await own.getByText(money(first.prices[0].price)).waitFor();
    assert.equal(
      await page.locator('tbody tr').first().locator('button').textContent(),
      first.agreement,
      'the largest amount stands first',
    );

    await page.getByText(/^For a margin of 45.0%/).click();
    await page.getByLabel('Margin, in percent').fill('nothing');
    await page.getByText('This is not a number.').waitFor();
    await page.getByLabel('Margin, in percent').fill('50');
    await page.keyboard.press('Enter');
    const half = (await ask(app, `/api/v1/reprices?${DAYS}&margin=0.5`)).items.find((r) => r.agreement === first.agreement);
    assert.notEqual(half.prices[0].price, first.prices[0].price);
    await own.getByText(money(half.prices[0].price)).waitFor();
    await page.reload();
    await settled(page);
    assert.equal(await page.getByLabel('Margin, in percent').inputValue(), '50');
    await own.getByRole('button').focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: first.agreement });
    await dialog.getByText(money(half.break_even)).waitFor();
    await dialog.getByText(half.earliest_why).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Back to the defaults' }).click();
    await own.getByText(money(first.prices[0].price)).waitFor();
  });

  test('what is refused is said at its field', async (t) => {
    const page = await open(t, app, '/agreements?tab=reprice', { allowFailures: true });
    await page.getByText(/^For a margin of 45.0%/).click();
    await page.getByLabel('Margin, in percent').fill('120');
    await page.getByRole('button', { name: 'Reckon with these' }).click();
    await page.getByText('must be at least 0 and below 1 (0.45 is 45 %)', { exact: true }).waitFor();
  });

  test('seats to return stand in the month of their last day', async (t) => {
    const page = await open(t, app, '/licenses?tab=reclaim');
    const { items } = await ask(app, '/api/v1/reclaims?to=2026-07-01');
    const cents = (list) => list.reduce((all, r) => all + Math.round(100 * Number(r.saving)), 0) / 100;
    const now = page.locator('dl > div').filter({ hasText: 'Can be returned now' });
    assert.equal(await now.locator('dd').first().textContent(), money(cents(items.filter((r) => r.state === 'now'))));
    const march = items.filter((r) => r.deadline?.startsWith('2027-03'));
    assert.ok(march.length > 1);
    const foot = page.getByRole('table', { name: 'Seats to return: Mar 2027' }).locator('tfoot');
    assert.ok((await foot.textContent()).includes(money(cents(march))));
  });

  test('books: a month that differs from the ledger says why', async (t) => {
    const page = await open(t, app, '/books');
    const books = await ask(app, `/api/v1/reconciliations?${DAYS}`);
    const off = books.revenue.find((r) => Number(r.gap) !== 0);
    const february = row(page, 'Revenue and ledger by month', 'Feb 2026');
    assert.equal(off.month, '2026-02-01');
    const text = await february.textContent();
    assert.ok(text.includes(money(off.gap)) && text.includes(off.likely[0].slice(1)), text);
    assert.ok((await row(page, 'Payroll and labor by month', 'Jul 2025').textContent()).includes(money(books.labor[0].payroll)));
    await page.getByRole('link', { name: 'See the figures: Sales tax' }).click();
    await page.waitForURL(/\/explore/);
    await settled(page);
  });

  test('clients are ranked by the probability of losing money', async (t) => {
    const page = await open(t, app, '/clients?tab=ranking');
    const where = encodeURIComponent('client_status != "internal"');
    const { rows } = await ask(app, `/api/v1/rankings?measure=gross_margin&by=client&where=${where}&${DAYS}`);
    const shown = page.getByRole('table', { name: 'Clients by the probability of losing money' }).locator('tbody tr');
    for (const n of [0, 1, 2]) {
      const text = await shown.nth(n).textContent();
      for (const part of [rows[n].name, share(rows[n].probability), share(rows[n].shrunken), share(rows[n].raw)])
        assert.ok(text.includes(part), `${text} has ${part}`);
    }
  });

  test('edges of a band are set and taken back', async (t) => {
    const page = await open(t, app, '/definitions/gross_margin');
    const of = async () => (await ask(app, '/api/v1/thresholds?measure=gross_margin')).items.find((x) => x.id === 'gross_margin_blended');
    const built = await of();
    const card = page.locator('section').filter({ hasText: built.source });
    await card.getByText(`below ${share(built.bands[0].up_to)}`).waitFor();
    await card.getByRole('button', { name: 'Set own edges …' }).click();
    const form = page.locator('form').filter({ hasText: 'Where they are from' });
    await form
      .getByLabel(/ends at/)
      .first()
      .fill('41.5');
    await form.getByLabel('Where they are from').fill('our plan');
    await form.getByRole('button', { name: 'Save the edges' }).click();
    await page.getByText('below 41.5%').waitFor();
    const own = await of();
    assert.deepEqual([own.kind, own.bands[0].up_to, own.source], ['own', '0.415', 'our plan']);
    await page.getByRole('button', { name: 'Back to the built-in edges' }).click();
    await page.getByText('below 41.5%').waitFor({ state: 'detached' });
    assert.deepEqual((await of()).bands, built.bands);
  });
});
