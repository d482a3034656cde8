import { expect, test } from 'vitest';
import { leaves } from './unsaved';

const at = (pathname: string, search: Record<string, unknown> = {}) => ({ pathname, search });

test.each([
  ['another page', at('/reports/new'), at('/reports'), [], true],
  ['a panel over the page', at('/reports/new'), at('/reports/new', { panel: { kind: 'explain', of: 'mrr' } }), ['copy'], false],
  ['another period', at('/reports/new', { period: 'last3' }), at('/reports/new', { period: 'all' }), ['copy'], false],
  ['a copy of another template', at('/reports/new', { copy: 'a' }), at('/reports/new', { copy: 'b' }), ['copy'], true],
  ['another tab', at('/reports', { tab: 'look' }), at('/reports'), ['tab'], true],
  ['the closed drawer', at('/reports', { schedule: { id: 'x' } }), at('/reports', { schedule: undefined }), ['schedule', 'tab'], true],
  [
    'the same drawer',
    at('/reports', { schedule: { id: 'x' } }),
    at('/reports', { schedule: { id: 'x' }, where: 'a' }),
    ['schedule'],
    false,
  ],
] as const)('%s', (_, from, to, parts, left) => {
  expect(leaves(from, to, parts)).toBe(left);
});
