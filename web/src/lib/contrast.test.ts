import { expect, test } from 'vitest';
import { onWhite, READABLE } from './contrast';

test.each([
  ['#000000', 21],
  ['#ffffff', 1],
  ['#0B62A8', 6.3],
  ['#FFDD00', 1.3],
  ['#767676', 4.54],
])('%s on white paper', (color, expected) => {
  expect(onWhite(color)).toBeCloseTo(expected, 1);
});

test('what is no color has no contrast', () => {
  for (const wrong of ['', 'blue', '#fff', '#12345g', '0B62A8']) expect(onWhite(wrong)).toBeUndefined();
  expect(onWhite('#777777')).toBeLessThan(READABLE);
});
