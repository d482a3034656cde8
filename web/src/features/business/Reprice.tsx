import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { faultsOf } from '../../api/client';

import { type Reprice as Item, type RepriceSheet, reprices } from '../../api/queries';
import { negated, sum } from '../../lib/decimal';
import { change, day, format, inCurrency, sentence } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useView } from '../../lib/state';
import { useKept } from '../../metrics/fit';
import { periodText } from '../../metrics/words';
import { Badge, Card } from '../../ui/Card';
import { CellButton, type Column, DataTable } from '../../ui/DataTable';
import { Empty, Loaded } from '../../ui/States';
import own from './business.module.css';
import { RepriceDetails } from './RepriceDetails';
import { RepriceSettings } from './RepriceSettings';

const NONE = {};

/** What each running agreement should cost a month, by three methods, and from when. */
export function Reprice() {
  const { days, where, search, set } = useView();
  const wanted = search.reprice ?? NONE;
  const query = useQuery({ ...reprices(days, wanted), enabled: days !== undefined });
  const { keep, note } = useKept(where, ['agreement', 'client']);
  const faults = faultsOf(query.error);
  const items = (query.data?.items ?? []).filter((r) => keep({ agreement: r.agreement, client: r.client }));
  const open = items.find((r) => r.agreement === search.row);
  return (
    <div className="stack">
      <Card
        title={t('Which price, and from when?')}
        subtitle={t('A month; work of {{period}}. Largest amount missing to the margin first; a name opens the whole reckoning.', {
          period: periodText(query.data?.period ?? days),
        })}
      >
        <details className={own.terms} open={faults.length > 0 || search.reprice !== undefined}>
          <summary>{query.data ? termsOf(query.data.settings) : t('What a price is to reach')}</summary>
          <RepriceSettings
            key={JSON.stringify(wanted)}
            wanted={wanted}
            used={query.data?.settings}
            faults={faults}
            onChange={(next) => set({ reprice: next })}
          />
        </details>
        {note ? <p className="muted small">{note}</p> : null}
        <Loaded
          query={query}
          height={320}
          isEmpty={() => items.length === 0}
          empty={
            <Empty title={t('No agreement to reprice')} action={<Link to="/import">{t('Import agreements')}</Link>}>
              {[...(query.data?.notes ?? []).map((n) => `${sentence(n)}.`), note].filter(Boolean).join(' ') ||
                t('Agreements with their amount, time entries and cost rates are what prices are reckoned from.')}
            </Empty>
          }
        >
          {(sheet) => (
            <>
              <DataTable
                caption={t('Agreements by the amount missing to the margin')}
                rows={items}
                rowKey={(r) => r.agreement}
                initial={{ id: 'missing', descending: true }}
                columns={columnsOf((r) => set({ row: r.agreement }))}
              />
              {(sheet.notes ?? []).map((n) => (
                <p key={n} className="muted small">
                  {sentence(n)}.
                </p>
              ))}
            </>
          )}
        </Loaded>
      </Card>
      <RepriceDetails item={open} onClose={() => set({ row: undefined })} />
    </div>
  );
}

/** What prices are set for, in a line. */
const termsOf = (s: RepriceSheet['settings']) =>
  t('For a margin of {{margin}}, an efficiency of {{efficiency}}, at most {{cap}} up at once, {{count}} days of notice', {
    margin: format(s.margin, 'ratio'),
    efficiency: format(s.efficiency, 'ratio'),
    cap: format(s.cap, 'ratio'),
    count: s.notice_days,
  });

export const moneyOf = (r: Item) => inCurrency('money', r.currency);

/** What the price by margin has more than the fee; null when either is not known. */
export function missingOf(r: Item): string | null {
  const price = r.prices?.find((p) => p.method === 'margin')?.price;
  return price ? sum(price, negated(r.fee)) : null;
}

/** A price with the uplift that it means; its interval on hover and in the details. */
function by(method: string, head: string): Column<Item> {
  const of = (r: Item) => r.prices?.find((p) => p.method === method);
  return {
    id: method,
    head,
    right: true,
    sort: (r) => number(of(r)?.price),
    cell: (r) => {
      const p = of(r);
      if (!p?.price) return <span title={p?.reason ? sentence(p.reason) : undefined}>—</span>;
      return (
        <>
          {format(p.price, moneyOf(r))} <small className="muted">{format(p.uplift, 'ratio', { signed: true })}</small>
          {p.low && p.high ? (
            <small className="muted" style={{ display: 'block' }}>
              {t('{{low}} to {{high}}', { low: format(p.low, moneyOf(r)), high: format(p.high, moneyOf(r)) })}
            </small>
          ) : null}
        </>
      );
    },
  };
}

const number = (text: string | null | undefined) => (text === null || text === undefined ? null : Number(text));

const columnsOf = (onOpen: (r: Item) => void): Column<Item>[] => [
  {
    id: 'agreement',
    head: t('Agreement'),
    sort: (r) => r.agreement,
    cell: (r) => (
      <>
        <CellButton label={t('{{agreement}}: the whole reckoning', { agreement: r.agreement })} onPress={() => onOpen(r)}>
          {r.agreement}
        </CellButton>
        <small className="muted" style={{ display: 'block' }}>
          {r.client}
        </small>
      </>
    ),
  },
  { id: 'fee', head: t('Fee now'), right: true, sort: (r) => Number(r.fee), cell: (r) => format(r.fee, moneyOf(r)) },
  {
    id: 'missing',
    head: t('Missing'),
    right: true,
    sort: (r) => number(missingOf(r)),
    cell: (r) => change(missingOf(r), moneyOf(r)),
  },
  {
    id: 'proposed',
    head: t('Proposed'),
    right: true,
    sort: (r) => number(r.proposed),
    cell: (r) =>
      r.proposed ? (
        <>
          {format(r.proposed, moneyOf(r))} <small className="muted">{format(r.proposed_uplift, 'ratio', { signed: true })}</small>
          {r.capped ? (
            <span style={{ display: 'block' }}>
              <Badge tone="warn">{t('capped')}</Badge>
            </span>
          ) : null}
        </>
      ) : (
        <span className="muted">{r.labor ? t('the fee is enough') : '—'}</span>
      ),
  },
  {
    id: 'earliest',
    head: t('Not before'),
    sort: (r) => r.earliest,
    cell: (r) => <span title={sentence(r.earliest_why)}>{day(r.earliest)}</span>,
  },
  by('margin', t('By margin')),
  by('efficiency', t('By efficiency')),
  by('hourly_rate', t('By hourly rate')),
  {
    id: 'even',
    head: t('Break-even'),
    right: true,
    sort: (r) => number(r.break_even),
    cell: (r) => format(r.break_even, moneyOf(r)),
  },
];
