// The real program and a real browser, for tests. Each page is watched: a request to
// another host, a refused resource (policy), an error in the console or a failed request
// to the program fails the test that opened it.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = dirname(fileURLToPath(import.meta.url));
export const program = process.env.MOAT_PROGRAM ?? join(here, '../../bin/moatmetrics');
export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };
export const SMALLEST = { width: 360, height: 740 };

const made = [];
after(() => {
  for (const dir of made) rmSync(dir, { recursive: true, force: true });
});

function scratch() {
  const dir = mkdtempSync(join(tmpdir(), 'moat-e2e-'));
  made.push(dir);
  return dir;
}

/** Runs a command of the program on a data directory and returns what it printed. */
export function cli(data, ...args) {
  return execFileSync(program, [...args, '--data', data], { encoding: 'utf8', maxBuffer: 64 << 20 });
}

/** A data directory with the demo MSP: one shared by the run's files, copied for each. */
export function demoData() {
  const shared = process.env.MOAT_E2E_DEMO;
  const dir = join(scratch(), 'data');
  if (shared && existsSync(shared)) cpSync(shared, dir, { recursive: true });
  else cli(dir, 'demo', '--no-serve');
  return dir;
}

export function emptyData() {
  return join(scratch(), 'data');
}

const endings = new WeakMap();

/** Calls f when the test ends; what came last ends first. */
export function atEnd(t, f) {
  let list = endings.get(t);
  if (!list) {
    list = [];
    endings.set(t, list);
    t.after(async () => {
      const wrong = [];
      for (const end of list.reverse()) await Promise.resolve(end()).catch((e) => wrong.push(e));
      if (wrong.length > 0) throw wrong[0]; // what comes after a failure ends all the same
    });
  }
  list.push(f);
}

/** Starts the program for one test. */
export async function serveFor(t, data) {
  const app = await serve(data);
  atEnd(t, () => app.stop());
  return app;
}

/** Starts the program on a free port; stop() ends it. */
export async function serve(data, port = 0) {
  const child = spawn(program, ['serve', '--data', data, '--listen', `127.0.0.1:${port}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, MOAT_RATE_SIGN_IN: '1000' }, // the tests sign in more often than people do
  });
  const url = await new Promise((resolve, reject) => {
    let text = '';
    child.stderr.on('data', (chunk) => {
      text += chunk;
      const found = /http:\/\/[\d.:]+/.exec(text);
      if (found) resolve(found[0]);
    });
    child.on('exit', (code) => reject(new Error(`serve ended with ${code}: ${text}`)));
  });
  return {
    url,
    data,
    port: Number(new URL(url).port),
    stop: () =>
      new Promise((resolve) => {
        child.removeAllListeners('exit');
        child.on('exit', resolve);
        child.kill('SIGTERM');
      }),
  };
}

let browser;
export const closeBrowser = () => browser?.close();
after(closeBrowser);

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--font-render-hinting=none',
];

export async function newContext(options = {}) {
  browser ??= await chromium.launch({ executablePath: process.env.MOAT_CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
  return browser.newContext({
    viewport: DESKTOP,
    locale: 'en-US',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
    serviceWorkers: 'block',
    ...options,
  });
}

/** Opens a page of the program; `t.after` checks what it did. */
export async function open(t, app, path = '/', options = {}) {
  const { allowFailures = false, ...rest } = options;
  const context = await newContext({ acceptDownloads: true, ...rest });
  const page = await context.newPage();
  const wrong = watch(page, app.url, allowFailures);
  atEnd(t, async () => {
    await context.close();
    assert.deepEqual(wrong, [], 'what the page did wrong');
  });
  await page.goto(app.url + path);
  await settled(page);
  return page;
}

/** Notes what a page must not do. */
export function watch(page, origin, allowFailures = false) {
  const wrong = [];
  page.on('request', (r) => {
    const url = r.url();
    if (!url.startsWith(origin) && !url.startsWith('data:') && !url.startsWith('blob:')) wrong.push(`request to ${url}`);
  });
  page.on('response', (r) => {
    if (!allowFailures && r.status() >= 400) wrong.push(`${r.status()} ${r.url()}`);
  });
  page.on('pageerror', (e) => wrong.push(`error: ${e.message}`));
  page.on('console', (m) => {
    if (m.type() === 'error' && !(allowFailures && /Failed to load resource/.test(m.text()))) wrong.push(`console: ${m.text()}`);
  });
  page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (e) => console.error(`policy ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}`));
  });
  return wrong;
}

/** Waits until nothing loads any more and charts are drawn, and still so a moment later. */
export async function settled(page) {
  await page.waitForSelector('main h1', { timeout: 20_000 });
  for (let calm = 0; calm < 2; ) {
    await page.waitForFunction(atRest, undefined, { timeout: 20_000 });
    await page.waitForTimeout(100);
    calm = (await page.evaluate(atRest)) ? calm + 1 : 0;
  }
}

function atRest() {
  return (
    document.querySelectorAll('main [role="status"][aria-label="Loading"]').length === 0 &&
    [...document.querySelectorAll('[data-ready]')].every((x) => x.dataset.ready === 'true') &&
    document.fonts.status === 'loaded'
  );
}

/** Numbers as the page writes them. */
export function number(text) {
  return Number(text.replace(/\u2212/g, '-').replace(/[^\d.-]/g, ''));
}

/** What the API answers. */
export async function ask(app, path) {
  const response = await fetch(app.url + path);
  assert.equal(response.status, 200, path);
  return response.json();
}
