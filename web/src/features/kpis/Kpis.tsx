import { useQuery } from '@tanstack/react-query';
import { catalog } from '../../api/queries';
import { Page } from '../../app/Page';
import { t } from '../../lib/i18n';
import { useAddress } from '../../lib/state';
import { Loaded } from '../../ui/States';
import { Tabs } from '../../ui/Tabs';
import { Calendar } from './Calendar';
import { KpiList } from './KpiList';
import { Rules } from './Rules';
import { Segments } from './Segments';

/** What the tenant defines itself: measures, groups of members, rules and the fiscal year. */
export function Kpis() {
  const [search, set] = useAddress();
  const query = useQuery(catalog());
  return (
    <Page title={t('KPIs & rules')} lead={t('Your own measures, groups, rules and fiscal year. They work wherever the built-in ones do.')}>
      <Loaded query={query} height={300}>
        {(names) => (
          <Tabs
            label={t('KPIs & rules')}
            value={search.tab ?? 'kpis'}
            onChange={(tab) => set({ tab })}
            tabs={[
              { id: 'kpis', title: t('KPIs'), content: () => <KpiList /> },
              { id: 'segments', title: t('Segments'), content: () => <Segments names={names} /> },
              { id: 'rules', title: t('Rules'), content: () => <Rules names={names} /> },
              { id: 'calendar', title: t('Calendar'), content: () => <Calendar /> },
            ]}
          />
        )}
      </Loaded>
    </Page>
  );
}
