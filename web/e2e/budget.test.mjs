// What a page may cost: bytes of the first load, rows of a table, requests to elsewhere.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { demoData, open, serve, settled } from './app.mjs';

const dist = join(dirname(fileURLToPath(import.meta.url)), '../dist/app');
const kB = 1000;
const packed = (file) => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length;

test('the first script load is at most 170 kB, any other part 210 kB, the styles of a page 15 kB', () => {
  const page = readFileSync(join(dist, 'index.html'), 'utf8');
  const first = [...new Set([...page.matchAll(/(?:src|href)="\/((?:assets\/)?[^"]+\.js)"/g)].map((m) => m[1]))];
  const initial = first.reduce((sum, f) => sum + packed(f), 0);
  const scripts = readdirSync(join(dist, 'assets')).filter((f) => f.endsWith('.js'));
  const largest = Math.max(...scripts.filter((f) => !first.includes(`assets/${f}`)).map((f) => packed(`assets/${f}`)));
  // What every page loads, and the four largest of the sheets that pages add: more than any does.
  const sheets = readdirSync(join(dist, 'assets')).filter((f) => f.endsWith('.css'));
  const added = sheets.filter((f) => !page.includes(`/assets/${f}`)).map((f) => packed(`assets/${f}`));
  const styles =
    sheets.filter((f) => page.includes(`/assets/${f}`)).reduce((sum, f) => sum + packed(`assets/${f}`), 0) +
    added
      .sort((a, b) => b - a)
      .slice(0, 4)
      .reduce((sum, n) => sum + n, 0);
  console.log(
    `first load ${(initial / kB).toFixed(1)} kB, largest part ${(largest / kB).toFixed(1)} kB, styles ${(styles / kB).toFixed(1)} kB`,
  );
  assert.ok(first.length > 1, 'the scripts of index.html are found');
  assert.ok(initial <= 170 * kB, `${initial} bytes at first`);
  assert.ok(largest <= 210 * kB, `${largest} bytes in one part`);
  assert.ok(styles <= 15 * kB, `${styles} bytes of styles`);
});

test('no script holds eval or makes code from text', () => {
  for (const f of readdirSync(join(dist, 'assets')).filter((x) => x.endsWith('.js'))) {
    const text = readFileSync(join(dist, 'assets', f), 'utf8');
    assert.ok(!/\bnew Function\(|[^.\w]eval\(/.test(text), f);
  }
});

describe('a table of any length', () => {
  let app;
  before(async () => {
    app = await serve(demoData());
  });
  after(() => app.stop());

  test('draws at most 60 rows, while all can be reached', async (t) => {
    const page = await open(t, app, '/explore?measures=%5B%22hours_worked%22%5D&by=%5B%22client%22,%22staff%22,%22day%22%5D&period=all');
    const table = page.getByRole('table').first();
    const all = Number(await table.getAttribute('aria-rowcount')) - 1;
    assert.ok(all > 5000, `${all} rows`);
    assert.ok((await table.locator('tbody tr').count()) <= 62);
    const box = page.getByRole('region', { name: 'Result' });
    await box.evaluate((x) => x.scrollTo(0, x.scrollHeight));
    await page.waitForTimeout(300);
    assert.ok((await table.locator('tbody tr').count()) <= 62);
    await table.locator(`tr[aria-rowindex="${all + 1}"]`).waitFor();
    await settled(page);
  });
});
