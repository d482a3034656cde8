import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { explanation, type Finding, imports } from '../../api/queries';
import { Page } from '../../app/Page';
import { both } from '../../lib/filters';
import { inCurrency, percent, tile } from '../../lib/format';
import { t } from '../../lib/i18n';
import { carried, useView } from '../../lib/state';
import { DriverBridge } from '../../metrics/DriverBridge';
import { Findings } from '../../metrics/Findings';
import { useFindings, useFit } from '../../metrics/fit';
import { Kpis } from '../../metrics/Kpi';
import { MeasureTable } from '../../metrics/MeasureTable';
import { Trend } from '../../metrics/Trend';
import { periodText } from '../../metrics/words';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { useMay } from '../../ui/may';
import { Empty, Loaded, Notice } from '../../ui/States';
import { FirstVisit } from './FirstVisit';

const TOP = 5;
const KPIS = ['gross_profit', 'gross_margin', 'revenue', 'effective_hourly_rate', 'license_waste', 'utilization'];
export const REAL_CLIENTS = 'client_status != "internal"';

/** Monday morning: what matters most first, then the figures, then every client. */
export function Overview() {
  const { status, days, where, search } = useView();
  const { query: list, note } = useFindings(days, where);
  if (status?.empty) return <FirstVisit />;
  return (
    <Page title={t('Overview')} lead={list.data ? headline(list.data) : undefined}>
      {status && !status.complete.to ? (
        <Notice>
          {status.data_through
            ? t('No month of the data is over yet: there are no findings, and the figures may still change.')
            : t('Nothing that was imported has a date yet.')}{' '}
          <Link to="/import">{t('Import invoices and time entries')}</Link>
        </Notice>
      ) : null}
      <Card
        title={t('What needs you')}
        subtitle={t('Most important first: what a person must review, then money at stake × confidence. {{period}}.', {
          period: periodText(days),
        })}
      >
        {note ? <p className="muted small">{note}</p> : null}
        <Loaded
          query={list}
          height={320}
          isEmpty={(all) => all.length === 0}
          empty={
            status?.complete.to ? (
              <Empty title={t('Nothing stands out')}>
                {t('No client, agreement, license or person crosses a threshold in these months.')}
              </Empty>
            ) : (
              <Empty title={t('Not analyzed yet')}>{t('Findings begin with the first month that is over.')}</Empty>
            )
          }
        >
          {(all) => <Top all={all} />}
        </Loaded>
      </Card>
      <Kpis measures={KPIS} where={where} days={days} />
      <div className="stack" style={{ gridTemplateColumns: 'repeat(auto-fit, minmax(min(100%, 420px), 1fr))' }}>
        <Card
          title={t('Is revenue growing, and profit with it?')}
          subtitle={t('By month; drag to choose a period, click a month for its cause')}
        >
          <Trend measures={MONEY} where={where} days={days} label={t('Revenue and gross profit by month')} />
        </Card>
        <Card title={t('How is the margin moving?')} subtitle={t('Gross margin by month, percent')}>
          <Trend measures={MARGIN} where={where} days={days} label={t('Gross margin by month')} />
        </Card>
      </div>
      <div className="stack" style={{ gridTemplateColumns: 'repeat(auto-fit, minmax(min(100%, 420px), 1fr))' }}>
        <WhyMargin />
        <Card
          title={t('Which clients earn least after labor?')}
          subtitle={t('Gross profit = revenue − labor − direct cost, {{period}}', { period: periodText(days) })}
          actions={
            <Link to="/clients" search={carried(search) as never}>
              {t('All clients')}
            </Link>
          }
        >
          <MeasureTable
            caption={t('Clients by gross profit, lowest first')}
            ask={{
              measures: ['gross_profit', 'gross_margin'],
              by: ['client'],
              where: both(where, REAL_CLIENTS),
              period: days,
              order: ['gross_profit'],
              limit: 10,
            }}
            bar="gross_profit"
            name={(client) => (
              <Link to="/clients/$name" params={{ name: client }} search={carried(search) as never}>
                {client}
              </Link>
            )}
          />
        </Card>
      </div>
      <Freshness />
    </Page>
  );
}

const MONEY = ['revenue', 'gross_profit'];
const MARGIN = ['gross_margin'];

function headline(all: Finding[]): string {
  const review = all.filter((f) => f.requires_review).length;
  if (all.length === 0) return t('No finding in these months.');
  const first = all[0];
  return [
    t('{{count}} findings', { count: all.length }),
    review ? t('{{count}} need your review', { count: review }) : '',
    first ? t('the first has {{money}} a year at stake', { money: tile(first.money_at_stake, inCurrency('money', first.currency)) }) : '',
  ]
    .filter(Boolean)
    .join(', ')
    .concat('.');
}

function Top({ all }: { all: Finding[] }) {
  const [more, setMore] = useState(false);
  return (
    <div className="stack">
      <Findings list={more ? all : all.slice(0, TOP)} />
      {all.length > TOP ? (
        <div>
          <Button onPress={() => setMore(!more)}>
            {more ? t('Show the first {{count}}', { count: TOP }) : t('Show all {{count}}', { count: all.length })}
          </Button>
        </div>
      ) : null}
    </div>
  );
}

function WhyMargin() {
  const { days, where: asked } = useView();
  const { where, note, ready, unseen } = useFit(['gross_margin'], asked);
  const x = useQuery({ ...explanation({ measure: 'gross_margin', where, period: days }), enabled: ready && days !== undefined });
  if (unseen) return null;
  return (
    <Card
      title={t('Why did the margin change?')}
      subtitle={t('{{period}} against the period before; the parts add up exactly', { period: periodText(days) })}
    >
      {note ? <p className="muted small">{note}</p> : null}
      <Loaded query={x} height={220}>
        {(e) =>
          e.from.value && e.to.value ? (
            <DriverBridge
              from={e.from.value}
              to={e.to.value}
              fromLabel={t('Period before')}
              toLabel={t('This period')}
              drivers={e.drivers ?? []}
              unit={inCurrency(e.unit, e.currency)}
              units={({ name: n }) =>
                inCurrency(n === 'hours_worked' ? 'hours' : n === 'labor_cost_rate' ? 'money_per_hour' : 'money', e.currency)
              }
            />
          ) : (
            <p className="muted">{e.words}</p>
          )
        }
      </Loaded>
    </Card>
  );
}

/** How far the data reaches and how clean it is: a wrong figure often begins here. */
function Freshness() {
  const { status } = useView();
  const may = useMay('data.read');
  const list = useQuery({ ...imports(), enabled: may });
  const rejected = (list.data ?? []).reduce((sum, i) => sum + (i.result.rows_rejected ?? 0), 0);
  const quality = status?.quality ?? null;
  return (
    <Notice {...(rejected > 0 ? { tone: 'warn' as const } : {})}>
      <span>
        {quality === null
          ? t('Data quality is not known.')
          : t('Data quality {{score}} over {{count}} rows.', { score: percent(quality), count: status?.rows ?? 0 })}
      </span>
      {may ? <span>{rejected > 0 ? t('{{count}} rows rejected', { count: rejected }) : t('No row was rejected.')}</span> : null}
      {may ? <Link to="/import">{t('See the imports')}</Link> : null}
    </Notice>
  );
}
