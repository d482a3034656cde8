import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type Cell, catalog, currencyAt, restated, snapshots, type Table } from '../api/queries';
import { format, inCurrency, instant, month } from '../lib/format';
import { t } from '../lib/i18n';
import { DataTable } from '../ui/DataTable';
import { Select } from '../ui/Field';
import { Loaded } from '../ui/States';
import { Delta } from './Delta';

const OFFERED = 30;

/** The number as it was in an earlier snapshot: what imports since then have changed. */
export function History({ cell }: { cell: Cell }) {
  const names = useQuery(catalog()).data;
  const list = useQuery(snapshots());
  const earlier = (list.data ?? []).slice(1, OFFERED + 1);
  const [chosen, setChosen] = useState('');
  const before = earlier.find((s) => String(s.id) === chosen) ?? earlier[0];
  const m = names?.measure.get(cell.measure);
  const byMonth = m?.dimensions?.includes('month') ?? false;
  const total = useQuery({ ...restated(cell, [], before?.id ?? 0), enabled: before !== undefined });
  const months = useQuery({ ...restated(cell, ['month'], before?.id ?? 0), enabled: before !== undefined && byMonth });
  if (list.data && earlier.length === 0) return <p className="muted">{t('There is no earlier snapshot to compare with yet.')}</p>;
  const unit = m?.unit ?? 'number';
  const unitIn = (data: Table, row: number) => inCurrency(unit, currencyAt(data, row, 0));
  return (
    <div className="stack">
      <Select
        label={t('Compare with snapshot')}
        value={String(before?.id ?? '')}
        onChange={setChosen}
        options={earlier.map((s) => [String(s.id), `${s.id} · ${instant(s.at)} · ${s.message}`] as const)}
      />
      <Loaded query={total} height={60}>
        {(data) => {
          const [now, then, change] = data.rows[0] ?? [];
          return (
            <p>
              {t('Then {{before}}, now {{now}}:', { before: format(then, unitIn(data, 0)), now: format(now, unitIn(data, 0)) })}{' '}
              <Delta change={change} unit={unitIn(data, 0)} direction={m?.direction ?? 'two_sided'} />
              {(then === null || now === null) && data.reasons[0] ? (
                <span className="muted small"> {Object.values(data.reasons[0]).join('; ')}</span>
              ) : null}
            </p>
          );
        }}
      </Loaded>
      {byMonth ? (
        <Loaded query={months} height={120}>
          {(data) => {
            const moved = data.rows.filter((r) => r[1] !== r[2]);
            if (moved.length === 0) return <p className="muted">{t('No month of this period was restated since.')}</p>;
            return (
              <DataTable
                caption={t('Restated months')}
                rows={moved}
                rowKey={(r) => r[0] ?? ''}
                columns={[
                  { id: 'month', head: t('Month'), sort: (r) => r[0] ?? '', cell: (r) => month(r[0] ?? '') },
                  { id: 'then', head: t('Then'), right: true, cell: (r) => format(r[2], unit, { bare: true }) },
                  { id: 'now', head: t('Now'), right: true, cell: (r) => format(r[1], unit, { bare: true }) },
                  {
                    id: 'change',
                    head: t('Change'),
                    right: true,
                    cell: (r) => <Delta change={r[3]} unit={unit} direction={m?.direction ?? 'two_sided'} />,
                  },
                ]}
              />
            );
          }}
        </Loaded>
      ) : null}
    </div>
  );
}
