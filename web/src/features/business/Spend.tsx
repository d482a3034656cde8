import { Page } from '../../app/Page';
import { t } from '../../lib/i18n';
import { useView } from '../../lib/state';
import { ExportMenu } from '../../metrics/ExportMenu';
import { Findings } from '../../metrics/Findings';
import { useFindings } from '../../metrics/fit';
import { columns } from '../../metrics/grid';
import { Kpis } from '../../metrics/Kpi';
import { MeasureTable } from '../../metrics/MeasureTable';
import { Trend } from '../../metrics/Trend';
import { periodText } from '../../metrics/words';
import { Card } from '../../ui/Card';
import { Loaded } from '../../ui/States';

/** Where the money goes, and which vendor creeps up. */
export function Spend() {
  const { days, where } = useView();
  const { query: list, note } = useFindings(days, where);
  const vendors = { measures: ['expense_amount', 'direct_cost'], by: ['vendor'], where, period: days, order: ['-expense_amount'] };
  return (
    <Page title={t('Spend')} lead={t('Vendor bills, labor and licenses: where the money goes, and what grows.')}>
      <Kpis measures={['expense_amount', 'direct_cost', 'labor_cost', 'license_cost']} where={where} days={days} />
      {note ? <p className="muted small">{note}</p> : null}
      <Loaded query={list} height={80}>
        {(all) => {
          const some = all.filter((f) => f.kind === 'spend_trend');
          return some.length > 0 ? (
            <Card title={t('What grows?')}>
              <Findings list={some} />
            </Card>
          ) : null;
        }}
      </Loaded>
      <Card title={t('How does spending run?')} subtitle={t('Labor and direct cost by month')}>
        <Trend measures={COST} where={where} days={days} label={t('Labor and direct cost by month')} />
      </Card>
      <div className="stack" style={columns(480)}>
        <Card title={t('Which vendors cost most?')} subtitle={periodText(days)} actions={<ExportMenu ask={vendors} />}>
          <MeasureTable caption={t('Vendors by spend')} ask={vendors} changes={['expense_amount']} bar="expense_amount" />
        </Card>
        <Card title={t('Which products cost most?')} subtitle={periodText(days)}>
          <MeasureTable
            caption={t('Products by spend')}
            ask={{ measures: ['expense_amount'], by: ['product'], where, period: days, order: ['-expense_amount'] }}
            changes={['expense_amount']}
            bar="expense_amount"
          />
        </Card>
      </div>
    </Page>
  );
}

const COST = ['labor_cost', 'direct_cost'];
