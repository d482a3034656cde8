import { useQuery } from '@tanstack/react-query';
import { catalog, comparison } from '../../api/queries';
import { format, instant, integer, month, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Delta } from '../../metrics/Delta';
import { DataTable } from '../../ui/DataTable';
import { Drawer } from '../../ui/Dialog';
import { Empty, Loaded } from '../../ui/States';

/** What a snapshot changed: rows by table, and the months whose figures differ. */
export function Comparison({ id, onClose }: { id: number; onClose: () => void }) {
  const found = useQuery(comparison(id));
  const names = useQuery(catalog()).data;
  return (
    <Drawer
      open
      onClose={onClose}
      title={t('What did snapshot {{id}} change?', { id })}
      subtitle={found.data ? t('Against snapshot {{id}} of {{at}}', { id: found.data.from.id, at: instant(found.data.from.at) }) : ''}
    >
      <Loaded query={found} height={300}>
        {(c) => {
          const tables = (c.tables ?? []).filter((x) => x.change !== 0);
          const measures = (c.measures ?? []).filter((m) => (m.rows ?? []).length > 0);
          return (
            <div className="stack">
              <h3>{t('Rows')}</h3>
              {tables.length === 0 ? (
                <p className="muted">{t('No table has more or fewer rows; rows may have changed in place.')}</p>
              ) : (
                <DataTable
                  caption={t('Rows by table')}
                  rows={tables}
                  rowKey={(x) => x.name}
                  columns={[
                    { id: 'name', head: t('Table'), sort: (x) => x.name, cell: (x) => words(x.name) },
                    { id: 'before', head: t('Before'), right: true, sort: (x) => x.rows_before, cell: (x) => integer(x.rows_before) },
                    { id: 'after', head: t('After'), right: true, sort: (x) => x.rows_after, cell: (x) => integer(x.rows_after) },
                    {
                      id: 'change',
                      head: t('Change'),
                      right: true,
                      sort: (x) => x.change,
                      cell: (x) => <Delta change={String(x.change)} unit="count" direction="two_sided" />,
                    },
                  ]}
                />
              )}
              {measures.length === 0 ? (
                <Empty title={t('No figure changed')}>
                  {t('Revenue, labor cost, direct cost, gross profit and hours are the same in every month.')}
                </Empty>
              ) : null}
              {measures.map((m) => (
                <div key={m.measure} className="stack" style={{ gap: 4 }}>
                  <h3>{m.label}</h3>
                  <DataTable
                    caption={t('{{measure}} by month', { measure: m.label })}
                    rows={m.rows ?? []}
                    rowKey={(r) => String(r.month)}
                    columns={[
                      { id: 'month', head: t('Month'), sort: (r) => String(r.month), cell: (r) => month(String(r.month)) },
                      {
                        id: 'before',
                        head: t('Before'),
                        right: true,
                        cell: (r) => <span title={r.reason_before}>{format(r.before, m.unit, { bare: true })}</span>,
                      },
                      {
                        id: 'after',
                        head: t('After'),
                        right: true,
                        cell: (r) => <span title={r.reason_after}>{format(r.after, m.unit, { bare: true })}</span>,
                      },
                      {
                        id: 'change',
                        head: t('Change'),
                        right: true,
                        cell: (r) => (
                          <Delta change={r.change} unit={m.unit} direction={names?.measure.get(m.measure)?.direction ?? 'two_sided'} />
                        ),
                      },
                    ]}
                  />
                </div>
              ))}
            </div>
          );
        }}
      </Loaded>
    </Drawer>
  );
}
