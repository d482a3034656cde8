import { expect, test } from 'vitest';
import { negated, sum } from './decimal';

test.each([
  [['0.1', '0.2'], '0.3'],
  [['0.10', '-0.3'], '-0.20'],
  [['-5098.47', '5098.47'], '0.00'],
  [['12345678901234567890.01', '0.99'], '12345678901234567891.00'],
  [['7'], '7'],
  [[], '0'],
])('the sum of %j is %s', (values, want) => expect(sum(...values)).toBe(want));

test('a negated value and itself add up to nothing', () => expect(sum('-41.3', negated('-41.3'))).toBe('0.0'));
