import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { batch, upload } from '../../api/queries';
import { type Batch, type BatchFile, startBatch } from '../../api/upload';
import { Page } from '../../app/Page';
import { bytes, integer, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Checkbox } from '../../ui/Field';
import { Failure, Notice, Progress, Skeleton } from '../../ui/States';
import { toast } from '../../ui/toast';
import { Effect } from './Effect';
import { type Choice, chosen } from './mapping';
import { TableCard } from './TableCard';

const ended = (b: Batch) => b.status !== 'queued' && b.status !== 'running';

/** Files before they are imported, while they are, and what became of them. */
export function BatchPage() {
  const { batch: id } = useParams({ from: '/import/batch/$batch' });
  const query = useQuery(batch(id));
  const now = query.data;
  useEvents(id, now !== undefined && !ended(now));
  // While the next check runs, what the last one found stays in sight.
  const [last, setLast] = useState<Batch>();
  useEffect(() => {
    if (now && ended(now)) setLast(now);
  }, [now]);
  if (query.isError && !now) {
    return (
      <Page title={t('Import')}>
        <Failure error={query.error} onRetry={() => query.refetch()} />
      </Page>
    );
  }
  if (!now) {
    return (
      <Page title={t('Import')}>
        <div role="status" aria-label={t('Loading')}>
          <Skeleton height={300} />
        </div>
      </Page>
    );
  }
  if (!now.request.dry_run) return <Imported batch={now} />;
  const shown = ended(now) ? now : last?.request.dry_run ? last : undefined;
  return <Check key="check" batch={now} shown={shown} />;
}

/** Listens to how far a batch is; when it has ended, its answer is read. */
function useEvents(id: string, running: boolean) {
  const client = useQueryClient();
  useEffect(() => {
    if (!running) return;
    const source = new EventSource(`/api/v1/batches/${id}/events`);
    source.addEventListener('progress', (e) => {
      const { status, progress } = JSON.parse(e.data) as Pick<Batch, 'status' | 'progress'>;
      client.setQueryData(batch(id).queryKey, (old) => (old ? { ...old, status, progress } : old));
    });
    source.addEventListener('end', () => {
      source.close();
      client.invalidateQueries({ queryKey: batch(id).queryKey });
      client.invalidateQueries({ queryKey: ['data'] });
    });
    return () => source.close();
  }, [id, running, client]);
}

function Running({ batch: b, what }: { batch: Batch; what: string }) {
  const cancel = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/batches/{id}/cancel', { params: { path: { id: b.id } } })),
    onError: (e) => toast(messageOf(e)),
  });
  const p = b.progress;
  const unit = p.phase === 'reading' ? bytes : integer;
  return (
    <Card>
      <div className="spread" role="status">
        <span>
          <strong>{what}</strong>{' '}
          {p.file
            ? `${p.file}: ${p.phase}${p.total ? ` ${t('{{done}} of {{total}}', { done: unit(p.done), total: unit(p.total) })}` : ''}`
            : null}
        </span>
        <Button kind="quiet" onPress={() => cancel.mutate()} isDisabled={cancel.isPending}>
          {t('Stop')}
        </Button>
      </div>
      <Progress value={p.total ? p.done / p.total : 0} label={what} />
    </Card>
  );
}

/** What importing would do, table by table, with everything that can be changed about it. */
function Check({ batch: now, shown }: { batch: Batch; shown: Batch | undefined }) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const [together, setTogether] = useState(false);
  // The batch that is on its way into the address; until it is there nothing may be clicked.
  const [going, setGoing] = useState('');
  useEffect(() => setGoing((g) => (g === now.id ? '' : g)), [now.id]);
  const go = (next: Batch) => {
    client.setQueryData(batch(next.id).queryKey, next);
    setGoing(next.id);
    return navigate({ to: '/import/batch/$batch', params: { batch: next.id }, resetScroll: next.request.dry_run !== true });
  };
  const again = useMutation({
    mutationFn: (files: BatchFile[]) => startBatch(files, { dryRun: true }),
    onSuccess: go,
    onError: (e) => toast(messageOf(e)),
  });
  const commit = useMutation({
    mutationFn: () => startBatch(now.request.files ?? [], { dryRun: false, together }),
    onSuccess: go,
    onError: (e) => toast(messageOf(e)),
  });
  const tables = shown?.tables ?? [];
  const busy = again.isPending || commit.isPending || going !== '' || shown?.id !== now.id;
  const ready = tables.filter((x) => !x.problem);
  const stuck = tables.length - ready.length;
  const lost = ready.reduce((n, x) => n + (x.result?.rows_rejected ?? 0), 0);
  const blocked = together && (stuck > 0 || lost > 0);
  const skipped = (now.request.files ?? []).flatMap((f) => [
    ...(f.skip ? [{ upload: f.upload, name: '' }] : []),
    ...Object.entries(f.tables ?? {})
      .filter(([, c]) => c.skip)
      .map(([name]) => ({ upload: f.upload, name })),
  ]);
  return (
    <Page
      title={t('Check before import')}
      lead={t('Nothing is stored yet. Change what is not right; going back in the browser takes a change back.')}
      actions={<Link to="/import">{t('All imports')}</Link>}
    >
      {busy && !commit.isPending ? <Running batch={now} what={t('Checking')} /> : null}
      {now.status === 'failed' ? <Notice tone="bad">{now.problem?.message}</Notice> : null}
      {now.status === 'canceled' ? (
        <Notice tone="warn">
          {t('The check was stopped.')}{' '}
          <Button kind="quiet" onPress={() => again.mutate(now.request.files ?? [])}>
            {t('Check again')}
          </Button>
        </Notice>
      ) : null}
      {tables.length > 0 ? (
        <div className="stack" aria-busy={busy} inert={busy}>
          <Card title={t('What would change?')} subtitle={summary(ready)}>
            <div className="stack">
              <Effect results={ready.flatMap((x) => (x.result ? [x.result] : []))} />
              {stuck > 0 ? (
                <Notice tone="warn">
                  {t('{{count}} tables need a word from you before they can be imported: see below.', { count: stuck })}
                </Notice>
              ) : null}
              {tables.length > 1 ? (
                <Checkbox
                  label={t('All or nothing: store nothing unless every table and every row can be stored')}
                  checked={together}
                  onChange={setTogether}
                />
              ) : null}
              <div className="row">
                <Button kind="primary" isDisabled={busy || ready.length === 0 || blocked} onPress={() => commit.mutate()}>
                  {tables.length === 1
                    ? t('Import')
                    : stuck > 0
                      ? t('Import the {{count}} that are ready', { count: ready.length })
                      : t('Import all {{count}}', { count: ready.length })}
                </Button>
                {blocked ? (
                  <span className="muted small">{t('All or nothing: correct or leave out what cannot be stored first.')}</span>
                ) : null}
                {lost > 0 && !together ? (
                  <span className="muted small">
                    {t('{{count}} rows cannot be stored; they are listed and can be corrected later.', { count: lost })}
                  </span>
                ) : null}
              </div>
            </div>
          </Card>
          {tables.map((x) => (
            <TableCard
              key={`${x.upload}-${x.name}`}
              batch={now}
              table={x}
              only={tables.length === 1}
              onChoice={(choice: Choice) => again.mutate(chosen(now, x, choice, tables.filter((o) => o.upload === x.upload).length > 1))}
            />
          ))}
        </div>
      ) : null}
      {skipped.length > 0 ? (
        <Card
          title={t('Left out')}
          {...(tables.length === 0 ? { subtitle: t('Nothing is left to import: bring back what you want to import.') } : {})}
        >
          <ul className="row">
            {skipped.map((s) => (
              <li key={s.upload + s.name}>
                {s.name || <FileName id={s.upload} />}{' '}
                <Button kind="quiet" isDisabled={busy} onPress={() => again.mutate(chosen(now, s, {}, s.name !== ''))}>
                  {t('Bring back')}
                </Button>
              </li>
            ))}
          </ul>
        </Card>
      ) : null}
    </Page>
  );
}

function FileName({ id }: { id: string }) {
  return <>{useQuery(upload(id)).data?.name ?? t('a file')}</>;
}

function summary(tables: NonNullable<Batch['tables']>): string {
  const sum = (of: (r: NonNullable<(typeof tables)[number]['result']>) => number) =>
    tables.reduce((n, x) => n + (x.result ? of(x.result) : 0), 0);
  const parts: [number, string][] = [
    [sum((r) => r.rows_added), t('new')],
    [sum((r) => r.rows_updated), t('changed')],
    [sum((r) => r.rows_unchanged), t('stored already')],
    [sum((r) => r.rows_deleted), t('deleted')],
    [sum((r) => r.rows_rejected), t('cannot be stored')],
    [sum((r) => r.to_review), t('names to decide')],
  ];
  const said = parts.filter(([n]) => n > 0).map(([n, what]) => `${integer(n)} ${what}`);
  return t('Rows: {{parts}}', { parts: said.join(', ') || '0' });
}

function Imported({ batch: b }: { batch: Batch }) {
  const client = useQueryClient();
  const tables = b.tables ?? [];
  const stored = tables.flatMap((x) => (x.result?.import_id ? [x.result] : []));
  const review = stored.reduce((n, r) => n + r.to_review, 0);
  const undo = useMutation({
    mutationFn: async () => {
      for (const r of [...stored].sort((x, y) => y.import_id - x.import_id)) {
        await unwrap(api.POST('/api/v1/imports/{id}/undo', { params: { path: { id: r.import_id } } }));
      }
    },
    onSuccess: () => toast(t('The import was undone: the figures are as they were before it.')),
    onError: (e) => toast(messageOf(e)),
    onSettled: () => client.invalidateQueries({ queryKey: ['data'] }),
  });
  const changed = stored.filter((r) => r.rows_added + r.rows_updated + r.rows_deleted > 0);
  return (
    <Page
      title={ended(b) ? t('Imported') : t('Importing')}
      lead={ended(b) ? t('Each row is stored or listed with its reason.') : t('You may leave this page: the import goes on.')}
      actions={
        <>
          {ended(b) && changed.length > 0 ? (
            <Button isDisabled={undo.isPending || undo.isSuccess} onPress={() => undo.mutate()}>
              {undo.isSuccess ? t('Undone') : t('Undo')}
            </Button>
          ) : null}
          <Link to="/import">{t('All imports')}</Link>
        </>
      }
    >
      {ended(b) ? null : <Running batch={b} what={t('Importing')} />}
      {b.problem ? <Notice tone="bad">{b.problem.message}</Notice> : null}
      {b.status === 'canceled' ? (
        <Notice tone="warn">{t('The import was stopped. What it had stored by then is listed here and can be undone.')}</Notice>
      ) : null}
      {review > 0 ? (
        <Notice tone="warn">
          {t('{{count}} names may mean clients, staff or products that you have.', { count: review })}{' '}
          <Link to="/matching">{t('Decide them')}</Link>
        </Notice>
      ) : null}
      {tables.length > 0 ? (
        <Card title={t('What became of the files?')} subtitle={summary(tables)}>
          <div className="stack">
            <DataTable
              caption={t('Files of this import')}
              rows={tables}
              rowKey={(x) => x.upload + x.name}
              columns={[
                {
                  id: 'file',
                  head: t('File'),
                  cell: (x) =>
                    x.result?.import_id ? (
                      <Link to="/import/$id" params={{ id: String(x.result.import_id) }}>
                        {x.name}
                      </Link>
                    ) : (
                      <span style={{ whiteSpace: 'normal' }}>
                        {x.name}
                        <br />
                        <span className="muted small">{x.problem?.message.replace(`${x.name}: `, '')}</span>
                      </span>
                    ),
                },
                { id: 'dataset', head: t('Recognized as'), cell: (x) => words(x.dataset) },
                { id: 'added', head: t('Added'), right: true, cell: (x) => count(x.result?.rows_added) },
                { id: 'updated', head: t('Updated'), right: true, cell: (x) => count(x.result?.rows_updated) },
                { id: 'unchanged', head: t('Unchanged'), right: true, cell: (x) => count(x.result?.rows_unchanged) },
                {
                  id: 'rejected',
                  head: t('Rejected'),
                  right: true,
                  cell: (x) =>
                    x.result?.rows_rejected ? <Badge tone="bad">{integer(x.result.rows_rejected)}</Badge> : count(x.result?.rows_rejected),
                },
              ]}
            />
            <Effect results={stored} />
            <p className="row">
              <Link to="/">{t('See the overview')}</Link>
              <Link to="/quality">{t('See the data quality')}</Link>
            </p>
          </div>
        </Card>
      ) : null}
    </Page>
  );
}

const count = (n: number | undefined) => (n === undefined ? '—' : integer(n));
