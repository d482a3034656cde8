// Which part may use which, and the one door for numbers, colors, requests and charts.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const files = (readdirSync('src', { recursive: true }) as string[])
  .map((f) => f.replaceAll('\\', '/'))
  .filter((f) => /\.tsx?$/.test(f) && !/\.test\.|schema\.d\.ts/.test(f))
  .map((path) => ({ path, text: readFileSync(join('src', path), 'utf8') }));

/** The part of a file: its folder, and for features also which one. */
const partOf = (path: string) =>
  path.startsWith('features/') ? path.split('/').slice(0, 2).join('/') : path.includes('/') ? (path.split('/')[0] ?? '') : 'app';

// Lowest first; a part may use what stands before it. app/Page is the frame that features
// stand in, and the shell loads features by their routes only.
const order = ['styles', 'lib', 'api', 'ui', 'charts', 'metrics', 'features', 'app'];
const allowedUpward = [
  ['lib/state.ts', 'api'], // the data's end decides what a period means
  ['ui/States.tsx', 'api'],
];

function imports(path: string, text: string): string[] {
  const dir = path.split('/').slice(0, -1);
  return [...text.matchAll(/from '(\.{1,2}\/[^']+)'|import\('(\.{1,2}\/[^']+)'\)/g)].map((m) => {
    const parts = [...dir];
    for (const step of (m[1] ?? m[2] ?? '').split('/')) {
      if (step === '..') parts.pop();
      else if (step !== '.') parts.push(step);
    }
    return parts.join('/');
  });
}

test('parts use only what stands below them, and features not each other', () => {
  const wrong: string[] = [];
  for (const { path, text } of files) {
    const own = partOf(path);
    for (const target of imports(path, text)) {
      const other = partOf(target);
      if (own === other || target === 'app/Page' || allowedUpward.some(([f, part]) => f === path && part === other)) continue;
      const [a, b] = [order.indexOf(own.split('/')[0] ?? ''), order.indexOf(other.split('/')[0] ?? '')];
      if (own === 'app') continue;
      if (a <= b) wrong.push(`${path} uses ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

describe('one door each', () => {
  const only = (what: RegExp, where: RegExp, why: string) =>
    test(why, () => {
      expect(files.filter((f) => !where.test(f.path) && what.test(f.text)).map((f) => f.path)).toEqual([]);
    });
  only(/from 'echarts/, /^charts\//, 'only charts/ draws with ECharts');
  only(/from 'react-aria-components'/, /^(ui|metrics|app|features\/explore)\//, 'widgets come from ui/');
  only(/\bfetch\(/, /^(api\/|sw\.ts)/, 'only api/ and the worker make requests');
  only(
    /new Intl\.(Number|DateTime)Format|toLocale(Date|Time)?String/,
    /^lib\/(format|i18n)\.ts/,
    'only format.ts writes numbers and dates',
  );
  only(/#[0-9a-fA-F]{3,8}\b(?!\w)/, /^styles\//, 'colors come from tokens');
  only(/dangerouslySetInnerHTML|\.innerHTML|document\.write|\beval\(|new Function/, /^$/, 'nothing writes markup as text');
});

test('the policy allows exactly the rule that react-aria adds on iOS', () => {
  const source = readFileSync('node_modules/react-aria/dist/private/overlays/usePreventScroll.mjs', 'utf8');
  const rule = /style\.textContent = `([^`]*)`\.trim\(\)/.exec(source)?.[1]?.trim();
  expect(rule).toBeDefined();
  const hash = createHash('sha256')
    .update(rule ?? '')
    .digest('base64');
  expect(readFileSync('../internal/httpapi/assets.go', 'utf8')).toContain(`'sha256-${hash}'`);
});

test('react-aria finds its rule in place, and our style sheet has it', () => {
  expect(readFileSync('node_modules/react-aria/dist/private/interactions/usePress.mjs', 'utf8')).toContain("'react-aria-pressable-style'");
  expect(readFileSync('index.html', 'utf8')).toContain('<meta id="react-aria-pressable-style"');
  expect(readFileSync('src/styles/base.css', 'utf8')).toContain('[data-react-aria-pressable]');
});
