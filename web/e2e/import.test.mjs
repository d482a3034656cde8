// Files as they come from real programs, from the drop to the figures: what is asked, what is
// offered, what it changes, and the way back.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, demoData, emptyData, open, PHONE, serveFor, settled } from './app.mjs';

const CLIENT = 'Linden Square Logistics';

function file(app, name, text) {
  const path = join(app.data, name);
  writeFileSync(path, text);
  return path;
}

/** Drops files and waits until they are checked. */
async function check(page, ...paths) {
  await page.setInputFiles('input[type=file]', paths);
  await page.waitForURL(/\/import\/batch\//);
  await page.getByRole('heading', { name: 'What would change?' }).waitFor();
  await settled(page);
}

/** Does what makes a new check, and waits for it. */
async function recheck(page, act) {
  const before = page.url();
  await act();
  await page.waitForURL((url) => url.href !== before);
  await page.locator('[aria-busy=false]').waitFor();
  await settled(page);
}

async function commit(page) {
  await page.getByRole('button', { name: /^Import( |$)/ }).click();
  await page.getByRole('heading', { name: 'Imported', exact: true }).waitFor();
  await settled(page);
}

const hours = async (app, month) =>
  Number((await ask(app, `/api/v1/query?measures=hours_worked&from=${month}-01&to=${month}-28`)).rows[0]?.[0] ?? 0);

const TIME =
  'Exported by the desk;;;;\n;;;;\nPerson;Client;Date;Hours;Billable\nDana Ortiz;Linden Square Logistics;03/04/2026;1,5;B\nDana Ortiz;Linden Square Logistics;04/04/2026;1,5O;NB\nDana Ortiz;Linden Square Logistics;05/04/2026;2,5;maybe\n';

test('an ugly file: asked for the order of dates, mended by one click, remembered for the next', async (t) => {
  const app = await serveFor(t, demoData());
  const before = await hours(app, '2026-04');
  const page = await open(t, app, '/import');
  await check(page, file(app, 'time.csv', TIME));
  const card = page.getByRole('region', { name: 'time.csv', exact: true });
  await card.getByText(/day first \(3 April\) or month first/).waitFor();
  // The rows stand there as they are, and nothing can be imported yet.
  assert.match(await card.getByRole('table', { name: /as they stand/ }).textContent(), /1,5O/);
  assert.ok(await page.getByRole('button', { name: 'Import', exact: true }).isDisabled());
  await recheck(page, () => card.getByRole('button', { name: /^Day first/ }).click());
  await card.getByText('1 row not stored: Hours "1,5O"').waitFor();
  const preview = card.getByRole('table', { name: /as they would be stored/ });
  assert.match(await preview.textContent(), /2026-04-03.*1\.5/);
  const effect = page.getByRole('list', { name: 'Effect on the main figures' });
  assert.match(await effect.textContent(), /Hours worked\+4\.0\sh/);
  const undecided = page.url();
  await recheck(page, () => card.getByRole('button', { name: 'Read "1,5O" as "1,50"' }).click());
  assert.match(await effect.textContent(), /\+5\.5\sh/);
  // Back takes the click back, forward makes it again.
  await page.goBack();
  await page.waitForURL(undecided);
  await card.getByText('1 row not stored: Hours "1,5O"').waitFor();
  await page.goForward();
  await card.getByText(/Hours “1,5O” is read as “1,50”/).waitFor();
  // A word that is no yes or no, for this and the coming files.
  await card.getByRole('listitem').filter({ hasText: 'maybe' }).getByLabel('in the next files of this form too').check();
  await recheck(page, () => card.getByRole('button', { name: 'Read "maybe" as no' }).click());
  await commit(page);
  assert.equal(Math.round(100 * ((await hours(app, '2026-04')) - before)), 550);
  // The next file of the form needs no word.
  await page.goto(`${app.url}/import`);
  await settled(page);
  await check(page, file(app, 'may.csv', 'Person;Client;Date;Hours;Billable\nDana Ortiz;Linden Square Logistics;03/05/2026;1;maybe\n'));
  await page.getByText('files with these headers were mapped before', { exact: false }).waitFor();
  assert.match(await page.getByRole('table', { name: /as they would be stored/ }).textContent(), /2026-05-03/);
  await commit(page);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('The import was undone').waitFor();
});

test('a file that nothing knows is mapped by hand', async (t) => {
  const app = await serveFor(t, emptyData());
  const page = await open(t, app, '/import');
  await check(page, file(app, 'odd.csv', 'wer,was,x1,x2\nHarbor Dental,2026-03-01,120.50,A1\nHarbor Dental,2026-03-02,80,A2\n'));
  const card = page.getByRole('region', { name: 'odd.csv', exact: true });
  await recheck(page, () => card.getByLabel('Recognized as').selectOption('invoices'));
  for (const [field, column] of [
    ['Client name', 'wer'],
    ['Invoice date', 'was'],
    ['Net amount', 'x1'],
    ['Invoice number', 'x2'],
  ]) {
    const asked = card.getByLabel(`${field} is the column`);
    const use = card.getByLabel(`What ${column} is`);
    const value = field.toLowerCase().replaceAll(' ', '_');
    if ((await use.count()) && (await use.inputValue()) === value) continue; // told by its values
    await recheck(page, async () => ((await asked.count()) ? asked.selectOption(column) : use.selectOption(value)));
  }
  assert.match(await page.getByRole('list', { name: 'Effect on the main figures' }).textContent(), /Revenue\+200\.50/);
  await commit(page);
  const revenue = await ask(app, '/api/v1/query?measures=revenue&from=2026-03-01&to=2026-04-01');
  assert.equal(Number(revenue.rows[0][0]), 200.5);
});

test('all or nothing keeps everything out while a row cannot be stored; leaving a file out and bringing it back', async (t) => {
  const app = await serveFor(t, demoData());
  const page = await open(t, app, '/import');
  const count = (await ask(app, '/api/v1/imports?limit=500')).items.length;
  await check(
    page,
    file(app, 'good.csv', `invoice_id,client_name,net amount,date\nG-1,${CLIENT},10.00,2026-06-11\n`),
    file(app, 'bad.csv', `invoice_id,client_name,net amount,date\nB-1,${CLIENT},abc,2026-06-11\nB-2,${CLIENT},5.00,2026-06-12\n`),
  );
  await page.getByLabel(/^All or nothing/).check();
  const button = page.getByRole('button', { name: /^Import all 2/ });
  assert.ok(await button.isDisabled());
  await page.getByText('correct or leave out what cannot be stored first').waitFor();
  await recheck(page, () => page.getByRole('button', { name: 'Leave out bad.csv' }).click());
  assert.equal(await page.getByRole('region', { name: 'bad.csv', exact: true }).count(), 0);
  await recheck(page, () => page.getByRole('button', { name: 'Bring back' }).click());
  const card = page.getByRole('region', { name: 'bad.csv', exact: true });
  await card.getByRole('button', { name: 'Read "abc" as …' }).click();
  await card.getByLabel(/what net amount should say/).fill('7.00');
  await recheck(page, () => card.getByRole('button', { name: 'Apply' }).click());
  assert.match(await page.getByRole('list', { name: 'Effect on the main figures' }).textContent(), /Revenue\+\$22\.00/);
  await button.click();
  await page.getByRole('heading', { name: 'Imported', exact: true }).waitFor();
  const imports = (await ask(app, '/api/v1/imports?limit=500')).items;
  assert.equal(imports.length, count + 2);
  assert.equal(imports[0].result.snapshot, imports[1].result.snapshot, 'one snapshot for both');
});

test('a name that is nearly a known one waits for a person; the decision moves its rows and can be undone', async (t) => {
  const app = await serveFor(t, demoData());
  const page = await open(t, app, '/import');
  await check(page, file(app, 'time.csv', 'staff_name,client_name,date,hours\nDana Ortiz,Linden Square,2026-05-04,7\n'));
  await commit(page);
  await page.getByRole('link', { name: 'Decide them' }).click();
  await page.getByRole('heading', { name: `Is Linden Square the same as ${CLIENT}?` }).waitFor();
  const of = async (name) =>
    Number(
      (
        await ask(
          app,
          `/api/v1/query?measures=hours_worked&from=2026-05-01&to=2026-06-01&where=${encodeURIComponent(`client = "${name}"`)}`,
        )
      ).rows[0]?.[0] ?? 0,
    );
  const before = await of(CLIENT);
  await page.getByRole('button', { name: `Same as ${CLIENT}` }).click();
  await page.getByText('counts as').waitFor();
  await page.getByText('Nothing to decide').waitFor();
  assert.equal((await of(CLIENT)) - before, 7);
  await page.getByRole('tab', { name: 'Decided' }).click();
  await page.getByRole('button', { name: /^Undo the decision/ }).click();
  await page.getByText('the question is open again').waitFor();
  assert.equal(await of(CLIENT), before);
  await page.getByRole('tab', { name: 'To decide' }).click();
  await page.getByRole('button', { name: 'Different', exact: true }).click();
  await page.getByText('stays apart').waitFor();
  assert.equal(await of(CLIENT), before);
});

test('an upload whose connection breaks goes on where it was', async (t) => {
  const app = await serveFor(t, emptyData());
  const page = await open(t, app, '/import', { allowFailures: true });
  const row = (i) => `R-${i},Client ${i % 40},${(i % 900) + 1}.00,2026-0${(i % 6) + 1}-11\n`;
  const text = `invoice_id,client_name,net amount,date\n${Array.from({ length: 260_000 }, (_, i) => row(i)).join('')}`;
  assert.ok(text.length > 8 << 20, 'more than one part');
  let parts = 0;
  await page.route('**/api/v1/uploads/*', (route) => {
    if (route.request().method() === 'PATCH' && ++parts === 2) return route.abort('connectionreset');
    return route.continue();
  });
  await page.setInputFiles('input[type=file]', file(app, 'big.csv', text));
  await page.getByRole('heading', { name: 'What would change?' }).waitFor({ timeout: 60_000 });
  assert.match(await page.getByRole('region', { name: 'big.csv', exact: true }).textContent(), /260,000 rows: 260,000 new/);
  assert.ok(parts >= 3);
});

test('on a phone a file is checked and imported too', async (t) => {
  const app = await serveFor(t, demoData());
  const page = await open(t, app, '/import', { viewport: PHONE, hasTouch: true, isMobile: true });
  await check(page, file(app, 'time.csv', TIME));
  await recheck(page, () => page.getByRole('button', { name: /^Day first/ }).tap());
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'no wider than the screen');
  await commit(page);
});

test('a folder that imports itself: added, run, a bad file in quarantine, dismissed, removed', async (t) => {
  const app = await serveFor(t, demoData());
  const box = mkdtempSync(join(tmpdir(), 'moat-box-'));
  t.after(() => rmSync(box, { recursive: true, force: true }));
  writeFileSync(join(box, 'odd.csv'), 'foo,bar\n1,2\n');
  writeFileSync(join(box, 'time.csv'), 'staff_name,client_name,date,hours\nDana Ortiz,Linden Square Logistics,2026-05-04,7\n');
  const before = await hours(app, '2026-05');
  const page = await open(t, app, '/sources');
  await page.getByText('No source yet').waitFor();
  await page.getByRole('button', { name: 'Add a source' }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Name', { exact: true }).fill('psa');
  await form.getByLabel('Folder', { exact: true }).fill(box);
  await form.getByLabel('When', { exact: true }).selectOption('');
  await form.getByLabel('After the import a file').selectOption('move');
  await form.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByRole('heading', { name: 'psa' }).waitFor();
  await page.getByRole('button', { name: 'Test' }).click();
  await page.getByRole('table', { name: 'Files at the source' }).getByText('odd.csv').waitFor();
  await page.getByRole('button', { name: 'Run now' }).click();
  await page.getByText('2 files there: 1 imported, 1 in quarantine').waitFor({ timeout: 30_000 });
  assert.equal((await hours(app, '2026-05')) - before, 7);
  const files = page.getByRole('table', { name: 'Files of psa' });
  await files.getByText('in quarantine').waitFor();
  assert.match(await files.textContent(), /none of its columns is known/);
  assert.deepEqual(readdirSync(box).sort(), ['done', 'quarantine']);
  await page.getByRole('button', { name: 'Dismiss odd.csv' }).click();
  await files.getByText('dismissed').waitFor();
  await page.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await page.getByText('No source yet').waitFor();
  await page
    .getByRole('button', { name: /^Seen:/ })
    .first()
    .click();
});
