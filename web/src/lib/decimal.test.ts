import { describe, expect, test } from 'vitest';
import { negated, shifted, sum } from './decimal';

test.each([
  [['0.1', '0.2'], '0.3'],
  [['0.10', '-0.3'], '-0.20'],
  [['-5098.47', '5098.47'], '0.00'],
  [['12345678901234567890.01', '0.99'], '12345678901234567891.00'],
  [['7'], '7'],
  [[], '0'],
])('the sum of %j is %s', (values, want) => expect(sum(...values)).toBe(want));

test('a negated value and itself add up to nothing', () => expect(sum('-41.3', negated('-41.3'))).toBe('0.0'));

describe('shifted', () => {
  test.each([
    ['6', -2, '0.06'],
    ['6.5', -2, '0.065'],
    ['-0.5', -2, '-0.005'],
    ['+120', -2, '1.2'],
    ['\u22127', -2, '-0.07'],
    ['0.06', 2, '6'],
    ['0.065', 2, '6.5'],
    ['-1', 2, '-100'],
    ['1,250.5', 0, '1250.5'],
    ['.5', 0, '0.5'],
  ])('%s by %i places is %s', (text, places, want) => expect(shifted(text, places)).toBe(want));
  test.each(['', 'six', '1.2.3', '-', '.'])('%s is no number', (text) => expect(shifted(text, -2)).toBeUndefined());
});
