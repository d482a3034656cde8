import type { Driver } from '../api/queries';
import { read } from '../lib/filters';
import { change, dimensionValue, month, sentence, type Unit, words } from '../lib/format';
import { t } from '../lib/i18n';
import { monthsIn, type Period, rangeOf } from '../lib/period';

/** A driver or input for people: labor_cost is "labor cost". */
export function spoken(name: string): string {
  return words(name).replace(/^(sla|mrr|dso|csat)\b/, (x) => x.toUpperCase());
}

export function titled(name: string): string {
  return sentence(spoken(name));
}

/** The least contribution that is more than rounding when it is shown. */
export function least(unit: Unit): number {
  return unit === 'ratio' ? 0.0005 : 0.005;
}

/** The drivers that moved, the largest first. */
export function moved(drivers: Driver[], unit: Unit): Driver[] {
  return drivers
    .filter((d) => Math.abs(Number(d.contribution)) >= least(unit))
    .sort((a, b) => Math.abs(Number(b.contribution)) - Math.abs(Number(a.contribution)));
}

/** "labor cost −4.1 pp, revenue +1.2 pp" */
export function driversInWords(drivers: Driver[], unit: Unit, most = 4): string {
  const all = moved(drivers, unit);
  const text = all.slice(0, most).map((d) => `${spoken(d.name)} ${unbroken(change(d.contribution, unit))}`);
  if (all.length > most) text.push(`${all.length - most} more`);
  return text.join(', ');
}

/** A sign never stands at the end of a line without its number. */
function unbroken(text: string): string {
  return text.replace(/^[+\u2212]/, '$&\u2060').replaceAll(' ', '\u00a0');
}

/** "Jul 2025 to Jun 2026" of half-open days. */
export function periodText(p: { from?: unknown; to?: unknown } | undefined): string {
  if (!p?.from || !p.to) return '';
  const days = { from: String(p.from), to: String(p.to) };
  if (!days.from.endsWith('-01') || !days.to.endsWith('-01')) return t('{{from}} until {{to}}', days);
  const [first = '', last = ''] = rangeOf(days).split('..');
  return monthsIn(days) === 1 ? month(first) : t('{{first}} to {{last}}', { first: month(first), last: month(last) });
}

/** Half-open days as the API gives them; undefined when an end is missing. */
export function daysOf(p: { from?: unknown; to?: unknown }): Period | undefined {
  return p.from && p.to ? { from: String(p.from), to: String(p.to) } : undefined;
}

/** A condition for people: `client = "X"` is "Client: X". */
export function conditionText(where: string, label: (dimension: string) => string): string {
  const conditions = read(where);
  if (conditions === undefined) return where;
  return conditions
    .map((c) => `${label(c.dimension)}${c.is ? ':' : t(' is not')} ${c.values.map((v) => dimensionValue(c.dimension, v)).join(', ')}`)
    .join(' · ');
}
