import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { type Source, type SourceSpec, sources } from '../../api/queries';
import { notices } from '../../api/reviews';
import { Page } from '../../app/Page';
import { instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Dialog } from '../../ui/Dialog';
import { Empty, Loaded } from '../../ui/States';
import { SourceForm } from './SourceForm';

/** Where files come from by themselves, and what about them needs a person. */
export function Sources() {
  const navigate = useNavigate();
  const client = useQueryClient();
  const list = useQuery({ ...sources(), refetchInterval: 15_000 });
  const [adding, setAdding] = useState(false);
  const add = useMutation({
    mutationFn: (spec: SourceSpec) => unwrap(api.POST('/api/v1/sources', { body: spec })),
    onSuccess: (made) => {
      client.invalidateQueries({ queryKey: sources().queryKey });
      return navigate({ to: '/sources/$id', params: { id: made.id } });
    },
  });
  return (
    <Page
      title={t('Sources')}
      lead={t(
        'Folders and servers where your tools leave exports. What is new there is imported by itself; what cannot be read waits for you.',
      )}
      actions={
        <Button kind="primary" onPress={() => setAdding(true)}>
          {t('Add a source')}
        </Button>
      }
    >
      <Notices />
      <Card title={t('Which sources are there?')}>
        <Loaded
          query={list}
          height={200}
          isEmpty={(all) => all.length === 0}
          empty={
            <Empty title={t('No source yet')}>
              {t('Name the folder in which your PSA or accounting leaves its exports: a new file there is imported within seconds.')}
            </Empty>
          }
        >
          {(all) => <List all={all} />}
        </Loaded>
      </Card>
      <Dialog
        open={adding}
        onClose={() => setAdding(false)}
        title={t('Add a source')}
        subtitle={t('Nothing is connected to before you test or run it')}
      >
        <SourceForm fault={add.error} busy={add.isPending} action={t('Add')} onSave={(spec) => add.mutate(spec)} />
      </Dialog>
    </Page>
  );
}

export function StatusBadge({ source: s }: { source: Source }) {
  const tone = s.status === 'ok' ? 'good' : s.status === 'failing' ? 'bad' : s.status === 'retrying' ? 'warn' : undefined;
  const text: Record<string, string> = { new: t('not run yet'), ok: t('ok'), retrying: t('trying again'), failing: t('failing') };
  return (
    <>
      <Badge {...(tone ? { tone } : {})}>{s.paused ? t('paused') : (text[s.status] ?? s.status)}</Badge>
      {s.problem ? (
        <span className="muted small" style={{ whiteSpace: 'normal' }}>
          {' '}
          {s.problem}
        </span>
      ) : null}
    </>
  );
}

function List({ all }: { all: Source[] }) {
  return (
    <DataTable
      caption={t('Sources')}
      rows={all}
      rowKey={(s) => s.id}
      columns={[
        {
          id: 'name',
          head: t('Name'),
          sort: (s) => s.name,
          cell: (s) => (
            <Link to="/sources/$id" params={{ id: s.id }}>
              {s.name}
            </Link>
          ),
        },
        { id: 'where', head: t('Where'), cell: (s) => <code>{where(s)}</code> },
        { id: 'when', head: t('When'), cell: when },
        { id: 'status', head: t('Status'), sort: (s) => s.status, cell: (s) => <StatusBadge source={s} /> },
        {
          id: 'last',
          head: t('Last run'),
          sort: (s) => String(s.last_run ?? ''),
          cell: (s) => (s.last_run ? instant(String(s.last_run)) : '—'),
        },
        {
          id: 'next',
          head: t('Next run'),
          sort: (s) => String(s.next_run ?? ''),
          cell: (s) => (s.next_run ? instant(String(s.next_run)) : '—'),
        },
      ]}
    />
  );
}

export function where({ kind, settings: s }: Source): string {
  const host = kind === 's3' ? `${s.endpoint}/${s.bucket}` : kind === 'folder' ? '' : s.host;
  const place = [host, s.path].filter(Boolean).join(kind === 's3' ? '/' : ':');
  return place + (s.pattern ? ` (${s.pattern})` : '');
}

export function when(s: Source): string {
  if (!s.schedule) return t('by hand');
  if (s.schedule === 'watch') return t('when a file comes');
  return s.zone ? `${s.schedule} (${s.zone})` : `${s.schedule} (UTC)`;
}

const OF_SOURCES = ['source_failing', 'file_quarantined', 'rows_rejected', 'rows_for_review'];

/** What happened while nobody looked. */
function Notices() {
  const client = useQueryClient();
  const list = useQuery({ ...notices(true), refetchInterval: 15_000 });
  const read = useMutation({
    mutationFn: (id: string) => unwrap(api.POST('/api/v1/notices/{id}/read', { params: { path: { id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: ['data', 'notices'] }),
  });
  const all = (list.data ?? []).filter((n) => OF_SOURCES.includes(n.kind));
  if (all.length === 0) return null;
  return (
    <Card title={t('What needs you?')} subtitle={t('From sources, newest first')}>
      <ul className="stack" style={{ gap: 8 }}>
        {all.map((n) => (
          <li key={n.id} className="spread">
            <span>
              <Link to={n.link as '/'}>{n.message}</Link> <span className="muted small">{instant(String(n.created_at))}</span>
            </span>
            <Button
              kind="quiet"
              isDisabled={read.isPending}
              onPress={() => read.mutate(n.id)}
              aria-label={t('Seen: {{message}}', { message: n.message })}
            >
              {t('Seen')}
            </Button>
          </li>
        ))}
      </ul>
      {read.isError ? <p role="alert">{messageOf(read.error)}</p> : null}
    </Card>
  );
}
