import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { findings, table } from '../../api/queries';
import { Page } from '../../app/Page';
import { both, only } from '../../lib/filters';
import { words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { carried, useAddress, useView } from '../../lib/state';
import { ClientRiskCard } from '../../metrics/ClientRiskCard';
import { Findings } from '../../metrics/Findings';
import { columns } from '../../metrics/grid';
import { Kpis } from '../../metrics/Kpi';
import { MeasureTable } from '../../metrics/MeasureTable';
import { Trend } from '../../metrics/Trend';
import { periodText } from '../../metrics/words';
import { Badge, Card } from '../../ui/Card';
import { Empty, Loaded } from '../../ui/States';
import { Tabs } from '../../ui/Tabs';
import { Statement } from './Statement';
import { Timeline } from './Timeline';

/** One client: what it earns after labor, and everything behind that. */
export function Client() {
  const { name } = useParams({ from: '/clients/$name' });
  const { days, where: filter } = useView();
  const [search, set] = useAddress();
  const own = only('client', name);
  const where = both(filter, own);
  const facts = useQuery(table({ measures: ['revenue'], by: ['client', 'client_status', 'industry', 'account_manager'], where: own }));
  const about = facts.data?.rows[0];
  const all = useQuery({ ...findings(days), enabled: days !== undefined });
  const mine = (all.data ?? []).filter(
    (f) => f.subject.value === name || f.subject.within?.value === name || (f.query.where ?? '').includes(own),
  );

  if (facts.data && facts.data.rows.length === 0) {
    return (
      <Page title={name}>
        <Empty title={t('There is no client of this name')} action={<Link to="/clients">{t('See all clients')}</Link>}>
          {t('It may have been renamed by a newer import, or the address is mistyped.')}
        </Empty>
      </Page>
    );
  }

  return (
    <Page
      title={name}
      lead={
        <span className="row">
          {about ? (
            <>
              {isKnown(about[1]) ? <Badge>{words(about[1])}</Badge> : null}
              {isKnown(about[2]) ? <Badge>{about[2]}</Badge> : null}
              {isKnown(about[3]) ? <span>{t('Account manager: {{name}}', { name: about[3] })}</span> : null}
            </>
          ) : null}
          <Link to="/clients" search={carried(search) as never}>
            {t('All clients')}
          </Link>
        </span>
      }
    >
      <Kpis
        measures={['gross_profit', 'gross_margin', 'revenue', 'effective_hourly_rate', 'hours_worked', 'ticket_count']}
        where={where}
        days={days}
      />
      {mine.length > 0 ? (
        <Card title={t('What stands out')} subtitle={periodText(days)}>
          <Findings list={mine} />
        </Card>
      ) : null}
      <ClientRiskCard name={name} days={days} />
      <Tabs
        label={t('Parts of {{name}}', { name })}
        value={search.tab ?? 'profit'}
        onChange={(tab) => set({ tab: tab === 'profit' ? undefined : tab }, { replace: true })}
        tabs={[
          {
            id: 'profit',
            title: t('Profit'),
            content: () => (
              <div className="stack" style={columns(420)}>
                <Statement where={where} days={days} />
                <div className="stack">
                  <Card title={t('How do revenue and profit run?')} subtitle={t('By month; click one for its cause')}>
                    <Trend
                      measures={MONEY}
                      where={where}
                      days={days}
                      label={t('Revenue and gross profit of {{name}} by month', { name })}
                    />
                  </Card>
                  <Card title={t('And the margin?')} subtitle={t('Gross margin by month')}>
                    <Trend
                      measures={MARGIN}
                      where={where}
                      days={days}
                      label={t('Gross margin of {{name}} by month', { name })}
                      height={200}
                    />
                  </Card>
                </div>
              </div>
            ),
          },
          {
            id: 'agreements',
            title: t('Agreements'),
            content: () => (
              <Card title={t('What does each agreement earn an hour?')} subtitle={periodText(days)}>
                <MeasureTable
                  caption={t('Agreements of {{name}}', { name })}
                  ask={{
                    measures: ['mrr', 'recurring_revenue', 'hours_worked', 'effective_hourly_rate', 'agreement_efficiency', 'gross_margin'],
                    by: ['agreement'],
                    where,
                    period: days,
                  }}
                />
              </Card>
            ),
          },
          {
            id: 'time',
            title: t('Time'),
            content: () => (
              <div className="stack" style={columns(420)}>
                <Card title={t('Who works for them?')} subtitle={t('Hours and labor cost, {{period}}', { period: periodText(days) })}>
                  <MeasureTable
                    caption={t('Hours by person')}
                    ask={{
                      measures: ['hours_worked', 'billable_hours', 'labor_cost'],
                      by: ['staff'],
                      where,
                      period: days,
                      order: ['-hours_worked'],
                    }}
                    bar="hours_worked"
                    changes={['hours_worked']}
                  />
                </Card>
                <Card title={t('On what?')} subtitle={t('By type of work')}>
                  <MeasureTable
                    caption={t('Hours by type of work')}
                    ask={{ measures: ['hours_worked', 'labor_cost'], by: ['work_type'], where, period: days, order: ['-hours_worked'] }}
                    bar="hours_worked"
                    changes={['hours_worked']}
                  />
                </Card>
              </div>
            ),
          },
          {
            id: 'tickets',
            title: t('Tickets'),
            content: () => (
              <div className="stack">
                <Kpis measures={['ticket_count', 'sla_attainment', 'tickets_per_endpoint', 'csat']} where={where} days={days} />
                <div className="stack" style={columns(420)}>
                  <Card title={t('Which tickets do they open?')} subtitle={periodText(days)}>
                    <MeasureTable
                      caption={t('Tickets by type')}
                      ask={{
                        measures: ['ticket_count', 'sla_attainment'],
                        by: ['ticket_type'],
                        where,
                        period: days,
                        order: ['-ticket_count'],
                      }}
                      bar="ticket_count"
                      changes={['ticket_count']}
                    />
                  </Card>
                  <Card title={t('How urgent?')} subtitle={t('By priority')}>
                    <MeasureTable
                      caption={t('Tickets by priority')}
                      ask={{ measures: ['ticket_count', 'sla_attainment'], by: ['priority'], where, period: days, order: ['priority'] }}
                      bar="ticket_count"
                      changes={['ticket_count']}
                    />
                  </Card>
                </div>
              </div>
            ),
          },
          {
            id: 'licenses',
            title: t('Licenses'),
            content: () => (
              <Card title={t('Which seats are paid for and not used?')} subtitle={t("At the period's end")}>
                <MeasureTable
                  caption={t('Licenses of {{name}}', { name })}
                  ask={{
                    measures: ['license_waste', 'wasted_seats', 'seats_purchased', 'seats_used', 'license_utilization', 'license_cost'],
                    by: ['product'],
                    where,
                    period: days,
                    order: ['-license_waste'],
                  }}
                  bar="license_waste"
                />
              </Card>
            ),
          },
          {
            id: 'receivables',
            title: t('Receivables'),
            content: () => (
              <div className="stack">
                <Kpis measures={['receivables', 'dso', 'payments_received']} where={where} days={days} />
                <Card title={t('Do they pay?')} subtitle={t('Open at the end of each month, and payments received')}>
                  <Trend measures={PAYMENTS} where={where} days={days} label={t('Receivables and payments of {{name}}', { name })} />
                </Card>
              </div>
            ),
          },
          { id: 'timeline', title: t('Timeline'), content: () => <Timeline where={where} own={own} days={days} /> },
        ]}
      />
      <Loaded query={facts} height={1}>
        {() => null}
      </Loaded>
    </Page>
  );
}

const MONEY = ['revenue', 'gross_profit'];
const MARGIN = ['gross_margin'];
const PAYMENTS = ['receivables', 'payments_received'];

/** Whether a client's attribute says anything: the data may have no list of clients. */
function isKnown(value: string | null | undefined): value is string {
  return Boolean(value) && !['unknown', 'none', 'unassigned'].includes(value ?? '');
}
