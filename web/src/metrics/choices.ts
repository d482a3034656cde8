import type { Dimension, Measure } from '../api/queries';

/** Names of the catalog, as the query gives them. */
export interface Names {
  measures: Measure[];
  dimensions: Dimension[];
  measure: Map<string, Measure>;
  dimension: Map<string, Dimension>;
}

/** The measures that can be cut by all of these dimensions, by topic, as a select shows them. */
export function choices(names: Names, ...by: string[]): { group: string; options: (readonly [string, string])[] }[] {
  const groups = new Map<string, (readonly [string, string])[]>();
  for (const m of names.measures) {
    if (!by.every((d) => (m.dimensions ?? []).includes(d))) continue;
    groups.set(m.topic, [...(groups.get(m.topic) ?? []), [m.name, m.label] as const]);
  }
  return [...groups].map(([group, options]) => ({ group, options }));
}

/** Dimensions with members that have series of their own. */
export const SPLITS = ['client', 'vendor', 'staff', 'team', 'product', 'industry', 'agreement'] as const;
