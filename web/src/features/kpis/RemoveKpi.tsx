import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api, messageOf, unwrap } from '../../api/client';
import type { Kpi, KpiDraft } from '../../api/queries';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { toast } from '../../ui/toast';
import { useRefresh } from './definitions';

/** Ends a KPI; taking that back defines it anew, as its next version. */
export function RemoveKpi({ kpi: k }: { kpi: Kpi }) {
  const navigate = useNavigate();
  const refresh = useRefresh();
  const restore = useMutation({
    mutationFn: () => {
      const { name, label, formula, description, owner } = k;
      const direction = k.direction as NonNullable<KpiDraft['direction']>;
      return unwrap(api.POST('/api/v1/kpis', { body: { name, label, formula, direction, description, owner } }));
    },
    onSuccess: refresh,
    onError: (e) => toast(messageOf(e)),
  });
  const remove = useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/v1/kpis/{name}', { params: { path: { name: k.name } } })),
    onSuccess: async () => {
      toast(t('{{name}} was removed.', { name: k.label }), { label: t('Undo'), run: () => restore.mutate() });
      await navigate({ to: '/kpis', ignoreBlocker: true });
      await refresh();
    },
    onError: (e) => toast(messageOf(e)),
  });
  return (
    <Button kind="danger" isDisabled={remove.isPending} onPress={() => remove.mutate()}>
      {t('Remove')}
    </Button>
  );
}
