import { expect, test } from 'vitest';
import { sorted } from './sort';

test('numbers sort as numbers, what is missing last in either direction', () => {
  const rows = [{ v: 10 }, { v: null }, { v: 9 }, { v: -3 }];
  expect(sorted(rows, (r) => r.v, false)).toEqual([3, 2, 0, 1]);
  expect(sorted(rows, (r) => r.v, true)).toEqual([0, 2, 3, 1]);
});

test('texts sort as people expect, equal ones stay in order', () => {
  const rows = ['Item 10', 'item 9', 'Item 10', 'Álvarez'];
  expect(sorted(rows, (r) => r, false)).toEqual([3, 1, 0, 2]);
});
