// Conditions of the global filter. The address holds the API's own language; conditions
// that the filter bar can show as chips are read back, others are kept as one chip.

export interface Condition {
  dimension: string;
  /** false: all values but these. */
  is: boolean;
  values: string[];
}

const quote = (value: string) => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/** The condition in the API's language. */
export function write(conditions: Condition[]): string {
  return conditions
    .filter((c) => c.values.length > 0)
    .map(({ dimension, is, values }) =>
      values.length === 1
        ? `${dimension} ${is ? '=' : '!='} ${quote(values[0] ?? '')}`
        : `${dimension} ${is ? 'in' : 'not in'} [${values.map(quote).join(', ')}]`,
    )
    .join(' and ');
}

/** The conditions of a text that write made; undefined for any other text. */
export function read(text: string): Condition[] | undefined {
  const out: Condition[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const head = /^([a-z_]+) (=|!=|in|not in) /.exec(rest);
    if (!head) return undefined;
    const [all, dimension = '', operator = ''] = head;
    rest = rest.slice(all.length);
    const values: string[] = [];
    const list = operator.endsWith('in');
    if (list) {
      if (!rest.startsWith('[')) return undefined;
      rest = rest.slice(1);
    }
    for (;;) {
      const value = /^"((?:[^"\\]|\\.)*)"/.exec(rest);
      if (!value) return undefined;
      values.push((value[1] ?? '').replace(/\\(.)/g, '$1'));
      rest = rest.slice(value[0].length);
      if (!list) break;
      if (rest.startsWith(', ')) rest = rest.slice(2);
      else if (rest.startsWith(']')) {
        rest = rest.slice(1);
        break;
      } else return undefined;
    }
    out.push({ dimension, is: operator === '=' || operator === 'in', values });
    if (rest === '') break;
    if (!rest.startsWith(' and ')) return undefined;
    rest = rest.slice(5);
  }
  return out;
}

/** Adds a value to a dimension's condition, or makes one. */
export function include(conditions: Condition[], dimension: string, value: string, is = true): Condition[] {
  const found = conditions.find((c) => c.dimension === dimension && c.is === is);
  if (!found) return [...conditions.filter((c) => c.dimension !== dimension), { dimension, is, values: [value] }];
  if (found.values.includes(value)) return conditions;
  return conditions.map((c) => (c === found ? { ...c, values: [...c.values, value] } : c));
}

/** One condition as the API reads it. */
export function only(dimension: string, value: string): string {
  return write([{ dimension, is: true, values: [value] }]);
}

/** Joins conditions with and; empty ones are left out. */
export function both(...parts: (string | undefined)[]): string {
  const all = parts.filter((p): p is string => Boolean(p?.trim()));
  return all.length < 2 ? (all[0] ?? '') : all.map((p) => (/ or /i.test(p) ? `(${p})` : p)).join(' and ');
}
