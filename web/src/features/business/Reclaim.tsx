import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type Reclaim as Item, reclaims } from '../../api/queries';
import { sum } from '../../lib/decimal';
import { day, format, inCurrency, integer, month, sentence } from '../../lib/format';
import { t } from '../../lib/i18n';
import { carried, useView } from '../../lib/state';
import { useKept } from '../../metrics/fit';
import { Badge, Card } from '../../ui/Card';
import { type Column, DataTable } from '../../ui/DataTable';
import { Empty, Loaded } from '../../ui/States';
import css from './business.module.css';

const STATES: [Item['state'], string][] = [
  ['now', t('Can be returned now')],
  ['locked', t('Locked until the renewal')],
  ['unknown', t('Term not known')],
];

const PAYERS: Record<Item['payer'], string> = {
  client: t('the client'),
  msp: t('we do'),
  both: t('both'),
  unknown: t('not known'),
};

/** Amounts of several currencies are never added: each is summed by itself. */
function amounts(items: Item[], pick: (r: Item) => string | null): string {
  const codes = [...new Set(items.filter((r) => pick(r) !== null).map((r) => r.currency ?? ''))];
  return codes
    .map((code) => {
      const own = items.filter((r) => (r.currency ?? '') === code).flatMap((r) => pick(r) ?? []);
      return format(sum(...own), inCurrency('money', code));
    })
    .join(' · ');
}

const countOf = (items: Item[]) => sum(...items.map((r) => r.seats));
const seatsOf = (items: Item[]) => integer(Number(countOf(items)));
const savingOf = (items: Item[]) => amounts(items, (r) => r.saving) || '—';

/** Wasted seats by the day until which they can be returned. */
export function Reclaim() {
  const { days, where } = useView();
  const query = useQuery({ ...reclaims(days?.to ?? ''), enabled: days !== undefined });
  const { keep, note } = useKept(where, ['client', 'vendor', 'product']);
  const items = (query.data?.items ?? []).filter((r) => keep({ client: r.client, vendor: r.vendor, product: r.product }));
  const months = [...new Set(items.map((r) => r.deadline?.slice(0, 7) ?? ''))].sort((a, b) => (a || '9').localeCompare(b || '9'));
  return (
    <Loaded
      query={query}
      height={400}
      isEmpty={() => items.length === 0}
      empty={
        <Card>
          <Empty title={t('No seat to return')} action={<Link to="/import">{t('Import licenses')}</Link>}>
            {[
              t('Every paid seat is used, or no licenses with their seats, term and renewal are imported.'),
              ...(query.data?.notes ?? []).map((n) => `${sentence(n)}.`),
              note,
            ].join(' ')}
          </Empty>
        </Card>
      }
    >
      {(plan) => (
        <div className="stack">
          <Card
            title={t('What can be had back?')}
            subtitle={t('Unused seats as of {{day}}; all of them: {{seats}} seats, {{saving}} a month', {
              day: plan.as_of ? day(plan.as_of) : '',
              seats: seatsOf(items),
              saving: savingOf(items),
            })}
          >
            <dl className={css.totals}>
              {STATES.filter(([state]) => items.some((r) => r.state === state)).map(([state, label]) => (
                <State key={state} label={label} items={items.filter((r) => r.state === state)} />
              ))}
            </dl>
            {[note, ...plan.notes.map((n) => `${sentence(n)}.`)].filter(Boolean).map((n) => (
              <p key={n} className="muted small">
                {n}
              </p>
            ))}
          </Card>
          {months.map((m) => {
            const own = items.filter((r) => (r.deadline?.slice(0, 7) ?? '') === m);
            const title = m ? month(`${m}-01`) : t('Without a known day');
            return (
              <Card
                key={m}
                title={title}
                subtitle={t('{{seats}} seats, {{saving}} a month', {
                  count: Number(countOf(own)),
                  seats: seatsOf(own),
                  saving: savingOf(own),
                })}
              >
                <Month caption={t('Seats to return: {{when}}', { when: title })} items={own} />
              </Card>
            );
          })}
        </div>
      )}
    </Loaded>
  );
}

function State({ label, items }: { label: string; items: Item[] }) {
  const locked = amounts(items, (r) => r.locked_cost);
  return (
    <div>
      <dt>{label}</dt>
      <dd>{savingOf(items)}</dd>
      <dd>
        {t('a month, {{seats}} seats', { seats: seatsOf(items) })}
        {items.some((r) => r.state === 'locked') && locked ? `; ${t('{{cost}} until their terms end', { cost: locked })}` : ''}
      </dd>
    </div>
  );
}

function Month({ caption, items }: { caption: string; items: Item[] }) {
  const { search } = useView();
  const money = (r: Item) => inCurrency('money', r.currency);
  const columns: Column<Item>[] = [
    {
      id: 'deadline',
      head: t('Last day'),
      sort: (r) => r.deadline ?? '9999',
      cell: (r) =>
        r.deadline ? (
          <>
            {day(r.deadline)} <small className="muted">{t('in {{count}} days', { count: r.days_left })}</small>
          </>
        ) : (
          '—'
        ),
      foot: t('All'),
    },
    {
      id: 'client',
      head: t('Client'),
      sort: (r) => r.client,
      cell: (r) => (
        <Link to="/clients/$name" params={{ name: r.client }} search={{ ...carried(search), tab: 'licenses' } as never}>
          {r.client}
        </Link>
      ),
    },
    { id: 'product', head: t('Product'), sort: (r) => r.product, cell: (r) => <span title={r.vendor}>{r.product}</span> },
    {
      id: 'seats',
      head: t('Seats'),
      right: true,
      sort: (r) => Number(r.seats),
      cell: (r) => integer(Number(r.seats)),
      foot: seatsOf(items),
    },
    {
      id: 'saving',
      head: t('Saving a month'),
      right: true,
      sort: (r) => (r.saving === null ? null : Number(r.saving)),
      cell: (r) => format(r.saving, money(r)),
      foot: savingOf(items),
    },
    {
      id: 'locked',
      head: t('Until its term ends'),
      right: true,
      sort: (r) => (r.locked_cost === null ? null : Number(r.locked_cost)),
      cell: (r) => format(r.locked_cost, money(r)),
      foot: amounts(items, (r) => r.locked_cost) || '—',
    },
    {
      id: 'state',
      head: t('State'),
      sort: (r) => r.state,
      cell: (r) => (
        <>
          <Badge {...(r.state === 'now' ? { tone: 'good' as const } : r.state === 'unknown' ? { tone: 'warn' as const } : {})}>
            {r.state === 'now' ? t('now') : r.state === 'locked' ? t('locked') : t('not known')}
          </Badge>{' '}
          <small className="muted">{r.term}</small>
          <small className="muted" style={{ display: 'block' }}>
            {t('who pays: {{who}}', {
              who: r.payer === 'both' ? t('both; {{seats}} seats we do', { seats: integer(Number(r.seats_msp)) }) : PAYERS[r.payer],
            })}
          </small>
        </>
      ),
    },
  ];
  return (
    <DataTable
      caption={caption}
      rows={items}
      rowKey={(r) => `${r.client} ${r.vendor} ${r.product} ${r.subscription} ${r.deadline ?? ''} ${r.state} ${r.term}`}
      columns={columns}
    />
  );
}
