import type { BatchTable } from '../../api/upload';
import { sentence, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { DataTable } from '../../ui/DataTable';

/** The first rows as they would be stored; of a table that cannot be read, as they stand. */
export function Preview({ table }: { table: BatchTable }) {
  const p = table.result?.preview;
  const heads = p ? (p.fields ?? []) : (table.header ?? []);
  const rows = (p ? (p.rows ?? []) : (table.sample ?? [])).map((cells, i) => ({ id: p?.records?.[i] ?? i + 1, cells: cells ?? [] }));
  if (rows.length === 0) return null;
  return (
    <DataTable
      caption={
        p
          ? t('The first rows of {{name}} as they would be stored', { name: table.name })
          : t('The first rows of {{name}} as they stand', { name: table.name })
      }
      rows={rows}
      rowKey={(r) => String(r.id)}
      columns={[
        { id: 'record', head: t('Row'), right: true, cell: (r: (typeof rows)[number]) => <span className="muted">{r.id}</span> },
        ...heads.map((h, i) => ({
          id: `${i}-${h}`,
          head: p ? sentence(words(h)) : h,
          cell: (r: (typeof rows)[number]) => r.cells[i] ?? <span className="muted">—</span>,
        })),
      ]}
    />
  );
}
