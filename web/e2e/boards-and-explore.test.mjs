// Dashboards and Explore: built, saved, shared, exported, and the file checked.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { ask, cli, demoData, number, open, serve, settled } from './app.mjs';

describe('dashboards and explore', () => {
  let app;
  before(async () => {
    app = await serve(demoData());
  });
  after(() => app.stop());

  test('a dashboard is built from a template, changed, undone, saved and shared', async (t) => {
    const page = await open(t, app, '/dashboards', { permissions: ['clipboard-read', 'clipboard-write'] });
    await page.getByRole('button', { name: 'Start from this: Owner' }).click();
    await page.waitForURL(/edit=1/);
    await page.locator('[data-tile]').first().waitFor();
    const before = await page.locator('[data-tile]').count();
    await page.getByLabel('Name', { exact: true }).fill('Monday');
    await page.getByRole('button', { name: 'Add a tile' }).click();
    await page.getByRole('menuitem', { name: /^Number/ }).click();
    const dialog = page.getByRole('dialog', { name: 'Edit the tile' });
    await dialog.getByLabel('Title').fill('Hours of the team');
    await dialog.getByLabel('Measure').selectOption('hours_worked');
    await dialog.getByRole('button', { name: 'Done' }).click();
    const handle = page.getByRole('button', { name: /^Hours of the team: arrows move/ });
    await handle.focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Shift+ArrowRight');
    await page.getByText(/Hours of the team: column 2, .* 4 wide/).waitFor();
    await page.getByText('All changes are saved.').waitFor();
    const id = page.url().match(/dashboards\/(\w+)/)[1];
    const saved = await ask(app, `/api/v1/dashboards/${id}`);
    const tile = saved.content.tiles.find((x) => x.title === 'Hours of the team');
    assert.equal(saved.name, 'Monday');
    assert.deepEqual([tile.x, tile.w, tile.measures], [1, 4, ['hours_worked']]);
    await page.getByRole('button', { name: /^Undo/ }).click();
    await page.waitForFunction(
      async (path) => !(await (await fetch(path)).json()).content.tiles.some((x) => x.title === 'Hours of the team' && x.w === 4),
      `/api/v1/dashboards/${id}`,
    );
    await page.getByRole('button', { name: /^Redo/ }).click();
    await page.waitForFunction(
      async (path) => (await (await fetch(path)).json()).content.tiles.some((x) => x.title === 'Hours of the team' && x.w === 4),
      `/api/v1/dashboards/${id}`,
    );
    await page.getByRole('button', { name: 'Done' }).click();
    await page.waitForURL((u) => !u.search.includes('edit'));
    await page.reload();
    await settled(page);
    assert.equal(await page.locator('h1').textContent(), 'Monday');
    assert.equal(await page.locator('[data-board] > div').count(), before + 1);
    await page.getByText('Hours of the team').waitFor();
    await page.getByRole('button', { name: 'Share' }).click();
    await page.getByText(/Link copied/).waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    await page.goto(link);
    await settled(page);
    assert.equal(await page.locator('h1').textContent(), 'Monday');
  });

  test('fast keys come to rest; a tile is dragged and resized by mouse', async (t) => {
    const page = await open(t, app, '/dashboards');
    await page.getByRole('button', { name: 'Start from this: Owner' }).click();
    await page.waitForURL(/edit=1/);
    await page.locator('[data-tile]').first().waitFor();
    const id = page.url().match(/dashboards\/(\w+)/)[1];
    const handle = page.locator('[data-handle]').first();
    const last = async () => (await ask(app, `/api/v1/dashboards/${id}`)).content.tiles;
    const saved = () => page.getByText('All changes are saved.').waitFor();
    const tile = (await page.locator('[data-tile]').first().getAttribute('data-tile')) ?? '';
    for (let n = 0; n < 12; n++) {
      await handle.evaluate((bar) => {
        const press = (shiftKey, key) => bar.dispatchEvent(new KeyboardEvent('keydown', { key, shiftKey, bubbles: true }));
        press(false, 'ArrowRight');
        setTimeout(() => press(true, 'ArrowRight'), 0);
        setTimeout(() => press(false, 'ArrowLeft'), 5);
        setTimeout(() => press(true, 'ArrowLeft'), 10);
        setTimeout(() => press(true, 'ArrowDown'), 12);
        setTimeout(() => press(true, 'ArrowUp'), 20);
      });
      await page.waitForTimeout(60);
    }
    await saved();
    const before = (await last()).find((x) => x.id === tile);

    const box = await page.locator('[data-handle]').first().boundingBox();
    await page.mouse.move(box.x + 40, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + 90, box.y + 60, { steps: 5 });
    await page.mouse.move(box.x + 340, box.y + 160, { steps: 10 });
    await page.mouse.up();
    await page.getByText(/Not saved yet|Saving/).waitFor();
    await saved();
    const dragged = (await last()).find((x) => x.id === tile);
    assert.ok(dragged.x > before.x || dragged.y > before.y, JSON.stringify([before, dragged]));

    const corner = page
      .locator('.react-grid-item')
      .filter({ has: page.locator(`[data-tile="${tile}"]`) })
      .locator('.react-resizable-handle');
    const at = await corner.boundingBox();
    await page.mouse.move(at.x + at.width / 2, at.y + at.height / 2);
    await page.mouse.down();
    await page.mouse.move(at.x + 10, at.y + 150, { steps: 10 });
    await page.mouse.up();
    await page.getByText(/Not saved yet|Saving/).waitFor();
    await saved();
    const resized = (await last()).find((x) => x.id === tile);
    assert.ok(resized.h > dragged.h, JSON.stringify([dragged, resized]));
  });

  test('a deleted dashboard comes back', async (t) => {
    const page = await open(t, app, '/dashboards');
    await page.getByRole('button', { name: 'Start from this: Finance' }).click();
    await page.waitForURL(/edit=1/);
    await page.getByRole('button', { name: 'Done' }).click();
    await page.waitForURL((u) => !u.search.includes('edit'));
    await page.goto(`${app.url}/dashboards`);
    await page.getByRole('button', { name: 'Delete Finance' }).click();
    await page.getByText('Finance was deleted.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('link', { name: 'Finance' }).waitFor();
  });

  test('on the wall the figures follow an import of another process without a reload', async (t) => {
    const made = await fetch(`${app.url}/api/v1/dashboards`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        name: 'Wall',
        content: { period: 'all', tiles: [{ id: 'a', x: 0, y: 0, w: 4, h: 4, kind: 'kpi', measures: ['revenue'] }] },
      }),
    }).then((r) => r.json());
    const page = await open(t, app, `/dashboards/${made.id}?kiosk=1`);
    const value = page.locator('[data-kpi=revenue] button[aria-label^="Revenue: "]');
    const before = number(/: (.*?), /.exec(await value.getAttribute('aria-label'))[1]);
    await page.evaluate(() => {
      window.stayed = true;
      window.gone = 0;
      new MutationObserver(() => {
        if (!document.querySelector('[data-kpi=revenue] button[aria-label^="Revenue: "]')) window.gone++;
      }).observe(document.body, { childList: true, subtree: true });
    });
    const file = `${app.data}/extra.csv`;
    const { writeFileSync } = await import('node:fs');
    writeFileSync(file, 'invoice_id,client_name,amount,date,status\nLIVE-1,Linden Square Logistics,1000.00,2026-06-11,paid\n');
    cli(app.data, 'import', file);
    await page.waitForFunction(
      (old) => {
        const label = document.querySelector('[data-kpi=revenue] button[aria-label^="Revenue: "]')?.getAttribute('aria-label') ?? '';
        return Math.round((Number((/: \$([\d,.]+\d), /.exec(label)?.[1] ?? '').replaceAll(',', '')) - old) * 100) === 100000;
      },
      before,
      { timeout: 15_000 },
    );
    assert.equal(await page.evaluate(() => window.stayed && window.gone === 0), true, 'no reload, no flicker');
  });

  test('a pivot has the totals of the API, and its export the same rows', async (t) => {
    const page = await open(t, app, '/explore');
    await page
      .getByRole('row', { name: /^Industry/ })
      .first()
      .click();
    await page
      .getByRole('row', { name: /^Quarter/ })
      .first()
      .click();
    await page.getByRole('button', { name: 'Pivot' }).click();
    await page.locator('[data-grand]').waitFor();
    await settled(page);
    const total = await ask(app, '/api/v1/query?measures=gross_profit&from=2025-07-01&to=2026-07-01');
    assert.equal(Math.round(number(await page.locator('[data-grand]').textContent()) * 100), Math.round(Number(total.rows[0][0]) * 100));
    const files = {};
    for (const [label, kind] of [
      ['CSV', 'csv'],
      ['Excel (.xlsx)', 'xlsx'],
      ['JSON', 'json'],
    ]) {
      await page.getByRole('button', { name: 'Export' }).click();
      const waiting = page.waitForEvent('download');
      await page.getByRole('dialog').getByLabel('Format').selectOption({ label });
      await page.getByRole('button', { name: 'Save' }).click();
      files[kind] = await (await waiting).path();
    }
    const lines = readFileSync(files.csv, 'utf8').trim().split(/\r?\n/);
    const cents = lines.slice(1).reduce((sum, l) => sum + Math.round(Number(l.split(',').at(-1)) * 1e6), 0);
    const exact = JSON.parse(readFileSync(files.json, 'utf8'));
    assert.equal(lines.length - 1, exact.rows.length);
    assert.equal(
      cents,
      exact.rows.reduce((sum, r) => sum + Math.round(Number(r.at(-1)) * 1e6), 0),
    );
    assert.ok(Math.abs(cents / 1e6 - Number(total.rows[0][0])) < 0.01, 'the rows add up to the total');
    // The workbook as another program reads it.
    const sum = execFileSync(
      'python3',
      [
        '-c',
        `
import sys, zipfile, re
z = zipfile.ZipFile(sys.argv[1])
sheet = z.read('xl/worksheets/sheet1.xml').decode()
rows = re.findall(r'<row [^>]*>(.*?)</row>', sheet, re.S)[1:]
total = 0
for r in rows:
    cells = re.findall(r'<c [^>]*?(?:/>|>(.*?)</c>)', r, re.S)
    total += float(re.search(r'<v>([^<]*)</v>', cells[-1]).group(1))
print(len(rows), repr(total))
`,
        files.xlsx,
      ],
      { encoding: 'utf8' },
    )
      .trim()
      .split(' ');
    assert.equal(Number(sum[0]), exact.rows.length);
    assert.ok(Math.abs(Number(sum[1]) - Number(total.rows[0][0])) < 0.01, `${sum[1]} in the workbook`);
    await page.goto(`${app.url}/files`);
    await settled(page);
    assert.equal(await page.locator('tbody tr').count(), 3);
  });

  test('a field moves by keyboard, a leaderboard filters, a view is saved and found again', async (t) => {
    const page = await open(t, app, '/explore');
    await page.getByRole('row', { name: /^Revenue$/ }).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/revenue/);
    await page.getByRole('button', { name: /^Healthcare/ }).click();
    await page.waitForURL(/Healthcare/);
    await page.getByText('Industry: Healthcare').first().waitFor();
    await page.getByRole('button', { name: 'Views' }).click();
    await page.getByRole('menuitem', { name: /Save this view/ }).click();
    await page.getByLabel('Name').fill('Health');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Health is saved.').waitFor();
    await page.goto(`${app.url}/explore`);
    await settled(page);
    await page.getByRole('button', { name: 'Views' }).click();
    await page.getByRole('menuitem', { name: 'Health', exact: true }).first().click();
    await page.waitForURL(/Healthcare/);
  });

  test('dragging over a trend chooses the period', async (t) => {
    const page = await open(t, app, '/explore?measures=%5B%22revenue%22%5D&show=trend');
    const chart = page.locator('[data-ready=true]').first();
    const box = await chart.boundingBox();
    await page.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2);
    await page.mouse.down();
    for (let i = 1; i <= 8; i++) await page.mouse.move(box.x + box.width * (0.4 + i * 0.04), box.y + box.height / 2);
    await page.mouse.up();
    await page.waitForURL(/period=20\d\d-\d\d\.\.20\d\d-\d\d/);
    await settled(page);
  });

  test('an older snapshot is compared, gone back to, and undone', async (t) => {
    const page = await open(t, app, '/snapshots');
    const current = (await ask(app, '/api/v1/snapshots?limit=3')).items;
    await page.getByRole('button', { name: `What changed with snapshot ${current[0].id}` }).click();
    await page.getByRole('dialog').getByText('Against snapshot').waitFor();
    await page.keyboard.press('Escape');
    const revenue = async () => (await ask(app, '/api/v1/query?measures=revenue')).rows[0][0];
    const before = await revenue();
    await page.getByRole('button', { name: `Go back to snapshot ${current[1].id}` }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Go back' }).click();
    await page.getByText(`The data is as it was in snapshot ${current[1].id}.`).waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText(/again\.$/).waitFor();
    assert.equal(await revenue(), before);
  });

  test('a month is closed and opened again', async (t) => {
    const page = await open(t, app, '/snapshots');
    await page.getByRole('button', { name: 'Close it' }).click();
    await page.getByText(/is closed: no import/).waitFor();
    assert.equal((await ask(app, '/api/v1/closed-months')).items.length, 1);
    await page.getByRole('button', { name: /^Open again/ }).click();
    await page.getByText('None yet.').waitFor();
  });

  test('feedback, settings and checks are kept and shown', async (t) => {
    const page = await open(t, app, '/feedback');
    await page.getByRole('radio', { name: '9', exact: true }).check();
    await page.getByLabel('What should be better?').fill('More of this');
    await page.getByRole('button', { name: 'Keep it' }).click();
    await page.getByText('Net promoter score 100 of 1 scores').waitFor();
    await page.goto(`${app.url}/settings`);
    await settled(page);
    await page.getByLabel('Numbers and dates').selectOption('de-DE');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The settings are saved.').waitFor();
    await page.goto(`${app.url}/clients`);
    await settled(page);
    assert.match(await page.locator('tbody tr').first().textContent(), /\d\.\d{3},\d{2}/);
    await page.goto(`${app.url}/system`);
    await page.getByRole('button', { name: 'Check now' }).click();
    await page.getByText(/All checks passed/).waitFor({ timeout: 20_000 });
  });
});
