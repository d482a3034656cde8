import { describe, expect, test } from 'vitest';
import { around, inserted, usageOf } from './place';

describe('around', () => {
  test.each([
    ['revenue + hours_worked', 'these do not go together (character 11)', ['revenue + ', 'h', 'ours_worked']],
    ['é + x', 'unknown (character 5)', ['é + ', 'x', '']],
    ['x', 'unknown (character 1)', ['', 'x', '']],
    ['x', 'unknown (character 2)', undefined],
    ['x', 'unknown', undefined],
  ])('%s', (text, message, want) => expect(around(text, message)).toEqual(want));

  test('counts characters outside the basic plane once', () => {
    expect(around('"😀" x', 'no (character 5)')).toEqual(['"😀" ', 'x', '']);
  });
});

describe('inserted', () => {
  test.each([
    ['', 0, 0, 'revenue', 'revenue', 7],
    ['lag(', 4, 4, 'revenue', 'lag(revenue', 11],
    ['a /', 3, 3, 'revenue', 'a / revenue', 11],
    ['a / b', 4, 5, 'revenue', 'a / revenue', 11],
    ['a b', 1, 1, 'c', 'a c b', 3],
    ['f(, 3)', 2, 2, 'c', 'f(c, 3)', 3],
  ])('%s at %d', (text, from, to, word, want, cursor) => expect(inserted(text, from, to, word)).toEqual({ text: want, cursor }));
});

test('usageOf tells what is written from what it says', () => {
  expect(usageOf('lag(x, n): x as it was n steps before')).toEqual({ call: 'lag(x, n)', says: 'x as it was n steps before' });
  expect(usageOf('if(a > (b), c, d) c or d')).toEqual({ call: 'if(a > (b), c, d)', says: 'c or d' });
});
