import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ClientRisk, clientRisks } from '../../api/queries';
import { format, inCurrency, sentence } from '../../lib/format';
import { t } from '../../lib/i18n';
import { carried, useView } from '../../lib/state';
import { useKept } from '../../metrics/fit';
import { periodText } from '../../metrics/words';
import { Card } from '../../ui/Card';
import { CellButton, type Column, DataTable } from '../../ui/DataTable';
import { Drawer } from '../../ui/Dialog';
import { Empty, Loaded } from '../../ui/States';
import { Components, HowItComes, Names } from './Components';
import css from './risk.module.css';

/** Clients by what is to act on; a name opens its five components. */
export function ClientRisks() {
  const { days, where, search, set } = useView();
  const query = useQuery({ ...clientRisks(days), enabled: days !== undefined });
  const { keep, note } = useKept(where, ['client']);
  const list = (query.data?.clients ?? []).filter((r) => keep({ client: r.client }));
  const open = list.find((r) => r.client === search.row);
  return (
    <Loaded
      query={query}
      height={420}
      isEmpty={() => list.length === 0}
      empty={
        <Card>
          <Empty title={t('No client to look at')} action={<Link to="/import">{t('Import files')}</Link>}>
            {[...(query.data?.notes ?? []).map((n) => `${sentence(n)}.`), note].filter(Boolean).join(' ') ||
              t('Invoices, payments, time entries, tickets and surveys are what it is made of; some of them are enough to begin.')}
          </Empty>
        </Card>
      }
    >
      {(report) => (
        <div className="stack">
          <Card
            title={t('Which client needs something, and what?')}
            subtitle={t(
              '{{period}}. By rules, no probability of leaving: revenue a year x components to act on comes first. A name opens the figures.',
              {
                period: periodText(report.period),
              },
            )}
          >
            {note ? <p className="muted small">{note}</p> : null}
            <DataTable
              caption={t('Clients by what is to act on')}
              rows={list}
              rowKey={(r) => r.client}
              columns={columnsOf(
                (r) => set({ row: r.client }),
                list.some((r) => r.unknown > 0),
              )}
            />
          </Card>
          <HowItComes rule={report.rule} notInIt={report.not_in_it} missing={report.missing} notes={report.notes} />
          <Drawer
            open={open !== undefined}
            onClose={() => set({ row: undefined })}
            title={open?.client ?? ''}
            subtitle={open ? totals(open) : undefined}
          >
            {open ? (
              <div className={css.drawer}>
                <p className="small">
                  <Link to="/clients/$name" params={{ name: open.client }} search={carried(search) as never}>
                    {t('The client’s own page')}
                  </Link>
                </p>
                <Components list={open.components} />
              </div>
            ) : null}
          </Drawer>
        </div>
      )}
    </Loaded>
  );
}

const money = (r: ClientRisk) => inCurrency('money', r.currency);

const totals = (r: ClientRisk) =>
  t('{{revenue}} revenue a year, {{profit}} gross profit', {
    revenue: format(r.revenue, money(r)),
    profit: r.gross_profit === null ? t('unknown') : format(r.gross_profit, money(r)),
  });

const number = (text: string | null) => (text === null ? null : Number(text));

const columnsOf = (onOpen: (r: ClientRisk) => void, unknown: boolean): Column<ClientRisk>[] => [
  {
    id: 'client',
    head: t('Client'),
    sort: (r) => r.client,
    cell: (r) => (
      <CellButton label={t('{{client}}: the figures behind it', { client: r.client })} onPress={() => onOpen(r)}>
        {r.client}
      </CellButton>
    ),
  },
  { id: 'act', head: t('To act on'), sort: (r) => r.act, cell: (r) => <Names of={r.components} state="act" /> },
  { id: 'watch', head: t('To watch'), sort: (r) => r.watch, cell: (r) => <Names of={r.components} state="watch" /> },
  ...(unknown
    ? [
        {
          id: 'unknown',
          head: t('Not known'),
          sort: (r: ClientRisk) => r.unknown,
          cell: (r: ClientRisk) => <Names of={r.components} state="unknown" />,
        },
      ]
    : []),
  {
    id: 'revenue',
    head: t('Revenue a year'),
    right: true,
    sort: (r) => number(r.revenue),
    cell: (r) => (
      <>
        {format(r.revenue, money(r))}
        <small className="muted" style={{ display: 'block' }}>
          {r.gross_profit === null ? t('profit not known') : t('profit {{profit}}', { profit: format(r.gross_profit, money(r)) })}
        </small>
      </>
    ),
  },
  {
    id: 'step',
    head: t('Cheapest next step'),
    cell: (r) => <span className={css.step}>{r.step || t('none')}</span>,
  },
];
