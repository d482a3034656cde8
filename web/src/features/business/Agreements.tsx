import { Page } from '../../app/Page';
import { t } from '../../lib/i18n';
import { useAddress, useView } from '../../lib/state';
import { ExportMenu } from '../../metrics/ExportMenu';
import { Findings } from '../../metrics/Findings';
import { useFindings } from '../../metrics/fit';
import { Kpis } from '../../metrics/Kpi';
import { MeasureTable } from '../../metrics/MeasureTable';
import { Trend } from '../../metrics/Trend';
import { periodText } from '../../metrics/words';
import { Card } from '../../ui/Card';
import { Empty, Loaded } from '../../ui/States';
import { Tabs } from '../../ui/Tabs';
import { Reprice } from './Reprice';

/** What agreements earn, and what they should cost. */
export function Agreements() {
  const [search, set] = useAddress();
  return (
    <Page title={t('Agreements')} lead={t('What each agreement earns for an hour of work, and which to reprice.')}>
      <Tabs
        label={t('Agreements')}
        value={search.tab ?? 'earn'}
        onChange={(tab) => set({ tab: tab === 'earn' ? undefined : tab, row: undefined })}
        tabs={[
          { id: 'earn', title: t('What they earn'), content: () => <Earn /> },
          { id: 'reprice', title: t('Reprice'), content: () => <Reprice /> },
        ]}
      />
    </Page>
  );
}

/** Which agreement to reprice, and to what. */
function Earn() {
  const { days, where } = useView();
  const { query: list, note } = useFindings(days, where);
  const ask = {
    measures: ['gross_profit', 'gross_margin', 'effective_hourly_rate', 'agreement_efficiency', 'mrr', 'recurring_revenue', 'hours_worked'],
    by: ['agreement'],
    where,
    period: days,
    order: ['gross_profit'],
  };
  return (
    <div className="stack">
      <Kpis measures={['mrr', 'recurring_share', 'effective_hourly_rate', 'agreement_efficiency']} where={where} days={days} />
      <Card
        title={t('Which to reprice, and to what?')}
        subtitle={t('Agreements whose margin after labor is under the target; {{period}}', { period: periodText(days) })}
      >
        {note ? <p className="muted small">{note}</p> : null}
        <Loaded
          query={list}
          height={200}
          isEmpty={(all) => !all.some((f) => f.kind === 'agreement_profitability')}
          empty={<Empty title={t('None stands out')}>{t('No agreement earns less than the target in these months.')}</Empty>}
        >
          {(all) => <Findings list={all.filter((f) => f.kind === 'agreement_profitability')} />}
        </Loaded>
      </Card>
      <Card title={t('How does recurring revenue run?')} subtitle={t("Monthly recurring revenue at each month's end")}>
        <Trend measures={MRR} where={where} days={days} label={t('Monthly recurring revenue by month')} height={220} />
      </Card>
      <Card
        title={t('All agreements')}
        subtitle={t('{{period}}; lowest gross profit first. “No agreement” is work and cost booked on none.', { period: periodText(days) })}
        actions={<ExportMenu ask={ask} />}
      >
        <MeasureTable
          caption={t('Agreements by gross profit')}
          ask={ask}
          bar="gross_profit"
          sort={{ id: 'gross_profit', descending: false }}
        />
      </Card>
    </div>
  );
}

const MRR = ['mrr'];
