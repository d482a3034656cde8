import { expect, test } from 'vitest';
import { both, type Condition, include, only, read, write } from './filters';

test.each<[string, Condition[]]>([
  ['one value', [{ dimension: 'client', is: true, values: ['Acme'] }]],
  ['several', [{ dimension: 'industry', is: true, values: ['Legal', 'Retail'] }]],
  ['all but', [{ dimension: 'client', is: false, values: ['A', 'B'] }]],
  ['quotes and backslashes', [{ dimension: 'client', is: true, values: ['The "Best" \\ Co', "O'Neil"] }]],
  [
    'two dimensions',
    [
      { dimension: 'client', is: true, values: ['A and B'] },
      { dimension: 'team', is: false, values: ['Field'] },
    ],
  ],
])('what is written is read back: %s', (_, conditions) => expect(read(write(conditions))).toEqual(conditions));

test.each(['margin < 0.2', 'client = "A" or client = "B"', 'client = "A', 'client ='])('%s is not a list of chips', (text) =>
  expect(read(text)).toBeUndefined(),
);

test('no condition is an empty text', () => {
  expect(write([])).toBe('');
  expect(read('')).toEqual([]);
});

test('a value is added once, and a contrary condition is replaced', () => {
  const one = include([], 'client', 'A');
  expect(include(one, 'client', 'A')).toEqual(one);
  expect(include(one, 'client', 'B')[0]?.values).toEqual(['A', 'B']);
  expect(include(one, 'client', 'B', false)).toEqual([{ dimension: 'client', is: false, values: ['B'] }]);
});

test('conditions joined keep their meaning', () => {
  expect(both('', undefined, only('client', 'A'))).toBe('client = "A"');
  expect(both('a = "1" or b = "2"', 'c = "3"')).toBe('(a = "1" or b = "2") and c = "3"');
});
