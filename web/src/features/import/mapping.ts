import type { Batch, BatchFile, BatchTable, Mapping } from '../../api/upload';

/** How one table is to be read. */
export interface Choice {
  mapping?: Mapping;
  replace?: string;
  skip?: boolean;
}

type Dry = Pick<Batch, 'request'>;

/** What was chosen for a table: of an archive for each, otherwise for the file. */
export function choiceOf(batch: Dry, table: Pick<BatchTable, 'upload' | 'name'>): Choice {
  const file = batch.request.files?.find((f) => f.upload === table.upload);
  return file?.tables?.[table.name] ?? pick(file);
}

function pick(file: BatchFile | undefined): Choice {
  return {
    ...(file?.mapping ? { mapping: file.mapping } : {}),
    ...(file?.replace ? { replace: file.replace } : {}),
    ...(file?.skip ? { skip: true } : {}),
  };
}

/** The files with another choice for one table; `many` says that its file holds several. */
export function chosen(batch: Dry, table: Pick<BatchTable, 'upload' | 'name'>, choice: Choice, many: boolean): BatchFile[] {
  return (batch.request.files ?? []).map((f) => {
    if (f.upload !== table.upload) return f;
    if (!many) return { upload: f.upload, ...choice };
    return { ...f, tables: { ...f.tables, [table.name]: choice } };
  });
}

/** The mapping that a table was or would be read with, for changing it. */
export function mappingOf(batch: Dry, table: BatchTable): Mapping {
  return choiceOf(batch, table).mapping ?? table.result?.applied ?? {};
}

/** A mapping with another on top: what the server does when a fix is applied. */
export function merged(m: Mapping, patch: Mapping): Mapping {
  return {
    ...m,
    ...patch,
    columns: { ...m.columns, ...patch.columns },
    constants: { ...m.constants, ...patch.constants },
    units: { ...m.units, ...patch.units },
    options: { ...m.options, ...patch.options },
    corrections: [...(m.corrections ?? []), ...(patch.corrections ?? [])],
  };
}

/** One thing that a mapping says, in words, and the mapping without it. */
export interface Said {
  id: string;
  text: string;
  without: Mapping;
}

const OPTIONS: Record<string, string> = {
  date_order: 'order of dates',
  decimal_mark: 'decimal mark',
  tax_basis: 'totals are',
  duplicates: 'repeated rows',
  overlap: 'rows that equal stored ones',
  rows: 'lines above and below the table',
  source_system: 'source',
  encoding: 'encoding',
  delimiter: 'delimiter',
  quote: 'quote',
  escape: 'escape',
  header_line: 'line of the header',
  header_rows: 'lines of header',
  sheet: 'sheet',
};

const VALUES: Record<string, string> = {
  dmy: 'day first',
  mdy: 'month first',
  ymd: 'year first',
  '\t': 'tab',
  drop: 'stored once',
  add: 'stored too',
  as_is: 'kept',
};

export function said(m: Mapping): Said[] {
  const out: Said[] = [];
  const without = <K extends 'columns' | 'constants' | 'units' | 'options'>(part: K, key: string): Mapping => {
    const rest = { ...(m[part] as Record<string, unknown>) };
    delete rest[key];
    return { ...m, [part]: rest };
  };
  if (m.dataset) out.push({ id: 'dataset', text: `table: ${m.dataset.replaceAll('_', ' ')}`, without: { ...m, dataset: '' } });
  for (const [source, field] of Object.entries(m.columns ?? {})) {
    out.push({
      id: `c-${source}`,
      text: field ? `${source} is ${field.replaceAll('_', ' ')}` : `${source} is left out`,
      without: without('columns', source),
    });
  }
  for (const [field, value] of Object.entries(m.constants ?? {})) {
    out.push({ id: `k-${field}`, text: `${field.replaceAll('_', ' ')} is ${value} in all rows`, without: without('constants', field) });
  }
  for (const [source, unit] of Object.entries(m.units ?? {}))
    out.push({ id: `u-${source}`, text: `${source} is in ${unit}`, without: without('units', source) });
  for (const [name, value] of Object.entries(m.options ?? {})) {
    if (value === '' || value === 0 || value === undefined || (name === 'source_system' && value === 'csv')) continue;
    out.push({ id: `o-${name}`, text: `${OPTIONS[name] ?? name}: ${VALUES[String(value)] ?? value}`, without: without('options', name) });
  }
  (m.corrections ?? []).forEach((c, i) => {
    const where = c.record ? `row ${c.record}` : c.is === '' ? `blank ${c.column}` : `${c.column} “${c.is ?? ''}”`;
    const what = c.skip ? 'is left out' : c.set === '' ? 'is read as blank' : `is read as “${c.set ?? ''}”`;
    out.push({
      id: `x-${i}`,
      text: `${where} ${what}${c.rule ? ', in the next files too' : ''}`,
      without: { ...m, corrections: (m.corrections ?? []).filter((_, n) => n !== i) },
    });
  });
  return out;
}
