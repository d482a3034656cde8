import { beforeEach, describe, expect, test } from 'vitest';
import {
  axis,
  bytes,
  change,
  day,
  dimensionValue,
  format,
  inCurrency,
  instant,
  month,
  percent,
  setConventions,
  tile,
  tileChange,
} from './format';

beforeEach(() => setConventions({ locale: 'en-US', currency: 'USD' }));

describe('numbers', () => {
  test.each([
    ['1234567.891', 'money', '$1,234,567.89'],
    ['-5098.47', 'money', '\u2212$5,098.47'],
    ['0.125', 'money', '$0.12'], // half-even
    ['0.135', 'money', '$0.14'],
    ['-0.115391770777', 'ratio', '\u221211.5%'],
    ['1.28125', 'ratio', '128.1%'],
    ['0.0005', 'ratio', '0.0%'], // half-even of 0.05
    ['594.5', 'hours', '594.5\u00a0h'],
    ['62.224818', 'money_per_hour', '$62.22\u00a0/ h'],
    ['1080', 'money_per_month', '$1,080.00\u00a0/ month'],
    ['659.7595', 'money_per_count', '$659.76\u00a0each'],
    ['5', 'money_per_day', '$5.00\u00a0/ day'],
    ['11.2865', 'days', '11.3\u00a0days'],
    ['12345', 'count', '12,345'],
    [null, 'money', '—'],
    ['', 'ratio', '—'],
  ])('%s %s is %s', (value, unit, want) => expect(format(value, unit)).toBe(want));

  test('a decimal longer than a float keeps all its digits', () =>
    expect(format('123456789012345678.91', 'money')).toBe('$123,456,789,012,345,678.91'));
  test('in a dense table the unit is left to the header', () => expect(format('1080', 'money_per_month', { bare: true })).toBe('1,080.00'));
  test('the currency of the answer wins', () => expect(format('10', inCurrency('money', 'EUR'))).toBe('€10.00'));
});

describe('tiles have four significant digits and our own suffixes', () => {
  test.each([
    ['1004813.84', 'money', '$1.005M'],
    ['44184', 'money', '$44.18k'],
    ['5098.47', 'money', '$5,098'],
    ['120.5', 'money', '$120.50'],
    ['-77581.83', 'money', '\u2212$77.58k'],
    ['2514163.3', 'money', '$2.514M'],
    ['1234567890', 'money', '$1.235bn'],
    ['17403.8', 'hours', '17.4k\u00a0h'],
    ['0.4', 'ratio', '40.0%'],
  ])('%s %s is %s', (value, unit, want) => expect(tile(value, unit)).toBe(want));
});

describe('changes', () => {
  test('of ratios are in percentage points', () => expect(change('-0.419', 'ratio')).toBe('\u221241.9\u00a0pp'));
  test('have a sign', () => expect(change('83.5', 'money')).toBe('+$83.50'));
  test('in a tile are short', () => expect(tileChange('-18497.36', 'money')).toBe('\u2212$18.5k'));
});

describe('dates', () => {
  test('a month', () => expect(month('2026-03-01')).toBe('Mar 2026'));
  test('a day', () => expect(day('2026-06-30')).toBe('Jun 30, 2026'));
  test('what is no date stays as it is', () => expect(month('soon')).toBe('soon'));
  test('a quarter', () => expect(dimensionValue('quarter', '2026-04-01')).toBe('Q2 2026'));
  test('a code of the data', () => expect(dimensionValue('revenue_category', 'recurring_labor')).toBe('recurring labor'));
  test('a name stays a name', () => expect(dimensionValue('client', 'Acme_Corp')).toBe('Acme_Corp'));
  test('an instant names the time zone', () => expect(instant('2026-06-30T10:00:00Z')).toMatch(/2026.*(UTC|GMT|[A-Z]{2,4})/));
});

test('axis, percent and bytes', () => {
  expect(axis(240000, 'money')).toBe('240k');
  expect(axis(0.45, 'ratio')).toBe('45%');
  expect(percent(0.9694)).toBe('97%');
  expect(bytes(3780776)).toBe('3.6\u00a0MiB');
});
