import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { clientRisks } from '../api/queries';
import { t } from '../lib/i18n';
import type { Period } from '../lib/period';
import { carried, useAddress } from '../lib/state';
import { Card } from '../ui/Card';
import { Skeleton } from '../ui/States';
import css from './metrics.module.css';
import { StateBadge } from './StateBadge';

/** A client's five components in a line each; they open on the page of risks. */
export function ClientRiskCard({ name, days }: { name: string; days: Period | undefined }) {
  const [search] = useAddress();
  const query = useQuery({ ...clientRisks(days), enabled: days !== undefined });
  const own = query.data?.clients.find((r) => r.client === name);
  if (query.isLoading) return <Skeleton height={160} />;
  if (!own) return null;
  return (
    <Card
      title={t('What is at risk?')}
      subtitle={t('By rules, each against its limit; no probability of leaving')}
      actions={
        <Link to="/risk" search={{ ...carried(search), row: name } as never}>
          {t('The figures')}
        </Link>
      }
    >
      <dl className={css.riskStates}>
        {own.components.map((c) => (
          <div key={c.name}>
            <dt>
              {c.label} <StateBadge state={c.state} />
            </dt>
            <dd>{c.words}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
