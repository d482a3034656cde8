import { useQuery } from '@tanstack/react-query';
import { type ColumnUse, type FieldOf, fields } from '../../api/queries';
import type { BatchTable, Mapping } from '../../api/upload';
import { percent, sentence, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Badge } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Select } from '../../ui/Field';

/** What each column of a file is taken for, how sure that is and why; changed by choosing. */
export function Columns({ table, mapping, onMapping }: { table: BatchTable; mapping: Mapping; onMapping: (m: Mapping) => void }) {
  const known = useQuery({ ...fields(table.dataset), enabled: table.dataset !== '' }).data ?? [];
  const uses = table.columns ?? table.result?.columns ?? [];
  return (
    <DataTable
      caption={t('Columns of {{name}}', { name: table.name })}
      rows={uses.map((use, at) => ({ use, at }))}
      rowKey={(x) => `${x.at}-${x.use.source}`}
      columns={[
        {
          id: 'source',
          head: t('In the file'),
          cell: ({ use }) => (
            <span style={{ whiteSpace: 'normal' }}>
              <strong>{use.source || t('(no name)')}</strong>
              <br />
              <span className="muted small">{(use.samples ?? []).join(' · ')}</span>
            </span>
          ),
        },
        {
          id: 'field',
          head: t('Taken for'),
          cell: ({ use }) => (
            <Select
              hideLabel
              label={t('What {{column}} is', { column: use.source })}
              value={use.source in (mapping.columns ?? {}) ? (mapping.columns?.[use.source] ?? '') : (use.field ?? 'attribute')}
              onChange={(field) => onMapping(taken(mapping, uses, use.source, field))}
              options={options(use, known)}
            />
          ),
        },
        {
          id: 'sure',
          head: t('How sure'),
          cell: ({ use }) => (
            <span style={{ whiteSpace: 'normal' }}>
              {use.field ? <Badge {...(use.confidence < 0.9 ? { tone: 'warn' as const } : {})}>{percent(use.confidence)}</Badge> : null}{' '}
              <span className="muted small">{(use.evidence ?? []).join('; ')}</span>
            </span>
          ),
        },
      ]}
    />
  );
}

/** The mapping in which a column is a field; another column that was it is not any more. */
export function taken(mapping: Mapping, uses: ColumnUse[], source: string, field: string): Mapping {
  const columns = { ...mapping.columns };
  if (field === 'attribute') delete columns[source];
  else columns[source] = field;
  for (const other of uses) {
    if (other.source === source || !field) continue;
    if (columns[other.source] === field || (other.field === field && !(other.source in columns))) columns[other.source] = '';
  }
  const constants = { ...mapping.constants };
  delete constants[field];
  return { ...mapping, columns, constants };
}

function options(use: ColumnUse, known: FieldOf[]): { group: string; options: (readonly [string, string])[] }[] {
  const likely = (use.alternatives ?? []).map(
    (a) => [a.field, t('{{field}} ({{sure}})', { field: sentence(words(a.field)), sure: percent(a.confidence) })] as const,
  );
  const named = new Set(likely.map(([name]) => name));
  return [
    {
      group: t('Without a meaning'),
      options: [
        ['attribute', t('Keep as an attribute')],
        ['', t('Leave out')],
      ] as const,
    },
    ...(likely.length ? [{ group: t('Likely'), options: likely }] : []),
    {
      group: t('Needed'),
      options: known.filter((f) => f.required && !named.has(f.name)).map((f) => [f.name, sentence(words(f.name))] as const),
    },
    {
      group: t('Others'),
      options: known.filter((f) => !f.required && !named.has(f.name)).map((f) => [f.name, sentence(words(f.name))] as const),
    },
  ].filter((g) => g.options.length > 0) as { group: string; options: (readonly [string, string])[] }[];
}
