// Times that repeat, as cron expressions of minute, hour, day of the month, month and weekday.
// The server decides when a schedule runs; here they are put into words before it is asked.
import { clockIn, weekday } from './format';
import { t } from './i18n';

const FIELDS = [
  { low: 0, high: 59, names: '' },
  { low: 0, high: 23, names: '' },
  { low: 1, high: 31, names: '' },
  { low: 1, high: 12, names: 'JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC' },
  { low: 0, high: 7, names: 'SUNMONTUEWEDTHUFRISAT' },
] as const;

interface Times {
  minutes: Set<number>;
  hours: Set<number>;
  days: Set<number>;
  months: Set<number>;
  weekdays: Set<number>;
  /** A day counts when it is one of the days or one of the weekdays: both are narrowed. */
  either: boolean;
}

/** The times of an expression; undefined when it is none, or of a form that only the server knows. */
export function read(cron: string): Times | undefined {
  const parts = cron.trim().split(/\s+/);
  if (parts.length !== FIELDS.length) return undefined;
  const sets = parts.map((part, i) => setOf(part.toUpperCase(), FIELDS[i] as (typeof FIELDS)[number]));
  const [minutes, hours, days, months, weekdays] = sets;
  if (!minutes || !hours || !days || !months || !weekdays) return undefined;
  if (weekdays.delete(7)) weekdays.add(0);
  const open = (part: string | undefined) => part === '*' || part === '?';
  return { minutes, hours, days, months, weekdays, either: !open(parts[2]) && !open(parts[4]) };
}

function setOf(text: string, field: (typeof FIELDS)[number]): Set<number> | undefined {
  const out = new Set<number>();
  for (const item of text.split(',')) {
    const [range = '', step] = item.split('/');
    const every = step === undefined ? 1 : whole(step);
    if (!every || item.split('/').length > 2) return undefined;
    let low: number | undefined = field.low;
    let high: number | undefined = field.high;
    if (range !== '*' && range !== '?') {
      const ends = range.split('-');
      low = numberOf(ends[0] ?? '', field.names, field.low);
      high = ends.length === 2 ? numberOf(ends[1] ?? '', field.names, field.low) : step === undefined ? low : field.high;
      if (ends.length > 2) return undefined;
    }
    if (low === undefined || high === undefined || low < field.low || high > field.high || low > high) return undefined;
    for (let n = low; n <= high; n += every) out.add(n);
  }
  return out;
}

const whole = (text: string) => (/^\d+$/.test(text) ? Number(text) : undefined);

function numberOf(text: string, names: string, low: number): number | undefined {
  const at = text.length === 3 && names ? names.indexOf(text) : -1;
  return at >= 0 && at % 3 === 0 ? at / 3 + low : whole(text);
}

const YEARS = 8; // a 29 February is at most so far away

/** When the clock of a zone shows the next time, as 2026-12-01T07:00; undefined when it never does. */
export function next(cron: string, zone: string, after: Date): string | undefined {
  const times = read(cron);
  const now = clockIn(zone, after);
  if (!times || !now) return undefined;
  const start = Date.parse(`${now.slice(0, 10)}T00:00:00Z`);
  const hours = [...times.hours].sort((a, b) => a - b);
  const minutes = [...times.minutes].sort((a, b) => a - b);
  for (let i = 0; i <= YEARS * 366; i++) {
    const date = new Date(start + i * 86_400_000);
    if (!times.months.has(date.getUTCMonth() + 1)) continue;
    const [day, week] = [times.days.has(date.getUTCDate()), times.weekdays.has(date.getUTCDay())];
    if (times.either ? !(day || week) : !(day && week)) continue;
    for (const h of hours)
      for (const m of minutes) {
        const at = `${date.toISOString().slice(0, 10)}T${two(h)}:${two(m)}`;
        if (at > now) return at;
      }
  }
  return undefined;
}

const two = (n: number) => String(n).padStart(2, '0');

/** How often, in the words of the presets. */
export type Every = 'month' | 'week' | 'day' | 'workday' | 'quarter' | 'own';

export const EVERY: readonly (readonly [Every, string])[] = [
  ['month', t('every month')],
  ['week', t('every week')],
  ['day', t('every day')],
  ['workday', t('on working days')],
  ['quarter', t('every quarter')],
  ['own', t('another time …')],
];

export const WEEKDAYS: readonly (readonly [string, string])[] = [
  ['1', t('Monday')],
  ['2', t('Tuesday')],
  ['3', t('Wednesday')],
  ['4', t('Thursday')],
  ['5', t('Friday')],
  ['6', t('Saturday')],
  ['0', t('Sunday')],
];

/** An expression as people choose it. */
export interface Choice {
  every: Every;
  /** 07:00 */
  time: string;
  weekday: string;
  /** Of the month or of the quarter's first month. */
  day: string;
}

const SIMPLE = /^(\d{1,2}) (\d{1,2}) (\*|\d{1,2}) (\*|1,4,7,10) (\*|1-5|[0-6])$/;

/** What people would have chosen to get an expression; "own" when nothing gives it. */
export function chosen(cron: string): Choice {
  const found = SIMPLE.exec(cron.trim());
  const out: Choice = { every: 'own', time: '07:00', weekday: '1', day: '1' };
  if (!found || !read(cron)) return out;
  const [, m = '', h = '', day = '', month = '', week = ''] = found;
  out.time = `${two(Number(h))}:${two(Number(m))}`;
  if (day !== '*' && Number(day) <= 28 && week === '*')
    return { ...out, day: String(Number(day)), every: month === '*' ? 'month' : 'quarter' };
  if (day !== '*' || month !== '*') return out;
  if (week === '1-5') return { ...out, every: 'workday' };
  if (week === '*') return { ...out, every: 'day' };
  return { ...out, every: 'week', weekday: week };
}

/** The expression of a choice. */
export function written(c: Choice): string {
  const [h = '7', m = '0'] = c.time.split(':');
  const at = `${Number(m)} ${Number(h)}`;
  switch (c.every) {
    case 'week':
      return `${at} * * ${c.weekday}`;
    case 'day':
      return `${at} * * *`;
    case 'workday':
      return `${at} * * 1-5`;
    case 'quarter':
      return `${at} ${c.day} 1,4,7,10 *`;
    default:
      return `${at} ${c.day} * *`;
  }
}

/** An expression in words; itself when nothing simpler says it. */
export function inWords(cron: string): string {
  const c = chosen(cron);
  switch (c.every) {
    case 'month':
      return t('on day {{day}} of every month at {{time}}', { day: c.day, time: c.time });
    case 'quarter':
      return t('on day {{day}} of every quarter at {{time}}', { day: c.day, time: c.time });
    case 'week':
      return t('every {{weekday}} at {{time}}', { weekday: WEEKDAYS.find(([id]) => id === c.weekday)?.[1] ?? '', time: c.time });
    case 'day':
      return t('every day at {{time}}', { time: c.time });
    case 'workday':
      return t('Monday to Friday at {{time}}', { time: c.time });
    case 'own':
      return cron;
  }
}

/** The next time in words: "Tue, Dec 1, 2026, 07:00 (America/New_York)". */
export function nextInWords(cron: string, zone: string, after: Date): string | undefined {
  const at = next(cron, zone, after);
  return at ? `${weekday(at)}, ${at.slice(11)} (${zone})` : undefined;
}
