// Roles and policies: what the page says is what the server decides, and a look as a role shows
// no more than the role may see.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, demoData, open, PHONE, serve, settled } from './app.mjs';

describe('roles and policies', () => {
  let app;
  before(async () => {
    app = await serve(demoData());
  });
  after(() => app.stop());

  test('the grid is what each role may', async (t) => {
    const page = await open(t, app, '/policies');
    const roles = (await ask(app, '/api/v1/roles')).items;
    const { all } = await ask(app, '/api/v1/rights');
    const grid = page.getByRole('table', { name: 'What each role may do and see' });
    for (const a of all) {
      const cells = await grid.getByRole('row', { name: a.label }).getByRole('cell').allTextContents();
      assert.deepEqual(
        cells.map((c) => c.startsWith('✓')),
        roles.map((r) => r.actions.includes(a.action)),
        a.action,
      );
    }
  });

  test('a role is made, shown, explained and removed', async (t) => {
    const page = await open(t, app, '/policies?row=viewer');
    await page.getByRole('button', { name: 'New role based on it' }).click();
    await page.getByLabel('Label').fill('Regional manager');
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('regional');
    await page.getByLabel('Export figures as files').click();
    await page.getByRole('region', { name: 'What it would change' }).getByText('Export figures as files').waitFor();
    assert.equal((await ask(app, '/api/v1/roles')).items.length, 8, 'nothing is made before it is saved');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('heading', { name: 'Regional manager' }).waitFor();
    const made = (await ask(app, '/api/v1/roles')).items.find((r) => r.name === 'regional');
    assert.deepEqual(made.actions, ['boards.read', 'figures.export', 'figures.read', 'self.manage']);
    assert.deepEqual(made.hidden, ['cost', 'margin', 'pay', 'personal']);

    await page.getByRole('tab', { name: 'Why denied?' }).click();
    await page.getByLabel('Role', { exact: true }).and(page.locator('select')).selectOption('regional');
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByText('regional may not see figures of the class pay').waitFor();
    await page.reload();
    await settled(page);
    await page.getByText('Roles that may: owner, admin, finance.').waitFor();

    await page.getByRole('tab', { name: 'History' }).click();
    await page.getByRole('heading', { name: 'Version 1' }).waitFor();
    await page.getByRole('tab', { name: 'Roles', exact: true }).click();
    await page.getByRole('button', { name: 'Regional manager' }).click();
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('Regional manager is removed.').waitFor();
    assert.equal((await ask(app, '/api/v1/roles')).items.length, 8);
  });

  test('a policy that does not fit is refused with its place', async (t) => {
    const page = await open(t, app, '/policies?tab=policies', { allowFailures: true });
    await page.getByRole('textbox', { name: 'Policies' }).fill('@id("a")\npermit (principal, actoin, resource);');
    await page.getByRole('button', { name: 'What would it change?' }).click();
    await page.getByText('line 2, column 26').waitFor();
  });

  test('a look as a role hides what it may not, changes nothing, and ends', async (t) => {
    const page = await open(t, app, '/policies?row=viewer', { allowFailures: true });
    await page.getByRole('button', { name: 'Look as this role' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Look', exact: true }).click();
    await page.getByText('You look as Viewer').waitFor();
    const nav = page.getByRole('navigation', { name: 'Main', exact: true });
    await nav.getByRole('link', { name: 'Clients' }).waitFor();
    assert.equal(await nav.getByRole('link', { name: 'Import' }).count(), 0);
    assert.equal(await nav.getByRole('link', { name: 'Roles & policies' }).count(), 0);
    await page.goto(`${app.url}/system`);
    await page.getByText('These roles have it: owner, admin.').waitFor();
    await page.setViewportSize(PHONE);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'no sideways scrolling');
    await page.getByRole('button', { name: 'End the look' }).click();
    await page.getByRole('heading', { name: 'Roles & policies' }).waitFor();
    assert.equal(await page.getByText('You look as').count(), 0);
  });
});
