import { describe, expect, test } from 'vitest';
import { chosen, inWords, next, nextInWords, read, written } from './cron';

const at = new Date('2026-11-28T16:45:00Z'); // a Saturday

describe('the next time', () => {
  test.each([
    ['0 7 1 * *', 'UTC', '2026-12-01T07:00'],
    ['0 7 * * 1', 'UTC', '2026-11-30T07:00'],
    ['0 7 * * MON', 'UTC', '2026-11-30T07:00'],
    ['0 7 * * 7', 'UTC', '2026-11-29T07:00'],
    ['0 7 1 1,4,7,10 *', 'UTC', '2027-01-01T07:00'],
    ['*/15 * * * *', 'UTC', '2026-11-28T17:00'],
    ['45 16 * * *', 'UTC', '2026-11-29T16:45'], // this minute is over
    ['0 12 * * *', 'America/New_York', '2026-11-28T12:00'],
    ['0 12 * * *', 'Asia/Tokyo', '2026-11-29T12:00'],
    ['0 0 29 2 *', 'UTC', '2028-02-29T00:00'],
    ['0 7 13 * 5', 'UTC', '2026-12-04T07:00'], // the 13th or a Friday
    ['30 22-23/1 28 NOV *', 'UTC', '2026-11-28T22:30'],
  ])('%s in %s', (cron, zone, expected) => {
    expect(next(cron, zone, at)).toBe(expected);
  });
  test('never, or not in words', () => {
    expect(next('0 0 31 2 *', 'UTC', at)).toBeUndefined();
    expect(next('0 0 * * *', 'Mars/Olympus', at)).toBeUndefined();
    for (const wrong of ['', '0 7 1 *', '60 * * * *', '* 24 * * *', '* * 0 * *', '5-1 * * * *', '*/0 * * * *', '0 7 L * *', 'a * * * *'])
      expect(read(wrong), wrong).toBeUndefined();
  });
  test('in words', () => {
    expect(nextInWords('0 7 1 * *', 'UTC', at)).toBe('Tue, Dec 1, 2026, 07:00 (UTC)');
  });
});

describe('choices', () => {
  test.each(['0 7 1 * *', '30 6 15 * *', '0 7 * * 1', '0 7 * * 0', '5 18 * * *', '0 6 * * 1-5', '0 7 1 1,4,7,10 *'])(
    '%s is chosen and written again',
    (cron) => {
      expect(chosen(cron).every).not.toBe('own');
      expect(written(chosen(cron))).toBe(cron);
    },
  );
  test.each(['*/5 * * * *', '0 7 31 * *', '0 7 1 * 1', '0 7 1 2 *', '0 7', '99 7 1 * *'])('%s is written by hand', (cron) => {
    expect(chosen(cron).every).toBe('own');
    expect(inWords(cron)).toBe(cron);
  });
  test('words', () => {
    expect(inWords('0 7 1 * *')).toBe('on day 1 of every month at 07:00');
    expect(inWords('0 7 * * 1')).toBe('every Monday at 07:00');
  });
});
