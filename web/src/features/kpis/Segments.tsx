import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { type Segment, segments } from '../../api/queries';
import { t } from '../../lib/i18n';
import type { Names } from '../../metrics/choices';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { CellButton, DataTable } from '../../ui/DataTable';
import { Drawer } from '../../ui/Dialog';
import { Empty, Loaded } from '../../ui/States';
import { toast } from '../../ui/toast';
import { useRefresh } from './definitions';
import css from './kpis.module.css';
import { SegmentForm } from './SegmentForm';
import { Users } from './Users';

/** Saved groups of members. */
export function Segments({ names }: { names: Names }) {
  const list = useQuery(segments());
  const refresh = useRefresh();
  const [open, setOpen] = useState<Segment | 'new'>();
  const restore = useMutation({
    mutationFn: ({ name, dimension, where, months, description, owner }: Segment) =>
      unwrap(api.POST('/api/v1/segments', { body: { name, dimension, where, months, description, owner } })),
    onSuccess: refresh,
    onError: (e) => toast(messageOf(e)),
  });
  const remove = useMutation({
    mutationFn: (s: Segment) => unwrap(api.DELETE('/api/v1/segments/{name}', { params: { path: { name: s.name } } })),
    onSuccess: async (_, s) => {
      toast(t('{{name}} was removed.', { name: s.name }), { label: t('Undo'), run: () => restore.mutate(s) });
      await refresh();
    },
    onError: (e) => toast(messageOf(e)),
  });
  return (
    <Card
      title={t('Segments')}
      subtitle={t('Clients, products or others that meet a condition, under a name')}
      actions={
        <Button kind="primary" need="definitions.write" onPress={() => setOpen('new')}>
          {t('New segment')}
        </Button>
      }
    >
      <Loaded
        query={list}
        isEmpty={(all) => all.length === 0}
        empty={
          <Empty title={t('None yet')}>
            {t('Name a condition such as revenue > $50000, then filter any page by it: segment = "Key accounts".')}
          </Empty>
        }
      >
        {(all) => <List all={all} names={names} onOpen={setOpen} onRemove={(s) => remove.mutate(s)} />}
      </Loaded>
      <Drawer
        open={open !== undefined}
        onClose={() => setOpen(undefined)}
        title={open === 'new' ? t('New segment') : (open?.name ?? '')}
        subtitle={t('Who meets the condition is looked up anew for each question.')}
      >
        {open ? (
          <SegmentForm
            key={open === 'new' ? '' : open.name}
            names={names}
            saved={open === 'new' ? undefined : open}
            onDone={() => setOpen(undefined)}
          />
        ) : null}
      </Drawer>
    </Card>
  );
}

function List({
  all,
  names,
  onOpen,
  onRemove,
}: {
  all: Segment[];
  names: Names;
  onOpen: (s: Segment) => void;
  onRemove: (s: Segment) => void;
}) {
  return (
    <DataTable
      caption={t('Segments')}
      rows={all}
      rowKey={(s) => s.name}
      columns={[
        {
          id: 'name',
          head: t('Name'),
          sort: (s) => s.name,
          cell: (s) => (
            <span>
              <CellButton label={t('Change {{name}}', { name: s.name })} onPress={() => onOpen(s)}>
                {s.name}
              </CellButton>{' '}
              {s.problem ? (
                <Badge tone="bad" title={s.problem}>
                  {t('cannot be used')}
                </Badge>
              ) : null}
            </span>
          ),
        },
        { id: 'of', head: t('Of'), sort: (s) => s.dimension, cell: (s) => names.dimension.get(s.dimension)?.label ?? s.dimension },
        { id: 'where', head: t('Condition'), cell: (s) => <code className={css.code}>{s.where}</code> },
        {
          id: 'months',
          head: t('Looked at'),
          cell: (s) => (s.months > 0 ? t('last {{n}} months', { n: s.months }) : t('the period asked')),
        },
        { id: 'used', head: t('Used by'), cell: (s) => <Users of={s.used_by ?? []} /> },
        {
          id: 'explore',
          head: t('Explore'),
          cell: (s) => (
            <Link
              to="/explore"
              search={{ measures: ['revenue', 'gross_margin'], where: `segment = "${s.name}"` } as never}
              aria-label={t('Explore {{name}}', { name: s.name })}
            >
              {t('Explore')}
            </Link>
          ),
        },
        {
          id: 'remove',
          head: t('Remove'),
          cell: (s) => (
            <Button kind="quiet" need="definitions.write" aria-label={t('Remove {{name}}', { name: s.name })} onPress={() => onRemove(s)}>
              {t('Remove')}
            </Button>
          ),
        },
      ]}
    />
  );
}
