import { expect, test } from 'vitest';
import { inWords, plain } from './levers';

test('parts that are not set are left out', () => {
  expect(plain({ kind: 'price', percent: '0.06', amount: undefined, select: { client: [] } })).toEqual({ kind: 'price', percent: '0.06' });
});

test('a lever in words', () => {
  expect(inWords({ kind: 'price', percent: '0.06', select: { client: ['A', 'B'] } }, 'Prices')).toBe('Prices +6% (A, B)');
  expect(inWords({ kind: 'seats', amount: '-12', select: { product: ['E3'] } }, 'License seats')).toBe('License seats \u221212 (E3)');
  expect(inWords({ kind: 'cost', percent: '-1' }, 'Direct cost')).toBe('Direct cost \u2212100% (all)');
});
