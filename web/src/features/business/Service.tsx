import { Link } from '@tanstack/react-router';
import { Page } from '../../app/Page';
import { t } from '../../lib/i18n';
import { carried, useView } from '../../lib/state';
import { ExportMenu } from '../../metrics/ExportMenu';
import { columns } from '../../metrics/grid';
import { Kpis } from '../../metrics/Kpi';
import { MeasureTable } from '../../metrics/MeasureTable';
import { Trend } from '../../metrics/Trend';
import { periodText } from '../../metrics/words';
import { Card } from '../../ui/Card';

/** Tickets, promises kept, and how clients feel about it. */
export function Service() {
  const { days, where, search } = useView();
  const clients = {
    measures: ['ticket_count', 'tickets_per_endpoint', 'sla_attainment', 'csat'],
    by: ['client'],
    where,
    period: days,
    order: ['-ticket_count'],
  };
  return (
    <Page title={t('Service')} lead={t('How much work comes in, whether promises are kept, and how clients feel about it.')}>
      <Kpis measures={['ticket_count', 'sla_attainment', 'tickets_per_endpoint', 'csat']} where={where} days={days} />
      <div className="stack" style={columns(420)}>
        <Card title={t('Is the work growing?')} subtitle={t('Tickets by month')}>
          <Trend measures={TICKETS} where={where} days={days} label={t('Tickets by month')} height={220} />
        </Card>
        <Card title={t('Are promises kept?')} subtitle={t('SLA attainment and satisfaction by month')}>
          <Trend measures={KEPT} where={where} days={days} label={t('SLA attainment and satisfaction by month')} height={220} />
        </Card>
        <Card title={t('What kind of tickets?')} subtitle={periodText(days)}>
          <MeasureTable
            caption={t('Tickets by type')}
            ask={{ measures: ['ticket_count', 'sla_attainment'], by: ['ticket_type'], where, period: days, order: ['-ticket_count'] }}
            bar="ticket_count"
            changes={['ticket_count']}
          />
        </Card>
        <Card title={t('How urgent?')} subtitle={periodText(days)}>
          <MeasureTable
            caption={t('Tickets by priority')}
            ask={{ measures: ['ticket_count', 'sla_attainment'], by: ['priority'], where, period: days, order: ['priority'] }}
            bar="ticket_count"
            changes={['sla_attainment']}
          />
        </Card>
      </div>
      <Card
        title={t('Who needs most help?')}
        subtitle={t('{{period}}; most tickets first', { period: periodText(days) })}
        actions={<ExportMenu ask={clients} />}
      >
        <MeasureTable
          caption={t('Clients by tickets')}
          ask={clients}
          changes={['ticket_count']}
          bar="ticket_count"
          name={(client) => (
            <Link to="/clients/$name" params={{ name: client }} search={{ ...carried(search), tab: 'tickets' } as never}>
              {client}
            </Link>
          )}
        />
      </Card>
    </Page>
  );
}

const TICKETS = ['ticket_count', 'service_ticket_count'];
const KEPT = ['sla_attainment', 'csat'];
