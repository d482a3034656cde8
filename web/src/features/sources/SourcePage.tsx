import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { type Source, type SourceFile, type SourceSpec, sourceFiles, sources } from '../../api/queries';
import { startBatch } from '../../api/upload';
import { Page } from '../../app/Page';
import { bytes, instant, integer } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Dialog } from '../../ui/Dialog';
import { Empty, Failure, Loaded, Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import { SourceForm, specOf } from './SourceForm';
import { StatusBadge, when, where } from './Sources';

/** One source: how it is, what became of its files, and what a person can do about them. */
export function SourcePage() {
  const { id } = useParams({ from: '/sources/$id' });
  const list = useQuery({ ...sources(), refetchInterval: 5_000 });
  const source = list.data?.find((s) => s.id === id || s.name === id);
  if (list.isError && !list.data)
    return (
      <Page title={t('Source')}>
        <Failure error={list.error} onRetry={() => list.refetch()} />
      </Page>
    );
  if (!source)
    return (
      <Page title={t('Source')}>
        {list.isSuccess ? <Empty title={t('There is no such source')} action={<Link to="/sources">{t('All sources')}</Link>} /> : null}
      </Page>
    );
  return <One source={source} />;
}

function One({ source: s }: { source: Source }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [editing, setEditing] = useState(false);
  const [removing, setRemoving] = useState(false);
  const path = { path: { id: s.id } };
  const refresh = () => client.invalidateQueries({ queryKey: ['data'] });
  const test = useMutation({ mutationFn: () => unwrap(api.POST('/api/v1/sources/{id}/test', { params: path })) });
  const run = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/sources/{id}/run', { params: path })),
    onSuccess: (r) =>
      toast(
        t('{{listed}} files there: {{imported}} imported, {{quarantined}} in quarantine, {{waiting}} still being written', {
          listed: r.listed,
          imported: r.imported,
          quarantined: r.quarantined,
          waiting: r.waiting,
        }),
      ),
    onError: (e) => toast(messageOf(e)),
    onSettled: refresh,
  });
  const change = useMutation({
    mutationFn: (spec: SourceSpec) => unwrap(api.PUT('/api/v1/sources/{id}', { params: path, body: spec })),
    onSuccess: () => {
      setEditing(false);
      toast(t('The source is changed.'));
    },
    onSettled: refresh,
  });
  const remove = useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/v1/sources/{id}', { params: path })),
    onSuccess: async () => {
      await navigate({ to: '/sources' });
      client.removeQueries({ queryKey: sourceFiles(s.id).queryKey });
      await client.invalidateQueries({ queryKey: sources().queryKey, exact: true });
    },
    onError: (e) => toast(messageOf(e)),
  });
  const hostKey = /(ssh-[a-z0-9-]+|ecdsa-[a-z0-9-]+) SHA256:[A-Za-z0-9+/=]+/.exec(`${messageOf(test.error ?? '')} ${s.problem}`)?.[0];
  return (
    <Page
      title={s.name}
      lead={`${where(s)}, ${when(s)}`}
      actions={
        <>
          <Button kind="primary" isDisabled={run.isPending} onPress={() => run.mutate()}>
            {run.isPending ? t('Running …') : t('Run now')}
          </Button>
          <Button isDisabled={test.isPending} onPress={() => test.mutate()}>
            {t('Test')}
          </Button>
          <Button onPress={() => setEditing(true)}>{t('Change')}</Button>
          <Button kind="quiet" onPress={() => setRemoving(true)}>
            {t('Remove')}
          </Button>
          <Link to="/sources">{t('All sources')}</Link>
        </>
      }
    >
      <p>
        <StatusBadge source={s} />{' '}
        <span className="muted small">
          {s.last_run ? t('Last run {{at}}.', { at: instant(String(s.last_run)) }) : null}{' '}
          {s.next_run ? t('Next run {{at}}.', { at: instant(String(s.next_run)) }) : null}
        </span>
      </p>
      {hostKey && hostKey !== s.settings.host_key ? (
        <Notice tone="warn">
          {t('The server shows the key {{key}}. Compare it with what its owner says before you trust it.', { key: hostKey })}{' '}
          <Button onPress={() => change.mutate({ ...specOf(s), settings: { ...s.settings, host_key: hostKey } })}>
            {t('Trust this key')}
          </Button>
        </Notice>
      ) : null}
      {test.isError && !hostKey ? <Notice tone="bad">{messageOf(test.error)}</Notice> : null}
      {test.data ? (
        <Card title={t('What is there?')} subtitle={t('Nothing was imported')}>
          <DataTable
            caption={t('Files at the source')}
            rows={test.data.items ?? []}
            rowKey={(f) => f.path}
            columns={[
              { id: 'path', head: t('File'), sort: (f) => f.path, cell: (f) => f.path },
              { id: 'bytes', head: t('Size'), right: true, sort: (f) => f.bytes, cell: (f) => bytes(f.bytes) },
              { id: 'skip', head: t('Left out because'), cell: (f) => f.skip ?? '' },
            ]}
          />
        </Card>
      ) : null}
      <Files source={s} onChange={refresh} />
      <Dialog open={editing} onClose={() => setEditing(false)} title={t('Change {{name}}', { name: s.name })}>
        <SourceForm source={s} fault={change.error} busy={change.isPending} action={t('Save')} onSave={(spec) => change.mutate(spec)} />
      </Dialog>
      <Dialog open={removing} onClose={() => setRemoving(false)} title={t('Remove {{name}}?', { name: s.name })}>
        <div className="stack">
          <p>{t('It is not looked at any more. What it imported stays, and so do its files.')}</p>
          <div className="row">
            <Button kind="danger" isDisabled={remove.isPending} onPress={() => remove.mutate()}>
              {t('Remove')}
            </Button>
            <Button onPress={() => setRemoving(false)}>{t('Cancel')}</Button>
          </div>
        </div>
      </Dialog>
    </Page>
  );
}

const FATES: Record<string, [string, 'good' | 'bad' | 'warn' | undefined]> = {
  fetched: [t('fetched'), undefined],
  importing: [t('being imported'), undefined],
  imported: [t('imported'), 'good'],
  duplicate: [t('imported before'), undefined],
  quarantined: [t('in quarantine'), 'bad'],
  released: [t('tried again next'), 'warn'],
  dismissed: [t('dismissed'), undefined],
};

function Files({ source, onChange }: { source: Source; onChange: () => void }) {
  const navigate = useNavigate();
  const list = useQuery({ ...sourceFiles(source.id), refetchInterval: 5_000 });
  const decide = useMutation({
    mutationFn: ({ file, verb }: { file: SourceFile; verb: 'release' | 'dismiss' }) => {
      const params = { path: { id: source.id, file: file.id } };
      return verb === 'release'
        ? unwrap(api.POST('/api/v1/sources/{id}/files/{file}/release', { params, body: {} }))
        : unwrap(api.POST('/api/v1/sources/{id}/files/{file}/dismiss', { params }));
    },
    onSuccess: (_, d) => toast(d.verb === 'release' ? t('The next run tries it again.') : t('It is out of quarantine and not imported.')),
    onError: (e) => toast(messageOf(e)),
    onSettled: onChange,
  });
  const look = useMutation({
    mutationFn: (file: SourceFile) => startBatch([{ upload: file.upload }], { dryRun: true }),
    onSuccess: (b) => navigate({ to: '/import/batch/$batch', params: { batch: b.id } }),
    onError: (e) => toast(messageOf(e)),
  });
  return (
    <Card title={t('What became of its files?')} subtitle={t('Newest first')}>
      <Loaded
        query={list}
        height={200}
        isEmpty={(all) => all.length === 0}
        empty={<Empty title={t('No file was taken yet')}>{t('Run it now, or wait for its time.')}</Empty>}
      >
        {(all) => (
          <DataTable
            caption={t('Files of {{name}}', { name: source.name })}
            rows={all}
            rowKey={(f) => f.id}
            columns={[
              { id: 'path', head: t('File'), sort: (f) => f.path, cell: (f) => f.path },
              { id: 'seen', head: t('Seen'), sort: (f) => String(f.seen_at), cell: (f) => instant(String(f.seen_at)) },
              { id: 'bytes', head: t('Bytes'), right: true, sort: (f) => f.bytes, cell: (f) => integer(f.bytes) },
              {
                id: 'status',
                head: t('What became of it'),
                sort: (f) => f.status,
                cell: (f) => {
                  const [text, tone] = FATES[f.status] ?? [f.status, undefined];
                  return (
                    <span style={{ whiteSpace: 'normal' }}>
                      {f.status === 'imported' && f.batch ? (
                        <Link to="/import/batch/$batch" params={{ batch: f.batch }}>
                          {text}
                        </Link>
                      ) : (
                        <Badge {...(tone ? { tone } : {})}>{text}</Badge>
                      )}{' '}
                      <span className="muted small">{f.problem}</span>
                    </span>
                  );
                },
              },
              {
                id: 'do',
                head: '',
                cell: (f) =>
                  f.status === 'quarantined' || f.status === 'duplicate' ? (
                    <span className="row">
                      {f.upload && f.status === 'quarantined' ? (
                        <Button
                          isDisabled={look.isPending}
                          onPress={() => look.mutate(f)}
                          aria-label={t('Check {{file}}', { file: f.path })}
                        >
                          {t('Check')}
                        </Button>
                      ) : null}
                      <Button
                        kind="quiet"
                        isDisabled={decide.isPending}
                        onPress={() => decide.mutate({ file: f, verb: 'release' })}
                        aria-label={t('Try {{file}} again', { file: f.path })}
                      >
                        {t('Try again')}
                      </Button>
                      {f.status === 'quarantined' ? (
                        <Button
                          kind="quiet"
                          isDisabled={decide.isPending}
                          onPress={() => decide.mutate({ file: f, verb: 'dismiss' })}
                          aria-label={t('Dismiss {{file}}', { file: f.path })}
                        >
                          {t('Dismiss')}
                        </Button>
                      ) : null}
                    </span>
                  ) : null,
              },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}
