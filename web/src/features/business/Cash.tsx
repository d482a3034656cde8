import { Link } from '@tanstack/react-router';
import { Page } from '../../app/Page';
import { t } from '../../lib/i18n';
import { carried, useView } from '../../lib/state';
import { ExportMenu } from '../../metrics/ExportMenu';
import { Findings } from '../../metrics/Findings';
import { useFindings } from '../../metrics/fit';
import { Kpis } from '../../metrics/Kpi';
import { MeasureTable } from '../../metrics/MeasureTable';
import { Trend } from '../../metrics/Trend';
import { periodText } from '../../metrics/words';
import { Card } from '../../ui/Card';
import { Empty, Loaded } from '../../ui/States';

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
  const ages = {
    measures: ['ar_over_90', 'ar_61_90', 'ar_31_60', 'ar_1_30', 'ar_current'],
    by: ['client'],
    where,
    period: days,
    order: ['-ar_over_90', '-ar_61_90', '-ar_31_60'],
  };
  const late = {
    measures: ['late_payment_rate', 'days_beyond_terms', 'invoices_paid'],
    by: ['client'],
    where,
    period: days,
    order: ['-days_beyond_terms'],
  };
  const { query: list, note } = useFindings(days, where);
  const link = (client: string) => (
    <Link to="/clients/$name" params={{ name: client }} search={{ ...carried(search), tab: 'receivables' } as never}>
      {client}
    </Link>
  );
  return (
    <Page title={t('Cash')} lead={t('What clients owe at the end of the period, and how long they take to pay.')}>
      <Kpis measures={['receivables', 'dso', 'payments_received', 'revenue']} where={where} days={days} />
      <Card title={t('Does the money come in?')} subtitle={t('Invoiced and received by month, and what is open at its end')}>
        <Trend measures={FLOW} where={where} days={days} label={t('Revenue, payments and receivables by month')} />
      </Card>
      <Card title={t('What was worked and never invoiced?')} subtitle={t('Billable hours more than 30 days old that are on no invoice')}>
        {note ? <p className="muted small">{note}</p> : null}
        <Loaded
          query={list}
          height={120}
          isEmpty={(all) => !all.some((f) => f.kind === 'unbilled_work')}
          empty={
            <Empty title={t('Nothing found')}>
              {t('It is looked for where time entries say what was billed for them: import the column “billed amount”.')}
            </Empty>
          }
        >
          {(all) => <Findings list={all.filter((f) => f.kind === 'unbilled_work')} />}
        </Loaded>
      </Card>
      <Card
        title={t('How old is what is open?')}
        subtitle={t('By days past due, at the end of {{period}}', { period: periodText(days) })}
        actions={<ExportMenu ask={ages} />}
      >
        <MeasureTable caption={t('Receivables by age')} ask={ages} name={link} />
      </Card>
      <Card
        title={t('Who pays late?')}
        subtitle={t('Invoices that were paid in {{period}}', { period: periodText(days) })}
        actions={<ExportMenu ask={late} />}
      >
        <MeasureTable caption={t('Clients by days beyond terms')} ask={late} bar="days_beyond_terms" name={link} />
      </Card>
      <Card
        title={t('Who owes most?')}
        subtitle={t('Open at the end of {{period}}', { period: periodText(days) })}
        actions={<ExportMenu ask={clients} />}
      >
        <MeasureTable caption={t('Clients by receivables')} ask={clients} bar="receivables" name={link} />
      </Card>
    </Page>
  );
}

const FLOW = ['revenue', 'payments_received', 'receivables'];
