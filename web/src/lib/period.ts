// Periods are half-open: `to` is the first day not included. Presets count from the end
// of the complete data, not from today: a month that is not over would look like a fall.

export interface Period {
  from: string;
  to: string;
}

export const PRESETS = [
  ['last1', 'Last month'],
  ['last3', 'Last 3 months'],
  ['last6', 'Last 6 months'],
  ['last12', 'Last 12 months'],
  ['last24', 'Last 24 months'],
  ['this_year', 'This year'],
  ['last_year', 'Last year'],
  ['all', 'All data'],
] as const;

export const DEFAULT_PERIOD = 'last12';

const RANGE = /^(\d{4}-(?:0[1-9]|1[0-2]))\.\.(\d{4}-(?:0[1-9]|1[0-2]))$/;

/** Whether a text of the address is a period: a preset or 2026-01..2026-06 (both included). */
export function isPeriod(text: string): boolean {
  const range = RANGE.exec(text);
  return PRESETS.some(([id]) => id === text) || (range !== null && (range[1] ?? '') <= (range[2] ?? ''));
}

/** Adds months to the month of a day: addMonths("2026-01-31", 1) is "2026-02-01". */
export function addMonths(day: string, n: number): string {
  const months = Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1 + n;
  const year = Math.floor(months / 12);
  return `${String(year).padStart(4, '0')}-${String(months - year * 12 + 1).padStart(2, '0')}-01`;
}

export function monthsIn(p: Period): number {
  const count = (d: string) => Number(d.slice(0, 4)) * 12 + Number(d.slice(5, 7));
  return count(p.to) - count(p.from);
}

/** The days of a preset or range; undefined before there is data. */
export function resolve(text: string, complete: Period | undefined): Period | undefined {
  const range = RANGE.exec(text);
  if (range) return { from: `${range[1]}-01`, to: addMonths(`${range[2]}-01`, 1) };
  if (!complete?.to) return undefined;
  const end = complete.to;
  const last = /^last(\d+)$/.exec(text);
  if (last) return { from: addMonths(end, -Number(last[1])), to: end };
  const year = addMonths(end, -1).slice(0, 4);
  switch (text) {
    case 'this_year':
      return { from: `${year}-01-01`, to: end };
    case 'last_year':
      return { from: `${Number(year) - 1}-01-01`, to: `${year}-01-01` };
    case 'all':
      return { from: complete.from, to: end };
  }
  return resolve(DEFAULT_PERIOD, complete);
}

/** Whether any of a period lies in the data. */
export function overlaps(p: Period, data: Period): boolean {
  return p.from < data.to && data.from < p.to;
}

/** The part of a period that a value of a time dimension stands for: "2026-03-01" as month. */
export function spanOf(dimension: string, value: string, within: Period | undefined): Period | undefined {
  const to = endOf(dimension, value);
  if (!to) return within;
  return { from: within && within.from > value ? within.from : value, to: within && within.to < to ? within.to : to };
}

function endOf(dimension: string, first: string): string | undefined {
  switch (dimension) {
    case 'day':
      return addDays(first, 1);
    case 'week':
      return addDays(first, 7);
    case 'month':
      return addMonths(first, 1);
    case 'quarter':
      return addMonths(first, 3);
    case 'year':
      return addMonths(first, 12);
  }
  return undefined;
}

export function addDays(day: string, n: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + n * 86_400_000).toISOString().slice(0, 10);
}

/** The same period a step earlier or later, as a range for the address. */
export function stepped(p: Period, direction: 1 | -1): string {
  const n = monthsIn(p) * direction;
  return rangeOf({ from: addMonths(p.from, n), to: addMonths(p.to, n) });
}

export function rangeOf(p: Period): string {
  return `${p.from.slice(0, 7)}..${addMonths(p.to, -1).slice(0, 7)}`;
}
