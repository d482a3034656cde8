// What reports are called and chosen by, for the pages that show, make and schedule them.
import type { Template } from '../api/reports';
import { sentence, words } from '../lib/format';
import { t } from '../lib/i18n';

const AUDIENCES: Record<string, string> = {
  owner: t('Owners and boards'),
  finance: t('Finance'),
  'service manager': t('Service managers'),
  operations: t('Operations'),
  auditor: t('Auditors'),
  client: t('Clients'),
};

/** For whom a template is. */
export const audienceOf = (x: Template): string => AUDIENCES[x.for] ?? (x.for ? sentence(x.for) : t('Everybody'));

/** The templates by whom they are for, in the order in which they come. */
export function byAudience(list: readonly Template[]): { audience: string; templates: Template[] }[] {
  const groups = new Map<string, Template[]>();
  for (const x of list) groups.set(audienceOf(x), [...(groups.get(audienceOf(x)) ?? []), x]);
  return [...groups].map(([audience, templates]) => ({ audience, templates }));
}

/** A title with words for what is filled in when a report is made. */
export const titleOf = (x: { title: string }): string =>
  x.title.replace(/\{\{\s*([a-z_]+)\s*\}\}/g, (_, name: string) =>
    name === 'client' ? t('a client') : t('the {{what}}', { what: words(name) }),
  );

const PERIODS: Record<string, string> = {
  last_12_months: t('the last 12 months'),
  last_6_months: t('the last 6 months'),
  last_quarter: t('the last quarter'),
  last_month: t('the last month'),
  year_to_date: t('the year to date'),
};

/** The period of a template when none is asked for. */
export const ownPeriod = (x: Template | undefined): string => PERIODS[x?.period || 'last_12_months'] ?? words(x?.period ?? '');

/** Pages and the templates that say the same on paper. */
const FITTING: readonly (readonly [string, string])[] = [
  ['/clients/', 'client-qbr'],
  ['/clients', 'client-profitability'],
  ['/agreements', 'agreement-repricing'],
  ['/licenses', 'license-optimization'],
  ['/team', 'team-utilization'],
  ['/service', 'service-desk'],
  ['/cash', 'cash-and-receivables'],
  ['/quality', 'data-quality'],
  ['/audit', 'audit'],
];

/** The template that fits a page, and the client that the page is about. */
export function fitting(path: string, list: readonly Template[]): { template: string; client: string | undefined } {
  const one = /^\/clients\/(.+)$/.exec(path)?.[1];
  const name =
    FITTING.find(([p]) => path === p || (p.endsWith('/') && path.startsWith(p)) || path.startsWith(`${p}/`))?.[1] ?? 'executive-summary';
  const found = list.some((x) => x.name === name) ? name : ((one ? list.find((x) => x.of_client) : undefined) ?? list[0])?.name;
  return { template: found ?? '', client: one ? decoded(one) : undefined };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Templates as a select shows them, those first that fit: of a client when there is one. */
export function templateOptions(
  list: readonly Template[],
  client: string | undefined,
): { group: string; options: (readonly [string, string])[] }[] {
  const option = (x: Template) => [x.name, x.built_in ? titleOf(x) : t('{{title}} (own)', { title: titleOf(x) })] as const;
  if (!client) return byAudience(list).map(({ audience, templates }) => ({ group: audience, options: templates.map(option) }));
  const about = list.filter((x) => x.of_client);
  const others = list.filter((x) => !x.of_client);
  return [
    { group: t('About one client'), options: about.map(option) },
    { group: t('About the whole firm'), options: others.map(option) },
  ].filter((g) => g.options.length > 0);
}

const KEY = 'moat.export';

/** The formats chosen last in this browser, of tables and of reports. */
export function lastFormats(): { table: string; report: string; part: string } {
  const plain = { table: 'xlsx', report: 'pdf', part: 'table' };
  try {
    return { ...plain, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as object) };
  } catch {
    return plain;
  }
}

export function rememberFormats(next: Partial<ReturnType<typeof lastFormats>>): void {
  localStorage.setItem(KEY, JSON.stringify({ ...lastFormats(), ...next }));
}
