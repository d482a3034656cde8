import { expect, test } from 'vitest';
import { byRole, effectWords, namesOf } from './words';

test('names are one a line, each once, without what is blank', () => {
  expect(namesOf(' Acme, Inc.\n\nBeta \nBeta\n')).toEqual(['Acme, Inc.', 'Beta']);
  expect(namesOf(' \n ')).toEqual([]);
});

test('effects say what a role gains in words', () => {
  const all = [{ action: 'figures.export', label: 'Export figures as files', roles: ['owner'] }];
  const of = (kind: 'action' | 'class' | 'client' | 'team' | 'role', what: string) =>
    effectWords({ role: 'lead', gained: true, kind, what }, all);
  expect(of('action', 'figures.export')).toBe('Export figures as files');
  expect(of('action', 'unknown.act')).toBe('unknown.act');
  expect(of('class', 'pay')).toBe('sight of: Pay of single people');
  expect(of('client', '*')).toBe('rows of all clients');
  expect(of('team', 'Desk')).toBe('rows of the team Desk');
  expect(of('role', 'lead')).toBe('is new');
});

test('effects stand together by role', () => {
  const e = (role: string, what: string) => ({ role, gained: true, kind: 'action' as const, what });
  expect(byRole([e('a', '1'), e('b', '2'), e('a', '3')]).map(([role, list]) => [role, list.map((x) => x.what)])).toEqual([
    ['a', ['1', '3']],
    ['b', ['2']],
  ]);
});
