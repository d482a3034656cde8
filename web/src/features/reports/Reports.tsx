import { Link } from '@tanstack/react-router';
import { Page } from '../../app/Page';
import { t } from '../../lib/i18n';
import { useAddress } from '../../lib/state';
import { useMay } from '../../ui/may';
import { Tabs } from '../../ui/Tabs';
import { FilePanel } from './FilePanel';
import { Files } from './Files';
import { Look } from './Look';
import { Schedules } from './Schedules';
import { Templates } from './Templates';

/** What is put on paper: what there is to make, what was made, what is made by itself, and how it looks. */
export function Reports() {
  const [search, set] = useAddress();
  const [mayTemplates, mayWrite, maySend, mayBrand] = [
    useMay('boards.read'),
    useMay('definitions.write'),
    useMay('reports.send'),
    useMay('settings.write'),
  ];
  const tabs = [
    ...(mayTemplates ? [{ id: 'templates', title: t('Templates'), content: () => <Templates /> }] : []),
    { id: 'files', title: t('Files'), content: () => <Files /> },
    ...(maySend ? [{ id: 'schedules', title: t('Schedules'), content: () => <Schedules /> }] : []),
    ...(mayTemplates && mayBrand ? [{ id: 'look', title: t('Look'), content: () => <Look /> }] : []),
  ];
  const first = tabs[0]?.id ?? 'files';
  const asked = search.tab ?? (search.report ? 'files' : search.schedule ? 'schedules' : undefined);
  return (
    <Page
      title={t('Reports')}
      lead={t(
        'Figures, findings and answers as a file for people. What a file was made from is kept, so it can be made again to the byte.',
      )}
      actions={mayWrite ? <Link to="/reports/new">{t('New template')}</Link> : null}
    >
      <Tabs
        label={t('Reports')}
        value={asked ?? first}
        onChange={(tab) =>
          set({ tab: tab === first ? undefined : tab, report: undefined, preview: undefined, make: undefined, schedule: undefined })
        }
        tabs={tabs}
      />
      {search.report ? <FilePanel id={search.report} onClose={() => set({ report: undefined })} /> : null}
    </Page>
  );
}
