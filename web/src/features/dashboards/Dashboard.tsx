import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { MonitorPlay, Pencil, Redo2, Share2, Undo2 } from 'lucide-react';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { api, messageOf, RequestError, unwrap } from '../../api/client';
import { type DashboardAnswer, type DashboardContent, dashboard, dashboards, type Tile } from '../../api/queries';
import { Page } from '../../app/Page';
import { both } from '../../lib/filters';
import { day, instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { resolve } from '../../lib/period';
import { useAddress, useView } from '../../lib/state';
import { FilterBar } from '../../metrics/FilterBar';
import { TimeBar } from '../../metrics/TimeBar';
import { periodText } from '../../metrics/words';
import { Button, IconButton } from '../../ui/Button';
import { Failure, Skeleton } from '../../ui/States';
import { toast } from '../../ui/toast';
import { useUnsaved } from '../../ui/unsaved';
import css from './dashboards.module.css';
import { inOrder } from './layout';
import { TileView, tileSubtitle } from './TileView';

const Editor = lazy(() => import('./Editor').then((m) => ({ default: m.Editor })));

/** How long after a failure (not a refusal) it is tried again. */
const RETRY_AFTER = 3000;

/** How long after the last change a draft is saved. */
const SAVE_AFTER = 700;

export function Dashboard() {
  const { id } = useParams({ from: '/dashboards/$id' });
  const found = useQuery(dashboard(id));
  if (found.isError && !found.data) {
    return (
      <Page title={t('Dashboard')}>
        <Failure error={found.error} onRetry={() => found.refetch()} />
        <p>
          <Link to="/dashboards">{t('All dashboards')}</Link>
        </p>
      </Page>
    );
  }
  if (!found.data) return <Skeleton height={400} />;
  return <Board key={id} saved={found.data} />;
}

/** Saves a draft on top of the save on its way, also when the page is closed meanwhile. */
async function leaving(id: string, draft: { name: string; content: DashboardContent }, onWay: Promise<number>): Promise<DashboardAnswer> {
  const revision = await onWay;
  return unwrap(
    api.PUT('/api/v1/dashboards/{id}', { params: { path: { id } }, body: { ...draft, autosave: true, revision }, keepalive: true }),
  );
}

function Board({ saved }: { saved: DashboardAnswer }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [search, set] = useAddress();
  const { where: filter, complete, status } = useView();
  const [draft, setDraft] = useState<{ name: string; content: DashboardContent }>({ name: saved.name, content: saved.content });
  const editing = search.edit === 1;
  const kiosk = search.kiosk === 1;
  // What the server has, as it was sent: it leaves out what is empty, so its own answer reads differently.
  const [kept, setKept] = useState(draft);
  const dirty = draft !== kept;
  const show = (d: DashboardAnswer) => {
    const next = { name: d.name, content: d.content };
    setDraft(next);
    setKept(next);
  };
  const take = (d: DashboardAnswer) => {
    client.setQueryData(dashboard(saved.id).queryKey, d);
    client.invalidateQueries({ queryKey: ['dashboards'] });
  };
  const reload = async () => show(await client.fetchQuery({ ...dashboard(saved.id), staleTime: 0 }));

  const onWay = useRef(Promise.resolve(saved.revision));
  const save = useMutation({
    mutationFn: (body: { name: string; content: DashboardContent; autosave: boolean }) => {
      const answer = unwrap(
        api.PUT('/api/v1/dashboards/{id}', {
          params: { path: { id: saved.id } },
          body: { ...body, name: body.name.trim() || saved.name, revision: saved.revision },
        }),
      );
      onWay.current = answer.then(
        (d) => d.revision,
        () => saved.revision,
      );
      return answer;
    },
    onSuccess: (d, { name, content }) => {
      take(d);
      setKept((now) => (draft.name === name && draft.content === content ? draft : now));
    },
    onError: (e) =>
      e instanceof RequestError && e.problem.status === 409
        ? toast(messageOf(e), { label: t('Load theirs'), run: reload })
        : toast(messageOf(e)),
  });
  const step = useMutation({
    mutationFn: (direction: 'undo' | 'redo') =>
      unwrap(
        direction === 'undo'
          ? api.POST('/api/v1/dashboards/{id}/undo', { params: { path: { id: saved.id } } })
          : api.POST('/api/v1/dashboards/{id}/redo', { params: { path: { id: saved.id } } }),
      ),
    onSuccess: (d) => {
      take(d);
      show(d);
    },
    onError: (e) => toast(messageOf(e)),
  });

  // Drafts save themselves a moment after the last change; only one save is on its way.
  const pending = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    clearTimeout(pending.current);
    const refused =
      save.isError && save.error instanceof RequestError && save.error.problem.status >= 400 && save.error.problem.status < 500;
    if (editing && dirty && !save.isPending && !refused && draft.name.trim() !== '')
      pending.current = setTimeout(() => save.mutate({ ...draft, autosave: true }), save.isError ? RETRY_AFTER : SAVE_AFTER);
    return () => clearTimeout(pending.current);
  }, [editing, dirty, draft, save]);
  // What was not saved yet when the page is left is saved then, after the save on its way.
  const latest = useRef<() => void>(() => undefined);
  latest.current = () => {
    if (!editing || !dirty || draft.name.trim() === '' || save.isError) return;
    const sent = save.isPending && save.variables?.name === draft.name && save.variables.content === draft.content;
    if (!sent)
      leaving(saved.id, draft, save.isPending ? onWay.current : Promise.resolve(saved.revision)).then(take, (e: unknown) =>
        toast(messageOf(e)),
      );
  };
  useEffect(() => {
    const flush = () => latest.current();
    addEventListener('pagehide', flush);
    return () => {
      removeEventListener('pagehide', flush);
      flush();
    };
  }, []);
  // What cannot be saved so is lost with the page: a draft without a name, or one that was refused.
  const asks = useUnsaved(editing && dirty && (draft.name.trim() === '' || save.isError));
  const change = (next: Partial<typeof draft>) => {
    if (save.isError) save.reset();
    setDraft({ ...draft, ...next });
  };

  useEffect(() => {
    if (!editing) return;
    const onKey = (e: KeyboardEvent) => {
      if (!(e.ctrlKey || e.metaKey) || e.key.toLowerCase() !== 'z') return;
      if (e.target instanceof HTMLElement && e.target.closest('input, textarea')) return;
      e.preventDefault();
      if (e.shiftKey ? saved.can_redo : saved.can_undo) step.mutate(e.shiftKey ? 'redo' : 'undo');
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [editing, saved.can_undo, saved.can_redo, step]);

  // The wall shows one dashboard after the other.
  const all = useQuery({ ...dashboards(), enabled: kiosk && Boolean(search.cycle) });
  useEffect(() => {
    const list = all.data ?? [];
    if (!kiosk || !search.cycle || list.length < 2) return;
    const timer = setTimeout(() => {
      const next = list[(list.findIndex((d) => d.id === saved.id) + 1) % list.length];
      if (next)
        navigate({ to: '/dashboards/$id', params: { id: next.id }, search: { kiosk: 1, cycle: search.cycle ?? 30 }, replace: true });
    }, Math.max(5, search.cycle) * 1000);
    return () => clearTimeout(timer);
  }, [kiosk, search.cycle, all.data, saved.id, navigate]);

  const share = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/api/v1/links', {
          body: { path: location.pathname + location.search.replace(/([?&])edit=1&?/, '$1').replace(/[?&]$/, '') },
        }),
      ),
    onSuccess: async (link) => {
      const url = location.origin + link.url;
      await navigator.clipboard?.writeText(url).catch(() => undefined);
      toast(t('Link copied: {{url}}', { url }));
    },
    onError: (e) => toast(messageOf(e)),
  });

  const period = search.period ?? draft.content.period ?? 'last12';
  const where = both(draft.content.where, filter);
  const tiles = [...(draft.content.tiles ?? [])].sort(inOrder);
  const days = resolve(period, complete);
  const asOf = status?.data_through
    ? t('Data through {{day}} · snapshot {{snapshot}} of {{at}}', {
        day: day(String(status.data_through)),
        snapshot: status.snapshot,
        at: instant(status.snapshot_at ?? ''),
      })
    : '';

  const board = editing ? (
    <Suspense
      fallback={
        <div role="status" aria-label={t('Loading')}>
          <Skeleton height={400} />
        </div>
      }
    >
      <Editor
        name={draft.name}
        content={draft.content}
        period={period}
        where={where}
        onName={(name) => change({ name })}
        onContent={(content) => change({ content })}
      />
    </Suspense>
  ) : tiles.length === 0 ? (
    <div>
      <p className="muted">{t('No tile yet.')}</p>
      <Button kind="primary" need="boards.write" onPress={() => set({ edit: 1 })}>
        {t('Add tiles')}
      </Button>
    </div>
  ) : (
    <div className={css.grid} data-board>
      {tiles.map((x) => (
        <div key={x.id} style={{ gridColumn: `${x.x + 1} / span ${x.w}`, gridRow: `${x.y + 1} / span ${x.h}`, minWidth: 0 }}>
          <TileFrame tile={x} period={period} where={where} />
        </div>
      ))}
    </div>
  );

  if (kiosk) {
    return (
      <>
        <div className={css.wallHead}>
          <h1>{draft.name}</h1>
          <span className="muted">
            {periodText(days)} · {asOf}
          </span>
        </div>
        {board}
      </>
    );
  }
  return (
    <Page
      title={draft.name || t('Dashboard')}
      lead={
        editing ? (
          <span aria-live="polite">{save.isPending ? t('Saving …') : dirty ? t('Not saved yet') : t('All changes are saved.')}</span>
        ) : (
          asOf
        )
      }
      actions={
        editing ? (
          <>
            <IconButton label={t('Undo (Ctrl Z)')} isDisabled={!saved.can_undo || step.isPending} onPress={() => step.mutate('undo')}>
              <Undo2 size={16} />
            </IconButton>
            <IconButton label={t('Redo (Ctrl Shift Z)')} isDisabled={!saved.can_redo || step.isPending} onPress={() => step.mutate('redo')}>
              <Redo2 size={16} />
            </IconButton>
            <Button
              kind="primary"
              onPress={() => {
                clearTimeout(pending.current);
                save.mutate({ ...draft, autosave: false }, { onSuccess: () => set({ edit: undefined }) });
              }}
            >
              {t('Done')}
            </Button>
          </>
        ) : (
          <>
            <Button need="boards.write" onPress={() => set({ edit: 1 })}>
              <Pencil size={16} aria-hidden="true" /> {t('Edit')}
            </Button>
            <Button need="boards.write" onPress={() => share.mutate()}>
              <Share2 size={16} aria-hidden="true" /> {t('Share')}
            </Button>
            <Button onPress={() => set({ kiosk: 1 })}>
              <MonitorPlay size={16} aria-hidden="true" /> {t('On the wall')}
            </Button>
          </>
        )
      }
    >
      {asks}
      {editing ? null : (
        <div className="row" data-no-print>
          <TimeBar />
          <FilterBar />
        </div>
      )}
      {board}
    </Page>
  );
}

export function TileFrame({ tile, period, where }: { tile: Tile; period: string; where: string }) {
  const { complete } = useView();
  const days = resolve(tile.period || period, complete);
  return (
    <section className={css.tile} data-kind={tile.kind} aria-label={tile.title || tile.kind}>
      {tile.kind !== 'kpi' && tile.title ? (
        <h2>
          {tile.title}
          <small>{tileSubtitle(tile, days)}</small>
        </h2>
      ) : null}
      <TileView tile={tile} period={period} where={where} />
    </section>
  );
}
