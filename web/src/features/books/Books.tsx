import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type Reconciliation, reconciliation } from '../../api/queries';
import { Page } from '../../app/Page';
import { format, inCurrency, sentence } from '../../lib/format';
import { t } from '../../lib/i18n';
import { carried, useView } from '../../lib/state';
import css from '../../metrics/metrics.module.css';
import { periodText, titled } from '../../metrics/words';
import { Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Empty, Loaded, Notice } from '../../ui/States';
import { Labor } from './Labor';
import { Revenue } from './Revenue';

/** Whether revenue and labor are what the books say, and why other systems differ. */
export function Books() {
  const { days } = useView();
  const query = useQuery({ ...reconciliation(days), enabled: days !== undefined });
  return (
    <Page
      title={t('Books')}
      lead={t('Revenue beside the ledger, labor beside payroll, and why figures here differ from those of your other systems.')}
    >
      <Loaded
        query={query}
        height={400}
        isEmpty={(r) => (r.revenue ?? []).length === 0 && (r.labor ?? []).length === 0}
        empty={
          <Empty title={t('Nothing to compare yet')} action={<Link to="/import">{t('Import files')}</Link>}>
            {t('Import invoices and the ledger to compare revenue; payroll, time entries and staff to compare labor.')}
          </Empty>
        }
      >
        {(r) => (
          <div className="stack">
            {(r.notes ?? []).length > 0 ? (
              <Notice>
                {(r.notes ?? []).map((n) => (
                  <p key={n}>{sentence(n)}.</p>
                ))}
              </Notice>
            ) : null}
            <Card title={t('Is revenue what the ledger says?')} subtitle={periodText(r.period)}>
              <Revenue list={r.revenue ?? []} unit={inCurrency('money', r.currency)} />
            </Card>
            <Card
              title={t('Where does the pay go?')}
              subtitle={t('Payroll is client work, internal work and what no hour absorbs; {{period}}', { period: periodText(r.period) })}
            >
              <Labor list={r.labor ?? []} unit={inCurrency('money', r.currency)} />
            </Card>
            <Card title={t('This differs from your other systems because …')} subtitle={periodText(r.period)}>
              <Differences r={r} />
            </Card>
          </div>
        )}
      </Loaded>
    </Page>
  );
}

function Differences({ r }: { r: Reconciliation }) {
  const { search } = useView();
  const list = r.differences ?? [];
  if (list.length === 0) return <Empty title={t('Nothing known')}>{t('No reason is found why a figure would differ.')}</Empty>;
  return (
    <DataTable
      caption={t('Why other systems differ')}
      rows={list}
      rowKey={(d) => `${d.name} ${d.measure}`}
      columns={[
        {
          id: 'why',
          head: t('Because'),
          cell: (d) => <span className={css.cellText}>{sentence(d.words)}</span>,
        },
        { id: 'measure', head: t('Figure here'), sort: (d) => d.measure, cell: (d) => titled(d.measure) },
        {
          id: 'amount',
          head: t('By'),
          right: true,
          cell: (d) => format(d.amount, inCurrency(d.unit, r.currency)),
        },
        {
          id: 'rows',
          head: t('See'),
          cell: (d) => (
            <Link
              to="/explore"
              aria-label={t('See the figures: {{what}}', { what: titled(d.name) })}
              search={
                {
                  ...carried(search),
                  ...(d.query.where ? { where: d.query.where } : {}),
                  measures: d.query.measures ?? [],
                  ...((d.query.by ?? []).length > 0 ? { by: d.query.by } : {}),
                } as never
              }
            >
              {t('the figures')}
            </Link>
          ),
        },
      ]}
    />
  );
}
