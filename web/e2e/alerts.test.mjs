// What leaves the program and who is told: a destination that is tested, an alert that is
// acknowledged and taken back, a route that is paused, and messages in the browser.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, demoData, open, serve } from './app.mjs';

describe('destinations and alerts', () => {
  let app;
  let box;
  before(async () => {
    box = mkdtempSync(join(tmpdir(), 'moat-box-'));
    process.env.MOAT_DELIVERY_FOLDERS = box;
    app = await serve(demoData());
    delete process.env.MOAT_DELIVERY_FOLDERS;
  });
  after(async () => {
    await app.stop();
    rmSync(box, { recursive: true, force: true });
  });

  test('a folder is named, refused where it may not be, tested, and takes the files of a schedule', async (t) => {
    const page = await open(t, app, '/destinations', { allowFailures: true });
    await page.getByRole('button', { name: 'Add a destination' }).click();
    const form = page.getByRole('dialog', { name: 'New destination' });
    await form.getByLabel('Name', { exact: true }).fill('board share');
    await form.getByLabel('What it is').selectOption('folder');
    await form.getByLabel('Whole path').fill('/etc');
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByRole('alert').first().waitFor();
    await form.getByLabel('Whole path').fill(join(box, 'board'));
    await form.getByRole('button', { name: 'Save' }).click();
    await form.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Test board share' }).click();
    await page.getByText('The test arrived:').waitFor();
    assert.equal(readdirSync(join(box, 'board')).length, 1);

    await page.goto(`${app.url}/reports?tab=schedules`);
    await page.getByRole('button', { name: 'Add a schedule' }).click();
    const schedule = page.getByRole('dialog', { name: 'New schedule' });
    await schedule.getByRole('button', { name: 'Folder, bucket, webhook' }).click();
    await schedule.getByLabel('Destination', { exact: true }).selectOption({ label: 'board share' });
    await schedule.getByRole('button', { name: 'Add', exact: true }).click();
    await schedule.getByText('with the rights of viewer').waitFor();
    await schedule.getByRole('button', { name: 'Save' }).click();
    await schedule.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Run now: Executive summary' }).click();
    await page.goto(`${app.url}/destinations?tab=deliveries`);
    await page.getByRole('row').filter({ hasText: 'Executive summary' }).getByText('sent').waitFor({ timeout: 20_000 });
    assert.ok(readdirSync(join(box, 'board')).some((f) => f.endsWith('.pdf')));
    const [file] = (await ask(app, '/api/v1/reports')).items;
    assert.equal(file.role, 'viewer');
    await page.goto(`${app.url}/reports?tab=files&report=${file.id}`);
    await page.getByRole('region', { name: 'Who has it' }).getByText('was sent it').waitFor();
  });

  test('the notice of a delivery that failed leads to it', async (t) => {
    rmSync(join(box, 'board'), { recursive: true });
    symlinkSync(tmpdir(), join(box, 'board')); // leads out of where destinations may be
    const page = await open(t, app, '/reports?tab=schedules', { allowFailures: true });
    await page.getByRole('button', { name: 'Run now: Executive summary' }).click();
    const failed = async () => (await ask(app, '/api/v1/deliveries?status=failed')).items[0];
    for (let i = 0; i < 100 && !(await failed()); i++) await page.waitForTimeout(200);
    const delivery = await failed();
    await page.goto(`${app.url}/clients`);
    await page.getByRole('button', { name: /^Notices/ }).click();
    await page.getByRole('button', { name: /was not delivered/ }).click();
    await page.waitForURL((url) => url.pathname === '/destinations' && url.searchParams.get('row') === delivery.id);
    await page.getByRole('heading', { name: 'What became of it?' }).waitFor();
    await page.getByRole('alert').getByText(delivery.problem).waitFor();
    const table = page.getByRole('table', { name: 'Deliveries' });
    assert.equal(await table.getByRole('row').count(), 2);
    await page.getByRole('button', { name: 'Show all deliveries' }).click();
    await table.getByText('sent', { exact: true }).waitFor();
    assert.ok((await table.getByRole('row').count()) > 2);
  });

  test('a limit is set in one step; what holds is acknowledged, and that is taken back', async (t) => {
    const page = await open(t, app, '/alerts', { allowFailures: true });
    await page.getByText('No rule holds now').waitFor();
    await page.getByRole('button', { name: 'Alert on a measure' }).click();
    const form = page.getByRole('dialog', { name: 'Alert on a measure' });
    await form.getByLabel('Name', { exact: true }).fill('Thin margin');
    await form.getByLabel('Limit').fill('twenty');
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByRole('alert').first().waitFor();
    await form.getByLabel('Limit').fill('20%');
    await form.getByLabel('Over complete months').fill('3');
    await form.getByRole('button', { name: 'Save' }).click();
    await form.waitFor({ state: 'detached' });
    await page
      .getByRole('heading', { name: /^Thin margin: / })
      .first()
      .waitFor({ timeout: 20_000 });
    const holds = (await ask(app, '/api/v1/alerts?open=true')).items;
    assert.ok(holds.length > 1 && holds.every((a) => Number(a.value) < 0.2));
    assert.equal(await page.getByRole('heading', { name: /^Thin margin: / }).count(), holds.length);

    await page
      .getByRole('button', { name: /^Acknowledge Thin margin/ })
      .first()
      .click();
    await page.getByLabel('Note for colleagues').fill('We talk to them on Monday.');
    await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click();
    const undo = page.getByRole('button', { name: 'Undo' });
    await undo.waitFor(); // the note alone stands in its field, too
    await page.getByText('We talk to them on Monday.').waitFor();
    assert.equal((await ask(app, '/api/v1/alerts?open=true')).items.filter((a) => a.acknowledged).length, 1);
    await undo.click();
    await page.getByText('We talk to them on Monday.').waitFor({ state: 'detached' });
    assert.equal((await ask(app, '/api/v1/alerts?open=true')).items.filter((a) => a.acknowledged).length, 0);

    await page.getByRole('tab', { name: 'Whom it tells' }).click();
    await page.getByRole('button', { name: 'Pause Thin margin' }).click();
    await page.getByText('paused', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Edit Thin margin' }).click();
    const route = page.getByRole('dialog', { name: 'Change Thin margin' });
    await route.getByRole('button', { name: 'Add quiet hours' }).click();
    await route.getByLabel('Sat').check();
    await route.getByRole('button', { name: 'Save' }).click();
    await page.getByText('quiet sat 20:00–07:00').waitFor();
    const [kept] = (await ask(app, '/api/v1/alert-routes')).items;
    assert.deepEqual([kept.paused, kept.quiet], [true, [{ days: ['sat'], from: '20:00', to: '07:00' }]]);
  });
});
