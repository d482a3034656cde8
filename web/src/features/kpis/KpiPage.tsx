import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { catalog, kpi } from '../../api/queries';
import { t } from '../../lib/i18n';
import { Loaded, Skeleton } from '../../ui/States';
import { KpiEditor } from './KpiEditor';

export function NewKpi() {
  const names = useQuery(catalog()).data;
  return names ? <KpiEditor names={names} /> : <Skeleton height={400} />;
}

/** One of the tenant's own measures. */
export function KpiPage() {
  const { name } = useParams({ strict: false }) as { name: string };
  const saved = useQuery(kpi(name));
  const names = useQuery(catalog()).data;
  return (
    <Loaded query={saved} height={400}>
      {(k) => (names ? <KpiEditor key={`${k.name} ${k.version}`} names={names} saved={k} /> : <span>{t('Loading')}</span>)}
    </Loaded>
  );
}
