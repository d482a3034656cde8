import { Link } from '@tanstack/react-router';
import { Page } from '../../app/Page';
import { both } from '../../lib/filters';
import { t } from '../../lib/i18n';
import { carried, useAddress, useView } from '../../lib/state';
import { ExportMenu } from '../../metrics/ExportMenu';
import { Kpis } from '../../metrics/Kpi';
import { MeasureTable } from '../../metrics/MeasureTable';
import { periodText } from '../../metrics/words';
import { Card } from '../../ui/Card';
import { Tabs } from '../../ui/Tabs';
import { Ranking } from './Ranking';

const MEASURES = ['gross_profit', 'gross_margin', 'revenue', 'labor_cost', 'direct_cost', 'hours_worked', 'effective_hourly_rate'];

/** What clients leave, and which of them lose money. */
export function Clients() {
  const [search, set] = useAddress();
  return (
    <Page
      title={t('Clients')}
      lead={t('What each client leaves after labor and direct cost, the lowest first. A number opens its cause; a name opens the client.')}
    >
      <Tabs
        label={t('Clients')}
        value={search.tab ?? 'all'}
        onChange={(tab) => set({ tab: tab === 'all' ? undefined : tab })}
        tabs={[
          { id: 'all', title: t('What they leave'), content: () => <All /> },
          { id: 'ranking', title: t('Who loses money?'), content: () => <Ranking /> },
        ]}
      />
    </Page>
  );
}

/** Every client by what it earns after labor, the worst first. */
function All() {
  const { days, where, search } = useView();
  const ask = {
    measures: MEASURES,
    by: ['client'],
    where: both(where, 'client_status != "internal"'),
    period: days,
    order: ['gross_profit'],
  };
  return (
    <div className="stack">
      <Kpis measures={['gross_profit', 'gross_margin', 'active_clients', 'client_concentration']} where={where} days={days} />
      <Card title={t('Which clients lose money?')} subtitle={periodText(days)} actions={<ExportMenu ask={ask} />}>
        <MeasureTable
          caption={t('Clients by gross profit')}
          ask={ask}
          changes={['gross_profit', 'gross_margin']}
          bar="gross_profit"
          sort={{ id: 'gross_profit', descending: false }}
          maxHeight={720}
          name={(client) => (
            <Link to="/clients/$name" params={{ name: client }} search={carried(search) as never}>
              {client}
            </Link>
          )}
        />
      </Card>
    </div>
  );
}
