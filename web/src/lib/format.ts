// The one door for numbers: nothing else on a page formats one.

/** A unit as the API names it, an amount's perhaps with its currency: "ratio", "money EUR". */
export type Unit = string;

/** The unit of amounts that are in a currency; "" leaves it to the workspace. */
export function inCurrency(unit: Unit, code: string | undefined): Unit {
  return code && unit.startsWith('money') ? `${unit} ${code}` : unit;
}

function parsed(unit: Unit): { base: string; currency: string } {
  const [base = '', currency] = unit.split(' ');
  return { base, currency: base.startsWith('money') ? (currency ?? conventions.currency) : '' };
}

/** How amounts and dates are written; set once from the workspace's settings. */
export interface Conventions {
  locale: string;
  /** ISO 4217 code of amounts that name none of their own; "" writes plain numbers. */
  currency: string;
}

let conventions: Conventions = { locale: 'en-US', currency: '' };

export function setConventions(next: Conventions): void {
  conventions = next;
}

const MINUS = '\u2212';
const NBSP = '\u00a0';

type Decimal = string | number | null | undefined;

const formatters = new Map<string, Intl.NumberFormat>();

function formatter(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = conventions.locale + JSON.stringify(options);
  let f = formatters.get(key);
  if (!f) {
    f = new Intl.NumberFormat(conventions.locale, { roundingMode: 'halfEven', ...options } as Intl.NumberFormatOptions);
    formatters.set(key, f);
  }
  return f;
}

/** Decimal strings are formatted as they are, without passing through a float. */
function write(value: string | number, options: Intl.NumberFormatOptions): string {
  return formatter(options)
    .format(value as number)
    .replace('-', MINUS);
}

function money(value: string | number, digits: number, currency: string): string {
  const shared = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return currency ? write(value, { style: 'currency', currency, currencyDisplay: 'narrowSymbol', ...shared }) : write(value, shared);
}

export interface FormatOptions {
  /** In a dense table the unit stands in the header, not in the cells. */
  bare?: boolean;
  /** A sign in front of positive values too. */
  signed?: boolean;
}

/** An unknown value. Say the reason beside it or in a tooltip. */
export const UNKNOWN = '—';

/** The value as a person reads it in a sentence or table. */
export function format(value: Decimal, unit: Unit, opt: FormatOptions = {}): string {
  if (value === null || value === undefined || value === '') return UNKNOWN;
  const sign = opt.signed && Number(value) > 0 ? '+' : '';
  return sign + plain(value, unit, opt);
}

function plain(value: string | number, unit: Unit, opt: FormatOptions): string {
  const { base, currency: code } = parsed(unit);
  const currency = opt.bare ? '' : code;
  const unit_ = (text: string) => (opt.bare ? '' : NBSP + text);
  switch (base) {
    case 'money':
      return money(value, 2, currency);
    case 'money_per_hour':
      return money(value, 2, currency) + unit_('/ h');
    case 'money_per_month':
      return money(value, 2, currency) + unit_('/ month');
    case 'ratio':
      return `${write(hundredfold(value), { minimumFractionDigits: 1, maximumFractionDigits: 1 })}%`;
    case 'hours':
      return write(value, { minimumFractionDigits: 1, maximumFractionDigits: 1 }) + unit_('h');
    case 'days':
      return write(value, { minimumFractionDigits: 1, maximumFractionDigits: 1 }) + unit_('days');
    case 'count':
      return write(value, { maximumFractionDigits: 0 });
    default:
      if (base.startsWith('money_per_')) return money(value, 2, currency) + unit_(each(base));
      return write(value, { maximumFractionDigits: 2 });
  }
}

/** What stands behind an amount for each of something: "each", "/ day". */
function each(base: string): string {
  const of = base.slice('money_per_'.length);
  return of === 'count' ? 'each' : `/ ${of.replaceAll('_', ' ')}`;
}

/** Moves the point two places to the right in the text itself. */
function hundredfold(value: string | number): string {
  const text = typeof value === 'number' ? value.toFixed(12) : value;
  if (/e/i.test(text)) return String(Number(text) * 100);
  const sign = text.startsWith('-') ? '-' : '';
  const [whole = '0', frac = ''] = text.replace(/^-/, '').split('.');
  const padded = frac.padEnd(2, '0');
  return `${sign}${whole}${padded.slice(0, 2)}.${padded.slice(2) || '0'}`;
}

const STEPS: [number, string][] = [
  [1e9, 'bn'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** The value short enough for a tile: four significant digits, our own k, M and bn. */
export function tile(value: Decimal, unit: Unit, opt: FormatOptions = {}): string {
  if (value === null || value === undefined || value === '') return UNKNOWN;
  const n = Number(value);
  const size = Math.abs(n);
  if (unit === 'ratio' || size < 10_000) {
    const sign = opt.signed && n > 0 ? '+' : '';
    if (unit.startsWith('money')) return sign + money(value, size >= 1000 ? 0 : 2, parsed(unit).currency) + (opt.bare ? '' : tail(unit));
    return opt.bare ? sign + plain(value, unit, opt) : format(value, unit, opt);
  }
  for (const [step, suffix] of STEPS) {
    if (size < step) continue;
    const scaled = n / step;
    const digits = Math.max(0, 3 - Math.floor(Math.log10(Math.abs(scaled))));
    const sign = opt.signed && n > 0 ? '+' : '';
    const { currency } = parsed(unit);
    const number = currency
      ? write(scaled, {
          style: 'currency',
          currency,
          currencyDisplay: 'narrowSymbol',
          minimumFractionDigits: 0,
          maximumFractionDigits: digits,
        })
      : write(scaled, { maximumFractionDigits: digits });
    return sign + number + suffix + (opt.bare ? '' : tail(unit));
  }
  return format(value, unit, opt);
}

/** What stands behind a number of a unit. */
export function tail(unit: Unit): string {
  switch (parsed(unit).base) {
    case 'hours':
      return `${NBSP}h`;
    case 'days':
      return `${NBSP}days`;
    case 'money_per_hour':
      return `${NBSP}/ h`;
    case 'money_per_month':
      return `${NBSP}/ month`;
    default: {
      const { base } = parsed(unit);
      return base.startsWith('money_per_') ? NBSP + each(base) : '';
    }
  }
}

/** A difference: signed; of ratios in percentage points. */
export function change(value: Decimal, unit: Unit, opt: FormatOptions = {}): string {
  if (value === null || value === undefined || value === '') return UNKNOWN;
  if (unit === 'ratio') {
    const text = write(hundredfold(value), { minimumFractionDigits: 1, maximumFractionDigits: 1 });
    return `${Number(value) > 0 ? '+' : ''}${text}${NBSP}pp`;
  }
  return format(value, unit, { ...opt, signed: true });
}

/** A difference for a tile. */
export function tileChange(value: Decimal, unit: Unit, opt: FormatOptions = {}): string {
  return unit === 'ratio' ? change(value, unit, opt) : tile(value, unit, { ...opt, signed: true, bare: true });
}

/** The unit for a column header: "USD", "h", "%"; "" for none. */
export function unitLabel(unit: Unit): string {
  const { base, currency: code } = parsed(unit);
  switch (base) {
    case 'money':
      return code;
    case 'money_per_hour':
      return `${code} / h`.trim();
    case 'money_per_month':
      return `${code} / month`.trim();
    case 'hours':
      return 'h';
    case 'days':
      return 'days';
    case 'per_endpoint':
      return 'per endpoint and month';
    default:
      return base.startsWith('money_per_') ? `${code} ${each(base)}`.trim() : '';
  }
}

/** An axis label: as short as a tile, without decimals that say nothing. */
export function axis(value: number, unit: Unit, digits = 0): string {
  if (unit === 'ratio') return `${write(value * 100, { maximumFractionDigits: digits })}%`;
  for (const [step, suffix] of STEPS) {
    if (Math.abs(value) >= step) return write(value / step, { maximumFractionDigits: 1 }) + suffix;
  }
  return write(value, { maximumFractionDigits: 1 });
}

/** A share or score from 0 to 1 in whole percent. */
export function percent(value: number): string {
  return `${write(value * 100, { maximumFractionDigits: 0 })}%`;
}

export function integer(value: number): string {
  return write(value, { maximumFractionDigits: 0 });
}

export function bytes(value: number): string {
  for (const [step, suffix] of [
    [1 << 30, 'GiB'],
    [1 << 20, 'MiB'],
    [1 << 10, 'KiB'],
  ] as const) {
    if (value >= step) return `${write(value / step, { maximumFractionDigits: 1 })}${NBSP}${suffix}`;
  }
  return `${integer(value)}${NBSP}B`;
}

const dateFormatters = new Map<string, Intl.DateTimeFormat>();

function dateFormat(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = conventions.locale + JSON.stringify(options);
  let f = dateFormatters.get(key);
  if (!f) {
    f = new Intl.DateTimeFormat(conventions.locale, options); // making one takes longer than using it a hundred times
    dateFormatters.set(key, f);
  }
  return f;
}

/** 2026-03-01 as "Mar 2026". */
export function month(day: string): string {
  const d = new Date(`${day.slice(0, 7)}-01T00:00:00Z`);
  return Number.isNaN(d.getTime()) ? day : dateFormat({ month: 'short', year: 'numeric', timeZone: 'UTC' }).format(d);
}

/** A calendar day in prose: "Jun 30, 2026". */
export function day(text: string): string {
  const d = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  return Number.isNaN(d.getTime()) ? text : dateFormat({ dateStyle: 'medium', timeZone: 'UTC' }).format(d);
}

/** An instant with the viewer's time zone named. */
export function instant(text: string): string {
  const d = new Date(text);
  return Number.isNaN(d.getTime())
    ? text
    : dateFormat({ year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', timeZoneName: 'short' }).format(d);
}

/** What the clock of a time zone shows at an instant, as 2026-11-28T09:05; undefined for no zone. */
export function clockIn(zone: string, at: Date): string | undefined {
  try {
    const parts = new Intl.DateTimeFormat('en-CA', {
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
      timeZone: zone,
    }).formatToParts(at);
    const of = (type: string) => parts.find((p) => p.type === type)?.value ?? '';
    return `${of('year')}-${of('month')}-${of('day')}T${of('hour')}:${of('minute')}`;
  } catch {
    return undefined;
  }
}

/** The time zones that the browser knows. */
export const zones = (): string[] => ['UTC', ...Intl.supportedValuesOf('timeZone').filter((z) => z !== 'UTC')];

/** A day with its weekday: "Tue, Dec 1, 2026". */
export function weekday(text: string): string {
  return dateFormat({ weekday: 'short', month: 'short', day: 'numeric', year: 'numeric', timeZone: 'UTC' }).format(
    new Date(`${text.slice(0, 10)}T00:00:00Z`),
  );
}

/** The value of a dimension of time by its grain; others as they are. */
export function dimensionValue(name: string, value: string): string {
  switch (name) {
    case 'month':
      return month(value);
    case 'quarter':
      return `Q${Math.floor((Number(value.slice(5, 7)) - 1) / 3) + 1} ${value.slice(0, 4)}`;
    case 'year':
      return value.slice(0, 4);
    default:
      return value === 'unassigned' ? 'Not assigned' : NAMES.has(name) ? value : words(value);
  }
}

/** Dimensions whose values people chose: they stay as they are written. */
const NAMES = new Set(['client', 'staff', 'agreement', 'product', 'vendor', 'account_manager', 'team']);

/** Codes of the data such as recurring_labor as words; names stay as they are. */
export function words(value: string): string {
  return /^[a-z0-9]+(_[a-z0-9]+)*$/.test(value) ? value.replaceAll('_', ' ') : value;
}

/** First letter in upper case. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
