import { afterEach, expect, test } from 'vitest';
import type { Template } from '../api/reports';
import { byAudience, fitting, lastFormats, ownPeriod, rememberFormats, templateOptions, titleOf } from './reporting';

const make = (name: string, more: Partial<Template> = {}): Template => ({
  name,
  title: name,
  description: '',
  for: 'owner',
  of_client: false,
  period: 'last_12_months',
  layout: {},
  sections: [],
  built_in: true,
  ...more,
});
const list = [
  make('executive-summary'),
  make('team-utilization', { for: 'service manager' }),
  make('client-qbr', { for: 'client', of_client: true }),
  make('mine', { built_in: false }),
];

afterEach(() => localStorage.clear());

test.each([
  ['/team', 'team-utilization', undefined],
  ['/clients/Linden%20Square%20Logistics', 'client-qbr', 'Linden Square Logistics'],
  ['/clients/100%', 'client-qbr', '100%'],
  ['/explore', 'executive-summary', undefined],
  ['/teams', 'executive-summary', undefined],
  ['/licenses', 'executive-summary', undefined], // its own template is not among those that may be used
])('%s is said by %s', (path, template, client) => {
  expect(fitting(path, list)).toEqual({ template, client });
});

test('a client page offers first what is about one client', () => {
  expect(templateOptions(list, 'X').map((g) => g.options.map(([id]) => id))).toEqual([
    ['client-qbr'],
    ['executive-summary', 'team-utilization', 'mine'],
  ]);
  expect(
    templateOptions(list, undefined)
      .flatMap((g) => g.options)
      .find(([id]) => id === 'mine')?.[1],
  ).toBe('mine (own)');
  expect(fitting('/clients/X', [make('a')]).template).toBe('a');
});

test('templates stand by whom they are for', () => {
  expect(byAudience([...list, make('z', { for: 'the board' })]).map((g) => [g.audience, g.templates.length])).toEqual([
    ['Owners and boards', 2],
    ['Service managers', 1],
    ['Clients', 1],
    ['The board', 1],
  ]);
});

test('what is filled in later is said in words', () => {
  expect(titleOf({ title: 'Review for {{client}}, {{ as_of }}' })).toBe('Review for a client, the as of');
  expect(ownPeriod(make('x', { period: '' }))).toBe('the last 12 months');
});

test('the formats chosen last are remembered, whatever stands there', () => {
  expect(lastFormats()).toEqual({ table: 'xlsx', report: 'pdf', part: 'table' });
  rememberFormats({ report: 'pptx' });
  rememberFormats({ table: 'csv' });
  expect(lastFormats()).toEqual({ table: 'csv', report: 'pptx', part: 'table' });
  localStorage.setItem('moat.export', 'no json');
  expect(lastFormats().report).toBe('pdf');
});
