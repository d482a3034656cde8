// Reports from a template to a file and back: what is shown of a file is what its bytes are.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { ask, demoData, open, PHONE, serve, settled } from './app.mjs';

const sha256 = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

describe('reports', () => {
  let app;
  before(async () => {
    app = await serve(demoData());
  });
  after(() => app.stop());

  const made = async (filter) => (await ask(app, '/api/v1/reports')).items.filter(filter);

  test('a report is made, followed and downloaded, and its file has the hash that is shown', async (t) => {
    const page = await open(t, app, '/reports');
    await page.getByRole('button', { name: 'Preview Client profitability' }).click();
    const paper = page.getByRole('article', { name: 'Preview of Client profitability' });
    await paper.getByRole('table').first().waitFor();
    assert.match(page.url(), /preview=client-profitability/);
    assert.ok((await paper.getByRole('img').first().getAttribute('alt')).length > 20, 'a chart says in words what it shows');
    assert.ok(
      await paper
        .getByRole('img')
        .first()
        .evaluate((i) => i.complete && i.naturalWidth > 0),
      'a chart is drawn',
    );
    await page.keyboard.press('Escape');
    await paper.waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'Make Client profitability' }).click();
    const dialog = page.getByRole('dialog', { name: 'Make a report' });
    await dialog.getByLabel('Format').selectOption('xlsx');
    // The answer to making it is held back, so that the progress stays to be seen.
    let moving = 0;
    await page.route(/\/api\/v1\/reports\/[a-z0-9]+$/, async (route) => {
      const answer = await route.fetch();
      const body = await answer.json();
      if (moving++ < 2)
        return route.fulfill({ response: answer, json: { ...body, state: 'running', done: 1, total: 9, finished_at: null } });
      return route.fulfill({ response: answer, json: body });
    });
    const downloading = page.waitForEvent('download');
    await dialog.getByRole('button', { name: 'Make', exact: true }).click();
    await dialog.getByRole('progressbar', { name: '1 of 9 parts' }).waitFor();
    const download = await downloading;
    await page.unroute(/\/api\/v1\/reports\/[a-z0-9]+$/);
    const sum = sha256(await download.path());
    await dialog.getByText(`${download.suggestedFilename()} was saved`).waitFor();
    await dialog.getByRole('link', { name: 'What it was made from' }).click();
    const panel = page.getByRole('dialog', { name: 'Client profitability' });
    await panel.getByText(sum).waitFor();
    await panel.getByRole('region', { name: 'Who has it' }).getByText('fetched it').waitFor();
    const [file] = await made((r) => r.template === 'client-profitability');
    assert.equal(file.sha256, sum);
    assert.ok((await panel.getByRole('region', { name: 'What it was made from' }).textContent()).includes(file.input_hash));
    await panel.getByRole('button', { name: 'Make again and compare' }).click();
    await panel.getByText('It is the same to the byte').waitFor();
    await page.reload();
    await panel.getByText(sum).waitFor();
  });

  test('a file is removed with a reason, and stays on the record', async (t) => {
    const page = await open(t, app, '/reports?tab=files');
    const [file] = await made((r) => r.template === 'client-profitability');
    await page.getByRole('button', { name: 'Open Client profitability' }).click();
    const panel = page.getByRole('dialog', { name: 'Client profitability' });
    await panel.getByRole('button', { name: 'Remove…' }).click();
    assert.ok(await panel.getByRole('button', { name: 'Remove the file' }).isDisabled(), 'not without a reason');
    await panel.getByLabel('Why is it removed?').fill('made for a test');
    await page.keyboard.press('Enter');
    await panel.getByText('That it was made stays on the record.').waitFor();
    const now = await ask(app, `/api/v1/reports/${file.id}`);
    assert.ok(now.removed_at);
  });

  test('a template is copied, broken, mended, kept and made by a schedule', async (t) => {
    const page = await open(t, app, '/reports', { allowFailures: true });
    await page.getByRole('link', { name: 'Copy and change Executive summary' }).click();
    const text = page.getByRole('textbox', { name: 'Template' });
    await page.getByRole('article', { name: 'Preview of Executive summary' }).waitFor();
    const first = await text.inputValue();
    const broken = first.replace('title: Executive summary', 'title: Board pack').replace('gross_margin', 'gros_margin');
    const line = broken.split('\n').findIndex((l) => l.includes('gros_margin')) + 1;
    await text.fill(broken);
    const fault = page.getByRole('list', { name: 'What is wrong' });
    await fault
      .getByRole('button', { name: `Line ${line}` })
      .first()
      .click();
    const marked = await text.evaluate((x) => x.value.slice(x.selectionStart, x.selectionEnd));
    assert.ok(marked.includes('gros_margin'), `"${marked}" is marked`);
    assert.ok(await text.evaluate((x) => document.activeElement === x), 'the text has the focus');
    // The keyboard leads out of the text: Tab indents, and after Esc it leaves.
    await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
    assert.ok(await text.evaluate((x) => document.activeElement !== x), 'the keyboard leads out of the text');
    assert.equal(await text.inputValue(), broken);

    await text.fill(broken.replace('gros_margin', 'gross_margin'));
    await page.getByRole('article', { name: 'Preview of Board pack' }).waitFor();
    await page.getByRole('button', { name: 'Save as new' }).click();
    await page.waitForURL(/\/reports\/templates\/my-executive-summary/);
    await page.getByText(/^Version 1\b/).waitFor();
    await text.fill((await text.inputValue()).replace('Board pack', 'Pack of the board'));
    await page.getByRole('button', { name: 'Save as version 2' }).click();
    await page.getByText(/^Version 2\b/).waitFor();

    await page.goto(`${app.url}/reports`);
    await page.getByRole('button', { name: 'Preview Pack of the board' }).click();
    await page.getByRole('article', { name: 'Preview of Pack of the board' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Make Pack of the board' }).click();
    await page.getByRole('button', { name: 'Schedule…' }).click();
    const form = page.getByRole('dialog', { name: 'New schedule' });
    assert.equal(await form.getByLabel('Report', { exact: true }).inputValue(), 'my-executive-summary');
    await form.getByLabel('How often').selectOption('own');
    await form.getByLabel('Cron expression').fill('0 7 1 *');
    await form.getByText('The next time is told after saving.').waitFor();
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByText('is not a cron expression', { exact: false }).first().waitFor();
    await form.getByLabel('How often').selectOption('week');
    await form.getByLabel('On', { exact: true }).selectOption('5');
    await form.getByText(/^Runs every Friday at 07:00\. Next: Fri, /).waitFor();
    await form.getByRole('button', { name: 'Save' }).click();
    await form.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Run now: Pack of the board' }).click();
    const [schedule] = (await ask(app, '/api/v1/schedules')).items;
    assert.equal(schedule.cron, '0 7 * * 5');
    await page.getByRole('tab', { name: 'Files' }).click();
    await page.getByRole('button', { name: 'Open Pack of the board' }).waitFor({ timeout: 20_000 });
    const mine = (await ask(app, `/api/v1/reports?schedule=${schedule.id}`)).items;
    assert.equal(mine.length, 1);
    const row = page.getByRole('row').filter({ hasText: 'Pack of the board' });
    await row.getByText('done').waitFor({ timeout: 20_000 });
    await row.getByText('a schedule').waitFor();
  });

  test('a text that is not saved is not lost unasked', async (t) => {
    const page = await open(t, app, '/reports');
    await page.getByRole('link', { name: 'Edit Pack of the board' }).click();
    const text = page.getByRole('textbox', { name: 'Template' });
    const question = page.getByRole('dialog', { name: 'Leave without saving?' });
    await text.focus();
    await page.keyboard.press('Control+Home');
    await page.keyboard.type('# mine\n');
    const mine = await text.inputValue();
    assert.ok(mine.startsWith('# mine\n'));

    // A link, by the keyboard alone: Enter stays, Esc stays.
    await page.getByRole('link', { name: 'All reports' }).focus();
    await page.keyboard.press('Enter');
    await question.waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Stay', 'what loses nothing is at hand');
    await page.keyboard.press('Enter');
    await question.waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'All reports' }).press('Enter');
    await question.waitFor();
    await page.keyboard.press('Escape');
    await question.waitFor({ state: 'detached' });
    assert.match(page.url(), /\/reports\/templates\/my-executive-summary$/);

    // The way back.
    await page.evaluate(() => history.back());
    await question.waitFor();
    await question.getByRole('button', { name: 'Stay' }).click();
    await page.waitForURL(/\/reports\/templates\/my-executive-summary$/);
    assert.equal(await text.inputValue(), mine);

    // Closing the tab: the browser asks.
    const asked = new Promise((done) => page.once('dialog', (d) => d.dismiss().then(() => done(d.type()))));
    await page.close({ runBeforeUnload: true });
    assert.equal(await asked, 'beforeunload');
    assert.equal(await text.inputValue(), mine);

    // Ctrl S saves, the text stays where it was, and then nothing is asked.
    await text.focus();
    await page.keyboard.press('Control+s');
    await page.getByText(/^Version 3\b/).waitFor();
    assert.ok(await text.evaluate((x) => document.activeElement === x), 'the text keeps the focus');
    assert.ok((await ask(app, '/api/v1/report-templates/my-executive-summary')).text.startsWith('# mine\n'));
    await page.getByRole('link', { name: 'All reports' }).click();
    await page.waitForURL(/\/reports$/);
    await page.getByRole('link', { name: 'Edit Pack of the board' }).click();
    await text.fill('nothing of it');
    await page.getByRole('link', { name: 'All reports' }).click();
    await question.getByRole('button', { name: 'Leave' }).click();
    await page.waitForURL(/\/reports$/);
    await page.getByRole('link', { name: 'Edit Pack of the board' }).click();
    await page.waitForFunction((kept) => document.querySelector('textarea')?.value === kept, mine);
  });

  test('a form in a drawer asks before Esc closes it, and its Cancel does not', async (t) => {
    const page = await open(t, app, '/reports?tab=schedules');
    const question = page.getByRole('dialog', { name: 'Leave without saving?' });
    const form = page.getByRole('dialog', { name: 'Change Pack of the board' });
    const edit = page.getByRole('button', { name: 'Edit Pack of the board' });
    await edit.click();
    await page.keyboard.press('Escape'); // nothing was changed
    await form.waitFor({ state: 'detached' });
    await edit.click();
    await form.getByLabel('Name', { exact: true }).fill('Another name');
    await page.keyboard.press('Escape');
    await question.waitFor();
    await page.keyboard.press('Escape');
    await question.waitFor({ state: 'detached' });
    assert.equal(await form.getByLabel('Name', { exact: true }).inputValue(), 'Another name');
    await form.getByRole('button', { name: 'Cancel' }).click();
    await form.waitFor({ state: 'detached' });
    assert.equal(await question.count(), 0);

    await page.getByRole('tab', { name: 'Look' }).click();
    await page.getByLabel('Letter before reports for clients').fill('Dear reader');
    await page.getByRole('tab', { name: 'Files' }).click();
    await question.getByRole('button', { name: 'Stay' }).click();
    assert.equal(await page.getByLabel('Letter before reports for clients').inputValue(), 'Dear reader');
    await page.getByRole('tab', { name: 'Files' }).click();
    await question.getByRole('button', { name: 'Leave' }).click();
    await page.waitForURL(/tab=files/);
    assert.deepEqual(
      (await ask(app, '/api/v1/schedules')).items.map((x) => x.name),
      ['Pack of the board'],
    );
  });

  test('what is removed comes back by Undo', async (t) => {
    const page = await open(t, app, '/reports?tab=schedules');
    await page.getByRole('button', { name: 'Remove Pack of the board' }).click();
    await page.getByText('Nothing is scheduled').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('heading', { name: 'Pack of the board' }).waitFor();
    await page.getByRole('tab', { name: 'Templates' }).click();
    await page.getByRole('button', { name: 'Remove Pack of the board' }).click();
    await page.getByRole('button', { name: 'Make Pack of the board' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('button', { name: 'Make Pack of the board' }).waitFor();
  });

  test('the one export dialog knows the page, and what was chosen last', async (t) => {
    const page = await open(t, app, '/clients/Linden%20Square%20Logistics');
    await page.getByRole('button', { name: 'Make a report' }).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Export or schedule' });
    assert.equal(await dialog.getByLabel('Report', { exact: true }).inputValue(), 'client-qbr');
    assert.equal(await dialog.getByLabel('Client', { exact: true }).inputValue(), 'Linden Square Logistics');
    assert.equal(await dialog.getByLabel('Period', { exact: true }).inputValue(), 'page');
    await dialog.getByLabel('Format').selectOption('html');
    const downloading = page.waitForEvent('download');
    await dialog.getByRole('button', { name: 'Make', exact: true }).click();
    const path = await (await downloading).path();
    assert.ok(readFileSync(path, 'utf8').includes('Linden Square Logistics'));
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.goto(`${app.url}/team`);
    await settled(page);
    await page.getByRole('button', { name: 'Make a report' }).click();
    assert.equal(await dialog.getByLabel('Report', { exact: true }).inputValue(), 'team-utilization');
    assert.equal(await dialog.getByLabel('Format').inputValue(), 'html');
  });

  test('a color that cannot be read is told while it is chosen, and a look is undone', async (t) => {
    const page = await open(t, app, '/reports?tab=look', { viewport: PHONE });
    await page.getByLabel('Main color', { exact: true }).fill('#FFDD00');
    await page.getByText('1.3:1, needs 4.5:1 to be read').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Save' }).isDisabled());
    await page.getByLabel('Main color', { exact: true }).fill('#1F4E79');
    await page.getByText(/:1, readable on paper/).waitFor();
    await page.getByLabel('Footer').fill('Confidential');
    const logo = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
    await page.getByLabel('Logo').setInputFiles({ name: 'logo.png', mimeType: 'image/png', buffer: logo });
    const sample = page.getByRole('img', { name: 'The logo' });
    await sample.waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The look of reports is saved.').waitFor();
    const kept = await ask(app, '/api/v1/report-brand');
    assert.deepEqual([kept.primary, kept.footer, kept.logo], ['#1F4E79', 'Confidential', createHash('sha256').update(logo).digest('hex')]);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.waitForFunction(() => document.querySelector('input[placeholder^="#"]')?.value === '');
    assert.deepEqual(await ask(app, '/api/v1/report-brand'), {});
  });
});
