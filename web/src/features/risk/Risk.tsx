import { Page } from '../../app/Page';
import { t } from '../../lib/i18n';
import { useAddress } from '../../lib/state';
import { Tabs } from '../../ui/Tabs';
import { ClientRisks } from './ClientRisks';
import { ProjectRisks } from './ProjectRisks';

/** What may go wrong with clients and projects, component by component. */
export function Risk() {
  const [search, set] = useAddress();
  return (
    <Page title={t('Risk')} lead={t('What may go wrong, part by part, each with its figure and its limit. There is no hidden score.')}>
      <Tabs
        label={t('Risk')}
        value={search.tab ?? 'clients'}
        onChange={(tab) => set({ tab: tab === 'clients' ? undefined : tab, row: undefined })}
        tabs={[
          { id: 'clients', title: t('Clients'), content: () => <ClientRisks /> },
          { id: 'projects', title: t('Projects'), content: () => <ProjectRisks /> },
        ]}
      />
    </Page>
  );
}
