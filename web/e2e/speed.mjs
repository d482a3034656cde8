// Measures, not a test: `make bench` runs it. Prints JSON lines {name, value, unit, target}.
import { performance } from 'node:perf_hooks';
import { closeBrowser, DESKTOP, demoData, newContext, serve, settled } from './app.mjs';

const data = process.env.MOAT_BENCH_DATA ?? demoData();
let app = await serve(data);
const say = (name, value, unit, target) => console.log(JSON.stringify({ name, value: Math.round(value * 10) / 10, unit, target }));
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
try {
  const context = await newContext({ viewport: DESKTOP });
  const page = await context.newPage();
  await page.addInitScript(() => {
    window.slow = [];
    new PerformanceObserver((list) => {
      for (const e of list.getEntries()) window.slow.push(e.duration);
    }).observe({ type: 'event', durationThreshold: 16, buffered: true });
  });

  // 50,000 rows sorted by a click on a head, until the next frame.
  await page.goto(`${app.url}/gallery`);
  await settled(page);
  const table = page.getByRole('table', { name: 'Fifty thousand rows' });
  const rows = Number(await table.getAttribute('aria-rowcount')) - 1;
  const sorts = [];
  for (let i = 0; i < 5; i++) {
    sorts.push(
      await page.evaluate(async () => {
        const head = [...document.querySelectorAll('th button')].find((b) => b.textContent.startsWith('Value'));
        const start = performance.now();
        head.click();
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        return performance.now() - start;
      }),
    );
  }
  say(`sort ${rows} rows`, median(sorts), 'ms', 500);

  // From a click to the next paint, over the ways through the app.
  const paints = [];
  for (const [path, act] of [
    ['/', (p) => p.locator('ol li h3 button').first().click()],
    ['/clients', (p) => p.locator('tbody button').first().click()],
    ['/clients', (p) => p.getByRole('button', { name: 'Filter', exact: true }).click()],
    ['/explore', (p) => p.getByRole('button', { name: 'Pivot' }).click()],
    ['/', (p) => p.keyboard.press('Control+k')],
    ['/team', (p) => p.getByRole('button', { name: 'Billable', exact: true }).click()],
  ]) {
    await page.goto(app.url + path);
    await settled(page);
    await page.evaluate(() => {
      window.slow = [];
    });
    await act(page);
    await page.waitForTimeout(600);
    paints.push(Math.max(8, ...(await page.evaluate(() => window.slow))));
    console.error(path, act.toString().slice(7, 80), paints.at(-1), 'ms');
  }
  say('interaction to next paint, slowest of six', Math.max(...paints), 'ms', 100);
  say('interaction to next paint, median', median(paints), 'ms', 100);

  // Every API answer behind every view, asked anew: how long the program takes.
  const asked = new Set();
  page.on('request', (r) => {
    const u = new URL(r.url());
    if (r.method() === 'GET' && u.pathname.startsWith('/api/v1/') && u.pathname !== '/api/v1/events') asked.add(u.pathname + u.search);
  });
  const first = (await (await fetch(`${app.url}/api/v1/query?measures=revenue&by=client&order=-revenue&limit=1`)).json()).rows[0][0];
  for (const path of [
    '/',
    '/clients',
    `/clients/${encodeURIComponent(first)}`,
    '/agreements',
    '/licenses',
    '/team',
    '/service',
    '/cash',
    '/spend',
    '/explore',
    '/import',
    '/snapshots',
    '/definitions',
    '/system',
  ]) {
    await page.goto(app.url + path);
    await settled(page);
  }
  await context.close();
  // The program fills its caches when it starts; then each of these questions is new to it.
  await app.stop();
  app = await serve(data);
  await new Promise((done) => setTimeout(done, 5000));
  const cold = [];
  const warm = [];
  for (const kind of [cold, warm]) {
    for (const path of asked) {
      const start = performance.now();
      await (await fetch(app.url + path)).arrayBuffer();
      kind.push([performance.now() - start, path]);
    }
  }
  const p95 = (list) => list.map(([ms]) => ms).sort((a, b) => a - b)[Math.floor(list.length * 0.95)];
  say(`API p95 behind every view, ${asked.size} answers, asked for the first time`, p95(cold), 'ms', 100);
  say('API p95 behind every view, asked again', p95(warm), 'ms', 100);
  for (const [ms, path] of cold.sort((a, b) => b[0] - a[0]).slice(0, 8)) console.error('slowest:', ms.toFixed(1), 'ms', path);
} finally {
  await closeBrowser();
  await app.stop();
}
