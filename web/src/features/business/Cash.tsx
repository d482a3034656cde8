import { Link } from '@tanstack/react-router';
import { Page } from '../../app/Page';
import { t } from '../../lib/i18n';
import { carried, useView } from '../../lib/state';
import { ExportMenu } from '../../metrics/ExportMenu';
import { Kpis } from '../../metrics/Kpi';
import { MeasureTable } from '../../metrics/MeasureTable';
import { Trend } from '../../metrics/Trend';
import { periodText } from '../../metrics/words';
import { Card } from '../../ui/Card';

/** What is owed, by whom, and how long it takes. */
export function Cash() {
  const { days, where, search } = useView();
  const clients = {
    measures: ['receivables', 'dso', 'payments_received', 'revenue'],
    by: ['client'],
    where,
    period: days,
    order: ['-receivables'],
  };
  return (
    <Page title={t('Cash')} lead={t('What clients owe at the end of the period, and how long they take to pay.')}>
      <Kpis measures={['receivables', 'dso', 'payments_received', 'revenue']} where={where} days={days} />
      <Card title={t('Does the money come in?')} subtitle={t('Invoiced and received by month, and what is open at its end')}>
        <Trend measures={FLOW} where={where} days={days} label={t('Revenue, payments and receivables by month')} />
      </Card>
      <Card
        title={t('Who owes most?')}
        subtitle={t('Open at the end of {{period}}', { period: periodText(days) })}
        actions={<ExportMenu ask={clients} />}
      >
        <MeasureTable
          caption={t('Clients by receivables')}
          ask={clients}
          bar="receivables"
          name={(client) => (
            <Link to="/clients/$name" params={{ name: client }} search={{ ...carried(search), tab: 'receivables' } as never}>
              {client}
            </Link>
          )}
        />
      </Card>
    </Page>
  );
}

const FLOW = ['revenue', 'payments_received', 'receivables'];
