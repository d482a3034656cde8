import { useQuery } from '@tanstack/react-query';
import { policies, policyVersions } from '../../api/queries';
import { Page } from '../../app/Page';
import { t } from '../../lib/i18n';
import { useAddress } from '../../lib/state';
import { Notice } from '../../ui/States';
import { Tabs } from '../../ui/Tabs';
import { History } from './History';
import { PolicyTexts } from './PolicyTexts';
import { Roles } from './Roles';
import { WhyTool } from './WhyTool';

/** Who may see and do what: roles, the policies behind them, why, and what was changed. */
export function Policies() {
  const [search, set] = useAddress();
  const waiting = (useQuery(policyVersions()).data ?? []).filter((v) => v.status === 'proposed').length;
  const alone = useQuery(policies()).data?.alone;
  return (
    <Page title={t('Roles & policies')} lead={t('Who may see and do what. What no policy allows is refused.')}>
      {waiting > 0 && search.tab !== 'history' ? (
        <Notice tone="warn">{t('{{count}} changes wait for a second person: see History.', { count: waiting })}</Notice>
      ) : null}
      <Tabs
        label={t('Roles & policies')}
        value={search.tab ?? 'roles'}
        onChange={(tab) => set({ tab: tab === 'roles' ? undefined : tab, row: undefined })}
        tabs={[
          { id: 'roles', title: t('Roles'), content: () => <Roles /> },
          { id: 'policies', title: t('Policies'), content: () => <PolicyTexts /> },
          { id: 'why', title: t('Why denied?'), content: () => <WhyTool /> },
          { id: 'history', title: t('History'), content: () => <History /> },
        ]}
      />
      {alone === undefined ? null : (
        <p className="muted small">
          {alone
            ? t(
                'A change holds at once, since nobody else may approve it. With a second account that may change policies, it waits for that person.',
              )
            : t('A change waits until a second person who may change policies approves it.')}
        </p>
      )}
    </Page>
  );
}
