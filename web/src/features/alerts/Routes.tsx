import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, messageOf, unwrap } from '../../api/client';
import { alertRoutes, destinations, type Route, type RouteSpec, saveRoute } from '../../api/delivery';
import { instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useAddress } from '../../lib/state';
import { useNames } from '../../metrics/names';
import { Button } from '../../ui/Button';
import { Badge } from '../../ui/Card';
import { Collection } from '../../ui/Collection';
import { Drawer } from '../../ui/Dialog';
import { Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import { RouteForm } from './RouteForm';
import { inWords, specOf } from './route';

const NEW = 'new';

/** Whom rules tell, by which way and when. */
export function Routes() {
  const client = useQueryClient();
  const list = useQuery(alertRoutes());
  const [search, set] = useAddress();
  const chosen = list.data?.find((r) => r.id === search.row);
  const save = useMutation({
    mutationFn: (spec: RouteSpec) => saveRoute(chosen?.id, spec),
    onSuccess: async (r) => {
      await client.invalidateQueries({ queryKey: ['data', 'alert-routes'] });
      set({ row: undefined });
      toast(t('{{name}} is saved. It also tells, once, of what holds already.', { name: r.name }));
    },
  });
  const close = () => {
    save.reset();
    set({ row: undefined });
  };
  return (
    <>
      <Collection
        title={t('Whom do rules tell?')}
        subtitle={t('Everybody is told only what they may see')}
        query={list}
        add={{ label: t('Add a route'), onPress: () => set({ row: NEW }) }}
        empty={{ title: t('Nobody is told yet'), text: t('Say who hears of rules that begin to hold, by which way and when.') }}
      >
        {(r) => <One route={r} onEdit={() => set({ row: r.id })} />}
      </Collection>
      {search.row === NEW || chosen ? (
        <Drawer
          open
          onClose={close}
          title={chosen ? t('Change {{name}}', { name: chosen.name }) : t('New route')}
          subtitle={t('Who hears of rules that begin to hold.')}
        >
          <RouteForm key={search.row} saved={chosen} fault={save.error} busy={save.isPending} onSave={save.mutate} onCancel={close} />
        </Drawer>
      ) : null}
    </>
  );
}

function One({ route: r, onEdit }: { route: Route; onEdit: () => void }) {
  const client = useQueryClient();
  const name = useNames();
  const places = useQuery(destinations()).data ?? [];
  const said = inWords(r, name, (id) => places.find((p) => p.id === id)?.name ?? id);
  const refresh = () => client.invalidateQueries({ queryKey: ['data', 'alert-routes'] });
  const failed = (e: unknown) => toast(messageOf(e));
  const change = useMutation({
    mutationFn: (paused: boolean) => saveRoute(r.id, { ...specOf(r), paused }),
    onSuccess: refresh,
    onError: failed,
  });
  const restore = useMutation({ mutationFn: () => saveRoute(undefined, specOf(r)), onSuccess: refresh, onError: failed });
  const remove = useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/v1/alert-routes/{id}', { params: { path: { id: r.id } } })),
    onSuccess: async () => {
      toast(t('{{name}} was removed.', { name: r.name }), { label: t('Undo'), run: () => restore.mutate() });
      await refresh();
    },
    onError: failed,
  });
  return (
    <div className="stack" style={{ gap: 6 }}>
      <div className="spread">
        <h3>{r.name}</h3>
        {r.paused ? <Badge tone="warn">{t('paused')}</Badge> : <Badge tone="good">{t('on')}</Badge>}
      </div>
      <p>{t('Of {{of}}', { of: said.of })}</p>
      <p className="muted">{said.whom}</p>
      <p className="muted small">
        {said.when} · {r.sent_at ? t('told last {{at}}', { at: instant(r.sent_at) }) : t('has told nothing yet')}
      </p>
      {r.problem ? <Notice tone="warn">{r.problem}</Notice> : null}
      <div className="row">
        <Button onPress={onEdit} aria-label={t('Edit {{name}}', { name: r.name })}>
          {t('Edit')}
        </Button>
        <Button
          isDisabled={change.isPending}
          onPress={() => change.mutate(!r.paused)}
          aria-label={r.paused ? t('Go on with {{name}}', { name: r.name }) : t('Pause {{name}}', { name: r.name })}
        >
          {r.paused ? t('Go on') : t('Pause')}
        </Button>
        <Button
          kind="danger"
          isDisabled={remove.isPending}
          onPress={() => remove.mutate()}
          aria-label={t('Remove {{name}}', { name: r.name })}
        >
          {t('Remove')}
        </Button>
      </div>
    </div>
  );
}
