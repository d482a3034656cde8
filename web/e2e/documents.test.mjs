// A report as an HTML file, opened from disk as its reader does: no program answers.
// The file is the one that internal/document/html's tests hold.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DESKTOP, newContext, PHONE, watch } from './app.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const report = join(dirname(fileURLToPath(import.meta.url)), '../../internal/document/html/testdata/report.html');

async function openFile(t, file, options) {
  const context = await newContext(options);
  t.after(() => context.close());
  const page = await context.newPage();
  const url = pathToFileURL(file).href;
  const wrong = watch(page, url);
  await page.goto(url);
  return { page, wrong };
}

describe('a report as an HTML file', () => {
  for (const [name, viewport] of [
    ['a desk', DESKTOP],
    ['a phone', PHONE],
  ]) {
    test(`is accessible, complete in itself and no wider than ${name}`, async (t) => {
      const { page, wrong } = await openFile(t, report, { viewport });
      for (const summary of await page.locator('summary').all()) await summary.click();
      await page.evaluate(axe);
      const found = await page.evaluate(async () => (await window.axe.run(document)).violations);
      assert.deepEqual(
        found.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(' | ')}`),
        [],
      );
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page scrolls sideways');
      const charts = page.locator('figure');
      for (const chart of await charts.all())
        assert.equal(await chart.locator('svg:visible').count(), 1, 'one picture of a chart is shown');
      assert.deepEqual(wrong, []);
    });
  }

  test('texts in charts are as wide as they were laid out and none lies over another', async (t) => {
    const { page } = await openFile(t, report, { viewport: DESKTOP });
    const over = await page.evaluate(() =>
      [...document.querySelectorAll('svg.wide')].flatMap((svg) => {
        const all = [...svg.querySelectorAll('text')].map((x) => ({ text: x.textContent, at: x.getBoundingClientRect() }));
        return all.flatMap((a, i) =>
          all
            .slice(0, i)
            .filter(
              (b) => a.at.left + 1 < b.at.right && b.at.left + 1 < a.at.right && a.at.top + 3 < b.at.bottom && b.at.top + 3 < a.at.bottom,
            )
            .map((b) => `${a.text} over ${b.text}`),
        );
      }),
    );
    assert.deepEqual(over, []);
  });

  test('its policy stops a script that someone puts into it', async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'moat-document-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const changed = join(dir, 'report.html');
    writeFileSync(changed, readFileSync(report, 'utf8').replace('<main', '<script>window.ran = true</script><main'));
    const { page, wrong } = await openFile(t, changed, { viewport: DESKTOP });
    assert.equal(await page.evaluate(() => window.ran), undefined);
    assert.ok(
      wrong.some((w) => /script/.test(w)),
      'the browser says that it refused the script',
    );
  });

  test('prints what explains figures, and values only where they were opened', async (t) => {
    const { page } = await openFile(t, report, { viewport: DESKTOP });
    await page.locator('details.values').first().locator('summary').click();
    await page.emulateMedia({ media: 'print' });
    assert.equal(await page.locator('details.values:visible').count(), 1);
    assert.ok(await page.getByText('Labor is costed at each person').first().isVisible());
    const heads = await page.locator('main table thead').evaluateAll((all) => all.map((x) => getComputedStyle(x).display));
    assert.ok(
      heads.every((d) => d === 'table-header-group'),
      'heads of tables are repeated on each page',
    );
    assert.ok((await page.pdf({ preferCSSPageSize: true })).length > 20_000);
  });
});
