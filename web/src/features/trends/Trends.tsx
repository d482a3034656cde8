import { useQuery } from '@tanstack/react-query';
import { catalog } from '../../api/queries';
import { Page } from '../../app/Page';
import { t } from '../../lib/i18n';
import { useAddress } from '../../lib/state';
import { Tabs } from '../../ui/Tabs';
import { Anomalies } from './Anomalies';
import { Correlations } from './Correlations';
import { OverTime } from './OverTime';

/** How measures move, which months stand out, and what goes together. */
export function Trends() {
  const [search, set] = useAddress();
  const names = useQuery(catalog()).data;
  return (
    <Page
      title={t('Trends')}
      lead={t('Where a measure is going, which months stand out, and what goes together: each with how sure that is.')}
    >
      {names ? (
        <Tabs
          label={t('Trends')}
          value={search.tab ?? 'time'}
          onChange={(tab) => set({ tab })}
          tabs={[
            { id: 'time', title: t('Over time'), content: () => <OverTime names={names} /> },
            { id: 'out', title: t('What stands out'), content: () => <Anomalies names={names} /> },
            { id: 'together', title: t('What goes together'), content: () => <Correlations names={names} /> },
          ]}
        />
      ) : null}
    </Page>
  );
}
