// The views over 10 million facts (make soak): they come up, and nothing breaks. The
// pictures go to .cache/pictures to be looked at. MOAT_E2E_BIG names a data directory that
// holds them already.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ask, atEnd, cli, DESKTOP, open, PHONE, serveFor, settled } from './app.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const on = Boolean(process.env.MOAT_SOAK || process.env.MOAT_E2E_BIG);

test('10 million facts', { skip: !on, timeout: 3_600_000 }, async (t) => {
  let data = process.env.MOAT_E2E_BIG;
  if (!data) {
    const dir = mkdtempSync(join(tmpdir(), 'moat-big-'));
    atEnd(t, () => rmSync(dir, { recursive: true, force: true }));
    execFileSync('go', ['run', './scripts/workload', '-out', join(dir, 'files'), '-logs', '10000000'], { cwd: root });
    data = join(dir, 'data');
    cli(data, 'import', ...['clients', 'invoices', 'time_logs', 'licenses'].map((f) => join(dir, 'files', `${f}.csv`)));
  }
  const app = await serveFor(t, data);
  const pictures = join(root, '.cache/pictures');
  mkdirSync(pictures, { recursive: true });
  const client = (await ask(app, '/api/v1/query?measures=revenue&by=client&order=-revenue&limit=1')).rows[0][0];
  const facts = (await ask(app, '/api/v1/datasets')).reduce((sum, d) => sum + d.rows, 0);
  assert.ok(facts >= 10_000_000, `${facts} rows`);
  for (const [size, viewport] of [
    ['desktop', DESKTOP],
    ['phone', PHONE],
  ]) {
    const page = await open(t, app, '/', { viewport });
    for (const [name, path] of Object.entries({
      overview: '/',
      clients: '/clients',
      client: `/clients/${encodeURIComponent(client)}`,
      licenses: '/licenses',
      team: '/team',
      explore: '/explore?measures=%5B%22gross_profit%22%5D&by=%5B%22client%22,%22month%22%5D',
      system: '/system',
    })) {
      await page.goto(app.url + path);
      await settled(page);
      await page.screenshot({ path: join(pictures, `big-${name}-${size}.png`) });
    }
  }
});
