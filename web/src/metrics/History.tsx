import { useQuery } from '@tanstack/react-query';
import { type Cell, catalog, currencyAt, explanation, restated, snapshots, type Table } from '../api/queries';
import { format, inCurrency, instant, month, sentence } from '../lib/format';
import { t } from '../lib/i18n';
import { DataTable } from '../ui/DataTable';
import { Select } from '../ui/Field';
import { Loaded } from '../ui/States';
import { Delta } from './Delta';
import { bridgeOf, DriverBridge } from './DriverBridge';
import { Words } from './Why';

const OFFERED = 30;

/** The number as it was in an earlier snapshot: what imports since then have changed. */
export function History({ cell, snapshot, onSnapshot }: { cell: Cell; snapshot: number | undefined; onSnapshot: (id: number) => void }) {
  const names = useQuery(catalog()).data;
  const list = useQuery(snapshots());
  const earlier = (list.data ?? []).slice(1, OFFERED + 1);
  const before = earlier.find((s) => s.id === snapshot) ?? earlier[0];
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
        onChange={(id) => onSnapshot(Number(id))}
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
      {before && differs(total.data) ? <Restatement key={before.id} cell={cell} before={before.id} /> : null}
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

/** Whether a number is known now and then, and is another one. */
function differs(data: Table | undefined): boolean {
  const [now, then] = data?.rows[0] ?? [];
  return typeof now === 'string' && typeof then === 'string' && now !== then;
}

/** Why a number differs from what it was in a snapshot: rows added, changed or removed, rates, names. */
function Restatement({ cell, before }: { cell: Cell; before: number }) {
  const why = useQuery(explanation({ ...cell, versus: 'snapshot', snapshot: before }));
  return (
    <section className="stack" aria-label={t('Why it differs')}>
      <h3>{t('Why does this differ from what I saw in snapshot {{id}}?', { id: String(before) })}</h3>
      <Loaded query={why} height={160}>
        {(e) => {
          const bridge = bridgeOf(e);
          return (
            <>
              <Words e={e} />
              {bridge ? (
                <DriverBridge
                  {...bridge}
                  fromLabel={sentence(e.from.label)}
                  toLabel={t('Now')}
                  unit={inCurrency(e.unit, e.currency)}
                  units={() => undefined}
                />
              ) : null}
              {e.note ? <p className="muted small">{sentence(e.note)}</p> : null}
            </>
          );
        }}
      </Loaded>
    </section>
  );
}
