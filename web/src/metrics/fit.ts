import { useQuery } from '@tanstack/react-query';
import { type Ask, catalog, type Finding, findings } from '../api/queries';
import { type Condition, read, write } from '../lib/filters';
import { sentence } from '../lib/format';
import { t } from '../lib/i18n';
import { overlaps, type Period } from '../lib/period';
import { useView } from '../lib/state';
import { periodText } from './words';

// One filter holds for all pages, but not every figure has every dimension: utilization has
// no client. Such a figure leaves the condition out and says so.

export interface Fit {
  where: string;
  /** What the figure does without, in words; "" when the whole filter holds. */
  note: string;
  /** Whether it is known what the figure can take, and whoever looks may see it. */
  ready: boolean;
  /** Those of the measures that whoever looks may see; a figure without any is left out. */
  measures: string[];
  unseen: boolean;
}

/** The part of a filter that all the measures can take, and the measures that may be seen. */
export function useFit(asked: string[], where: string | undefined, by: string[] = []): Fit {
  const names = useQuery(catalog()).data;
  const conditions = where ? read(where) : [];
  const measures = asked.filter((m) => !names?.measure.get(m)?.unseen);
  const unseen = (asked.length > 0 && measures.length === 0) || by.some((d) => names?.dimension.get(d)?.unseen);
  const sight = { measures, unseen, ready: names !== undefined && !unseen };
  if (!names || conditions === undefined) return { where: where ?? '', note: '', ...sight };
  const takes = (c: Condition) => measures.every((m) => names.measure.get(m)?.dimensions?.includes(c.dimension) ?? true);
  const left = conditions.filter((c) => !takes(c)).map((c) => names.dimension.get(c.dimension)?.label ?? c.dimension);
  return { where: left.length > 0 ? write(conditions.filter(takes)) : (where ?? ''), note: notFiltered(left), ...sight };
}

/** A question without what whoever asks may not see, with the part of its filter that fits. */
export function seenOf(asked: Ask, fit: Fit): Ask {
  const left = asked.measures.length > fit.measures.length;
  const there = (column: string) => fit.measures.includes(column) || (asked.by ?? []).includes(column);
  return {
    ...asked,
    where: fit.where,
    measures: fit.measures,
    ...(left && asked.order ? { order: asked.order.filter((o) => there(o.replace(/^-/, ''))) } : {}),
  };
}

/** The findings of a period that are about what the filter leaves. */
export function useFindings(days: Period | undefined, where: string) {
  const names = useQuery(catalog()).data;
  const conditions = read(where);
  const judged = (conditions ?? []).filter((c) => SUBJECTS.has(c.dimension));
  const left = (conditions ?? [])
    .filter((c) => !SUBJECTS.has(c.dimension))
    .map((c) => names?.dimension.get(c.dimension)?.label ?? c.dimension);
  const { complete } = useView();
  const outside = days !== undefined && complete !== undefined && !overlaps(days, complete);
  const ask = findings(days);
  const query = useQuery({
    ...ask,
    ...(outside ? { queryFn: () => [] } : {}), // there is nothing to analyze
    enabled: days !== undefined && complete !== undefined,
    select: (all: Finding[]) => all.filter((f) => judged.every((c) => about(f, c))),
  });
  if (outside) return { query, note: t('There is no data in these months: it reaches over {{period}}.', { period: periodText(complete) }) };
  if (conditions === undefined) return { query, note: t('The findings are about everything: this filter does not apply to them.') };
  return { query, note: notFiltered(left) };
}

/** What a filter leaves of a sheet whose rows name values of some dimensions. */
export function useKept(where: string, dimensions: string[]) {
  const names = useQuery(catalog()).data;
  const conditions = read(where);
  if (conditions === undefined) return { keep: () => true, note: t('The sheet is about everything: this filter does not apply to it.') };
  const left = conditions
    .filter((c) => !dimensions.includes(c.dimension))
    .map((c) => names?.dimension.get(c.dimension)?.label ?? c.dimension);
  const judged = conditions.filter((c) => dimensions.includes(c.dimension));
  return {
    keep: (row: Record<string, string>) => judged.every((c) => c.values.includes(row[c.dimension] ?? '') === c.is),
    note: notFiltered(left),
  };
}

/** Dimensions of which a finding says what it is about. */
const SUBJECTS = new Set(['client', 'agreement', 'staff', 'vendor', 'product']);

function about(f: Finding, c: Condition): boolean {
  const own =
    [f.subject, f.subject.within].find((s) => s?.dimension === c.dimension)?.value ??
    (c.dimension === 'client' ? f.facts.client : undefined);
  return own === undefined ? !c.is : c.values.includes(own) === c.is;
}

function notFiltered(left: string[]): string {
  return left.length > 0
    ? sentence(t('not filtered by {{dimensions}}, which this does not have.', { dimensions: [...new Set(left)].join(', ').toLowerCase() }))
    : '';
}
