import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Bookmark, Share2 } from 'lucide-react';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { type Ask, dashboards, type Tile, type View, views } from '../../api/queries';
import { t } from '../../lib/i18n';
import { useView } from '../../lib/state';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { TextField } from '../../ui/Field';
import { Menu } from '../../ui/Menu';
import { May, useMay } from '../../ui/may';
import { toast } from '../../ui/toast';

type Show = 'table' | 'bars' | 'pivot' | 'trend';

const TILES: Record<Show, Tile['kind']> = { table: 'table', bars: 'bar', pivot: 'table', trend: 'trend' };

/** Keeps what is explored: as a view, as a tile of a dashboard, or as a short link. */
export function SaveMenu({ ask, show }: { ask: Ask; show: Show }) {
  const client = useQueryClient();
  const may = useMay('boards.write');
  const navigate = useNavigate();
  const { where } = useView();
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState('');
  const reads = useMay('boards.read');
  const saved = useQuery({ ...views(), enabled: reads });
  const boards = useQuery({ ...dashboards(), enabled: reads });
  const refresh = () => client.invalidateQueries({ queryKey: ['views'] });
  const save = useMutation({
    mutationFn: () =>
      unwrap(api.POST('/api/v1/views', { body: { name: name.trim(), content: { path: location.pathname + location.search } } })),
    onSuccess: (v) => {
      refresh();
      setNaming(false);
      setName('');
      toast(t('{{name}} is saved.', { name: v.name }));
    },
    onError: (e) => toast(messageOf(e)),
  });
  const restore = useMutation({
    mutationFn: (id: string) => unwrap(api.POST('/api/v1/views/{id}/restore', { params: { path: { id } } })),
    onSuccess: refresh,
    onError: (e) => toast(messageOf(e)),
  });
  const remove = useMutation({
    mutationFn: (v: View) => unwrap(api.DELETE('/api/v1/views/{id}', { params: { path: { id: v.id } } })),
    onSuccess: (_, v) => {
      refresh();
      toast(t('{{name}} was deleted.', { name: v.name }), { label: t('Undo'), run: () => restore.mutate(v.id) });
    },
    onError: (e) => toast(messageOf(e)),
  });
  const addTile = useMutation({
    mutationFn: async (id: string) => {
      const d = await unwrap(api.GET('/api/v1/dashboards/{id}', { params: { path: { id } } }));
      const tiles = d.content.tiles ?? [];
      const kind = (ask.by?.length ?? 0) === 0 ? (show === 'trend' ? 'trend' : 'kpi') : TILES[show];
      const tile: Tile = {
        id: crypto.randomUUID().slice(0, 8),
        kind,
        x: 0,
        y: tiles.reduce((most, x) => Math.max(most, x.y + x.h), 0),
        w: kind === 'kpi' ? 3 : 6,
        h: kind === 'kpi' ? 3 : 8,
        title: '',
        measures: ask.measures,
        ...(ask.by?.length ? { by: ask.by } : {}),
        ...(where ? { where } : {}),
      };
      return unwrap(
        api.PUT('/api/v1/dashboards/{id}', {
          params: { path: { id } },
          body: { name: d.name, content: { ...d.content, tiles: [...tiles, tile] }, revision: d.revision, autosave: false },
        }),
      );
    },
    onSuccess: (d) => {
      client.setQueryData(['dashboard', d.id], d);
      toast(t('Added to {{name}}.', { name: d.name }), {
        label: t('Open'),
        run: () => navigate({ to: '/dashboards/$id', params: { id: d.id } }),
      });
    },
    onError: (e) => toast(messageOf(e)),
  });
  const share = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/links', { body: { path: location.pathname + location.search } })),
    onSuccess: async (link) => {
      const url = location.origin + link.url;
      await navigator.clipboard?.writeText(url).catch(() => undefined);
      toast(t('Link copied: {{url}}', { url }));
    },
    onError: (e) => toast(messageOf(e)),
  });
  return (
    <>
      <May action="boards.read">
        <Menu
          label={t('Views')}
          trigger={
            <Button>
              <Bookmark size={16} aria-hidden="true" /> {t('Views')}
            </Button>
          }
          sections={[
            { actions: may ? [{ id: 'save', label: t('Save this view …'), onAction: () => setNaming(true) }] : [] },
            {
              head: t('Saved'),
              actions: (saved.data ?? []).map((v) => ({ id: v.id, label: v.name, onAction: () => navigate({ href: v.content.path }) })),
            },
            {
              head: t('Delete'),
              actions: (may ? (saved.data ?? []) : []).map((v) => ({ id: `x${v.id}`, label: v.name, onAction: () => remove.mutate(v) })),
            },
          ]}
        />
      </May>
      <May action="boards.write">
        <Menu
          label={t('Add to a dashboard')}
          trigger={<Button>{t('Add to dashboard')}</Button>}
          sections={[
            { actions: (boards.data ?? []).map((d) => ({ id: d.id, label: d.name, onAction: () => addTile.mutate(d.id) })) },
            { actions: [{ id: 'new', label: t('All dashboards'), onAction: () => navigate({ to: '/dashboards' }) }] },
          ]}
        />
      </May>
      <Button need="boards.write" onPress={() => share.mutate()}>
        <Share2 size={16} aria-hidden="true" /> {t('Share')}
      </Button>
      <Dialog
        open={naming}
        onClose={() => setNaming(false)}
        title={t('Save this view')}
        subtitle={t('Measures, cuts, period and filter, as they are now')}
      >
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            if (name.trim()) save.mutate();
          }}
        >
          <TextField label={t('Name')} value={name} onChange={setName} autoFocus placeholder={t('Profit by industry')} />
          <div className="row">
            <Button type="submit" kind="primary" isDisabled={name.trim() === '' || save.isPending}>
              {t('Save')}
            </Button>
            <Button onPress={() => setNaming(false)}>{t('Cancel')}</Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
