import { expect, test } from 'vitest';
import { addMonths, isPeriod, monthsIn, rangeOf, resolve, spanOf, stepped } from './period';

const complete = { from: '2024-07-01', to: '2026-07-01' };

test.each([
  ['last12', { from: '2025-07-01', to: '2026-07-01' }],
  ['last1', { from: '2026-06-01', to: '2026-07-01' }],
  ['this_year', { from: '2026-01-01', to: '2026-07-01' }],
  ['last_year', { from: '2025-01-01', to: '2026-01-01' }],
  ['all', complete],
  ['2026-01..2026-03', { from: '2026-01-01', to: '2026-04-01' }],
])('%s counts from the end of the complete data', (text, want) => expect(resolve(text, complete)).toEqual(want));

test('before there is data only a range is a period', () => {
  expect(resolve('last12', undefined)).toBeUndefined();
  expect(resolve('2026-01..2026-01', undefined)).toEqual({ from: '2026-01-01', to: '2026-02-01' });
});

test.each([
  ['2026-13..2026-14', false],
  ['2026-05..2026-04', false],
  ['2026-04..2026-04', true],
  ['last12', true],
  ['yesterday', false],
])('%s is a period: %s', (text, want) => expect(isPeriod(text)).toBe(want));

test('months are added over the years', () => {
  expect(addMonths('2026-01-31', 1)).toBe('2026-02-01');
  expect(addMonths('2026-01-01', -1)).toBe('2025-12-01');
  expect(addMonths('2026-12-01', 13)).toBe('2028-01-01');
});

test('a step is as long as the period, and back again is where it began', () => {
  const p = { from: '2026-04-01', to: '2026-07-01' };
  expect(stepped(p, -1)).toBe('2026-01..2026-03');
  const back = resolve(stepped(p, -1), complete);
  expect(back && stepped(back, 1)).toBe(rangeOf(p));
  expect(monthsIn(p)).toBe(3);
});

test.each([
  ['month', '2026-03-01', { from: '2026-03-01', to: '2026-04-01' }],
  ['quarter', '2025-04-01', { from: '2025-05-01', to: '2025-07-01' }],
  ['week', '2026-02-23', { from: '2026-02-23', to: '2026-03-02' }],
  ['day', '2026-02-28', { from: '2026-02-28', to: '2026-03-01' }],
  ['year', '2026-01-01', { from: '2026-01-01', to: '2026-05-01' }],
  ['client', 'Harbor Dental', { from: '2025-05-01', to: '2026-05-01' }],
])('a %s cell of %s explains its own days', (dimension, value, want) =>
  expect(spanOf(dimension, value, { from: '2025-05-01', to: '2026-05-01' })).toEqual(want),
);
