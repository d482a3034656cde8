// The audit record: what stands on the page is what the API answers.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, demoData, open, PHONE, program, serve, settled } from './app.mjs';

describe('audit record', () => {
  let app;
  before(async () => {
    app = await serve(demoData());
    const put = await fetch(`${app.url}/api/v1/settings`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...(await ask(app, '/api/v1/settings')), name: 'Harbor IT' }),
    });
    assert.equal(put.status, 200);
  });
  after(() => app.stop());

  test('a change is found by its words and shows what was and what is', async (t) => {
    const page = await open(t, app, '/audit');
    await page.getByLabel('Search').fill('harbor');
    const table = page.getByRole('table', { name: 'Entries of the audit record' });
    await page.waitForFunction(() => document.querySelectorAll('main table tbody tr').length === 1);
    await page.reload();
    await settled(page);
    assert.equal(await page.getByLabel('Search').inputValue(), 'harbor', 'the address keeps the search');
    await table.getByRole('button', { name: 'Changed the settings' }).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Changed the settings' });
    const row = dialog.getByRole('row').filter({ hasText: 'Harbor IT' });
    assert.ok((await row.textContent()).startsWith('Name'));
    const entry = (await ask(app, '/api/v1/audit?search=harbor')).items[0];
    await dialog.getByText('Hashes').click();
    await dialog.getByText(entry.hash).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  test('the record is checked, signed, and compared with the copy', async (t) => {
    const page = await open(t, app, '/audit');
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Sign one now and save it' }).click();
    const saved = await waiting;
    const dir = mkdtempSync(join(tmpdir(), 'moat-audit-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const file = join(dir, saved.suggestedFilename());
    await saved.saveAs(file);
    const checkpoint = JSON.parse(readFileSync(file, 'utf8'));
    const { audit_entries: entries } = JSON.parse(
      execFileSync(program, ['verify', '--json', '--head', file, '--data', app.data], { encoding: 'utf8' }),
    );
    assert.equal(entries, checkpoint.seq);
    await page.getByRole('button', { name: 'Check the record' }).click();
    await page.getByText(`The record is whole: ${entries} entries`).waitFor();
    await page.getByLabel(/Compare with a checkpoint/).setInputFiles(file);
    await page.getByText(/Checkpoints that it agrees with: \d+/).waitFor();
  });

  test('it fits a phone', async (t) => {
    const page = await open(t, app, '/audit', { viewport: PHONE });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(wide, 0);
  });
});
