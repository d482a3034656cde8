import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { catalog, kpi } from '../../api/queries';
import { Loaded } from '../../ui/States';
import { KpiEditor } from './KpiEditor';

export function NewKpi() {
  const names = useQuery(catalog());
  return (
    <Loaded query={names} height={400}>
      {(n) => <KpiEditor names={n} />}
    </Loaded>
  );
}

/** One of the tenant's own measures. */
export function KpiPage() {
  const { name } = useParams({ strict: false }) as { name: string };
  const saved = useQuery(kpi(name));
  const names = useQuery(catalog());
  return (
    <Loaded query={names} height={400}>
      {(n) => (
        <Loaded query={saved} height={400}>
          {(k) => <KpiEditor key={`${k.name} ${k.version}`} names={n} saved={k} />}
        </Loaded>
      )}
    </Loaded>
  );
}
