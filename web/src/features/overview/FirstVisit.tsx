import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { session } from '../../api/accounts';
import { Page } from '../../app/Page';
import { t } from '../../lib/i18n';
import { DropFiles } from '../../metrics/DropFiles';
import { Card } from '../../ui/Card';

/** Before any import: one thing to do, and what comes of it. */
export function FirstVisit() {
  const who = useQuery(session()).data;
  return (
    <Page
      title={t('Welcome to MoatMetrics')}
      lead={t('Drop the exports of your tools. Minutes later you know which clients lose money after labor, and why.')}
    >
      <Card
        title={t('1. Drop your files')}
        subtitle={t('CSV, TSV or Excel from your PSA, accounting and license portals; .gz and .zip too')}
      >
        <DropFiles />
      </Card>
      <div className="stack" style={{ gridTemplateColumns: 'repeat(auto-fit, minmax(min(100%, 260px), 1fr))' }}>
        <Card title={t('What is needed first?')} level={3}>
          <p className="muted">
            {t(
              'Invoices and time entries give profit by client. Clients, agreements, licenses, tickets, staff and expenses each add an answer. Nothing has to be complete: what is missing lowers the confidence, and says so.',
            )}
          </p>
        </Card>
        <Card title={t('What becomes of the files?')} level={3}>
          <p className="muted">
            {t(
              'Each row is stored or reported with its line, column, value, reason and a fix. Every import can be undone. Nothing leaves this machine.',
            )}
          </p>
        </Card>
        <Card title={t('Only looking?')} level={3}>
          <p className="muted">
            {t('A demo MSP with 40 clients is one command away:')} <code>moatmetrics demo --data demo-data</code>
          </p>
          <p>
            <Link to="/help">{t('How to get the exports, and templates')}</Link>
          </p>
        </Card>
        {who && !who.accounts ? (
          <Card title={t('Who else will use it?')} level={3}>
            <p className="muted">
              {t('Until somebody has an account, only this machine is answered, without asking who it is. An owner invites the others.')}
            </p>
            <p>
              <Link to="/users">{t('Make the owner account')}</Link>
            </p>
          </Card>
        ) : null}
      </div>
    </Page>
  );
}
