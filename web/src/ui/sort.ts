export interface Sort {
  id: string;
  descending: boolean;
}

/** A sortable value; null sorts last in either direction. */
export type SortKey = string | number | null;

/** The places of the rows in order; the rows themselves stay where they are. */
export function sorted<R>(rows: readonly R[], key: (row: R) => SortKey, descending: boolean): number[] {
  const keys = rows.map(key);
  const order = rows.map((_, i) => i);
  const numeric = keys.every((k) => k === null || typeof k === 'number');
  const collator = new Intl.Collator(undefined, { numeric: true });
  const sign = descending ? -1 : 1;
  return order.sort((a, b) => {
    const x = keys[a] ?? null;
    const y = keys[b] ?? null;
    if (x === null || y === null) return x === y ? a - b : x === null ? 1 : -1;
    const d = numeric ? Number(x) - Number(y) : collator.compare(String(x), String(y));
    return d === 0 ? a - b : sign * d;
  });
}
