import { expect, test } from 'vitest';
import { beside } from './keys';

test('the next and the one before stop at the ends of the list', () => {
  const ids = ['a', 'b', 'c'];
  expect(beside(ids, 'a', 1)).toBe('b');
  expect(beside(ids, 'c', 1)).toBe('c');
  expect(beside(ids, 'a', -1)).toBe('a');
  expect(beside(ids, undefined, 1)).toBe('a');
  expect(beside(ids, 'gone', -1)).toBe('a');
  expect(beside([], 'a', 1)).toBeUndefined();
});
