import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type Cell, catalog, currencyAt, rows as rowsOf, table } from '../api/queries';
import { format, inCurrency, integer, words } from '../lib/format';
import { t } from '../lib/i18n';
import { Button } from '../ui/Button';
import { type Column, DataTable } from '../ui/DataTable';
import { Select } from '../ui/Field';
import { Loaded } from '../ui/States';
import { titled } from './words';

const PAGE = 100;

/** The stored rows behind a number, largest first, each with the import that it came from. */
export function Records({ cell, base, onBase }: { cell: Cell; base?: string | undefined; onBase: (next: string) => void }) {
  const names = useQuery(catalog()).data;
  const measures = names?.measure.get(cell.measure)?.base ?? [];
  const chosen = base && measures.includes(base) ? base : (measures[0] ?? '');
  const [at, setAt] = useState(0);
  const page = useQuery({ ...rowsOf({ ...cell, measure: chosen }, at, PAGE), enabled: chosen !== '' });
  const unit = names?.measure.get(chosen)?.unit ?? 'number';
  const sum = useQuery({
    ...table({ measures: [chosen], where: cell.where ?? '', period: cell.period }),
    enabled: chosen !== '',
  });
  if (!names || measures.length === 0) return null;
  return (
    <div className="stack">
      {measures.length > 1 ? (
        <Select
          label={t('Rows of')}
          value={chosen}
          onChange={(next) => {
            setAt(0);
            onBase(next);
          }}
          options={measures.map((m) => [m, names.measure.get(m)?.label ?? m] as const)}
        />
      ) : null}
      <Loaded query={page} height={240}>
        {(data) => {
          const columns = data.columns ?? [];
          const list = (data.rows ?? []).map((r) => r as (string | number | null)[]);
          const shown = columns
            .map((name, i) => ({ name, i }))
            .filter(
              ({ name, i }) => !['table', 'row_id', 'import_id', 'record'].includes(name) && list.some((r) => r[i] !== null && r[i] !== ''),
            );
          const amount = columns.length - 1;
          // What all rows share is in the panel's head already; the amount stands by the date.
          const told = shown.filter(
            ({ name, i }) => i === amount || name === 'date' || list.length < 2 || new Set(list.map((r) => r[i])).size > 1,
          );
          const order = [...told.filter(({ name }) => name === 'date'), ...told.filter(({ i }) => i === amount)];
          const cols: Column<(string | number | null)[]>[] = [...order, ...told.filter((c) => !order.includes(c))].map(({ name, i }) => ({
            id: name,
            head: titled(name),
            right: i === amount,
            sort: (r) => (i === amount ? (r[i] === null ? null : Number(r[i])) : (r[i] ?? null)),
            cell: (r) => (i === amount ? format(r[i], unit, { bare: true }) : name === 'number' ? r[i] : words(String(r[i] ?? ''))),
          }));
          cols.push({
            id: 'source',
            head: t('From'),
            cell: (r) => (
              <Link to="/import/$id" params={{ id: String(r[2]) }}>
                {t('import {{id}}, record {{record}}', { id: String(r[2]), record: integer(Number(r[3])) })}
              </Link>
            ),
          });
          if (list.length === 0)
            return <p className="muted">{t('No stored row has an amount here: the value is zero, or computed from assumptions.')}</p>;
          return (
            <>
              <DataTable
                caption={t('Rows of {{table}}', { table: words(data.table) })}
                columns={cols}
                rows={list}
                rowKey={(r) => `${r[0]}-${r[1]}`}
                maxHeight={480}
              />
              <div className="spread">
                <p className="muted small">
                  {t('Rows {{from}} to {{to}}, the largest amounts first. Snapshot {{snapshot}}.', {
                    from: at + 1,
                    to: at + list.length,
                    snapshot: data.snapshot,
                  })}{' '}
                  {sum.data ? (
                    <strong data-sum>
                      {t('All rows together: {{sum}}.', {
                        sum: format(sum.data.rows[0]?.[0], inCurrency(unit, currencyAt(sum.data, 0, 0))),
                      })}
                    </strong>
                  ) : null}
                </p>
                <div className="row">
                  {at > 0 ? <Button onPress={() => setAt(Math.max(0, at - PAGE))}>{t('Previous')}</Button> : null}
                  {data.next ? <Button onPress={() => setAt(data.next ?? 0)}>{t('Next')}</Button> : null}
                </div>
              </div>
            </>
          );
        }}
      </Loaded>
    </div>
  );
}
