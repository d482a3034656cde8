import { describe, expect, test } from 'vitest';
import { inWords, plain, shifted } from './levers';

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

test('parts that are not set are left out', () => {
  expect(plain({ kind: 'price', percent: '0.06', amount: undefined, select: { client: [] } })).toEqual({ kind: 'price', percent: '0.06' });
});

test('a lever in words', () => {
  expect(inWords({ kind: 'price', percent: '0.06', select: { client: ['A', 'B'] } }, 'Prices')).toBe('Prices +6% (A, B)');
  expect(inWords({ kind: 'seats', amount: '-12', select: { product: ['E3'] } }, 'License seats')).toBe('License seats \u221212 (E3)');
  expect(inWords({ kind: 'cost', percent: '-1' }, 'Direct cost')).toBe('Direct cost \u2212100% (all)');
});
