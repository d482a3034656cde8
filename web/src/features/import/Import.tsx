import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { datasets, type ImportRecord, imports, snapshots } from '../../api/queries';
import type { ImportAnswer } from '../../api/upload';
import { Page } from '../../app/Page';
import { instant, integer, month, percent, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { DropFiles } from '../../metrics/DropFiles';
import { columns } from '../../metrics/grid';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Empty, Loaded, Notice } from '../../ui/States';
import { toast } from '../../ui/toast';

/** Files in, what became of each, and the way back. */
export function Import() {
  const list = useQuery(imports());
  const [last, setLast] = useState<ImportAnswer>();
  return (
    <Page
      title={t('Import')}
      lead={t(
        'Each row is stored or reported with its line, column, value, reason and a fix. The same file twice changes nothing; every import can be undone.',
      )}
    >
      <Card title={t('Add files')}>
        <DropFiles onDone={setLast} />
      </Card>
      {last && (last.results?.length ?? 0) > 1 ? <Outcome answer={last} /> : null}
      <Card title={t('What was imported?')} subtitle={t('Newest first')}>
        <Loaded
          query={list}
          height={240}
          isEmpty={(all) => all.length === 0}
          empty={
            <Empty title={t('Nothing is imported yet')}>
              {t('Drop a CSV or Excel export above. Invoices and time entries are the best start.')}
            </Empty>
          }
        >
          {(all) => <Imports all={all} />}
        </Loaded>
      </Card>
      <div className="stack" style={columns(420)}>
        <Tables />
        <Templates />
      </div>
    </Page>
  );
}

function Outcome({ answer }: { answer: ImportAnswer }) {
  const results = answer.results ?? [];
  const rejected = results.reduce((sum, r) => sum + r.rows_rejected, 0);
  return (
    <Card title={t('What became of the files?')}>
      <div className="stack">
        {answer.problem ? <Notice tone="bad">{answer.problem.detail}</Notice> : null}
        {rejected > 0 ? (
          <Notice tone="warn">
            {t('{{count}} rows rejected', { count: rejected })}: {t('open a file to see why and how to fix them.')}
          </Notice>
        ) : null}
        <DataTable
          caption={t('Files of this upload')}
          rows={results}
          rowKey={(r) => r.file}
          columns={[
            {
              id: 'file',
              head: t('File'),
              cell: (r) =>
                r.import_id ? (
                  <Link to="/import/$id" params={{ id: String(r.import_id) }}>
                    {r.file}
                  </Link>
                ) : (
                  r.file
                ),
            },
            { id: 'dataset', head: t('Recognized as'), cell: (r) => words(r.dataset) },
            { id: 'added', head: t('Added'), right: true, cell: (r) => integer(r.rows_added) },
            { id: 'updated', head: t('Updated'), right: true, cell: (r) => integer(r.rows_updated) },
            { id: 'unchanged', head: t('Unchanged'), right: true, cell: (r) => integer(r.rows_unchanged) },
            {
              id: 'rejected',
              head: t('Rejected'),
              right: true,
              cell: (r) => (r.rows_rejected ? <Badge tone="bad">{integer(r.rows_rejected)}</Badge> : '0'),
            },
          ]}
        />
      </div>
    </Card>
  );
}

function Imports({ all }: { all: ImportRecord[] }) {
  return (
    <DataTable
      caption={t('Imports')}
      rows={all}
      rowKey={(i) => String(i.id)}
      columns={[
        {
          id: 'file',
          head: t('File'),
          sort: (i) => i.result.file,
          cell: (i) => (
            <Link to="/import/$id" params={{ id: String(i.id) }}>
              {i.result.file}
            </Link>
          ),
        },
        { id: 'dataset', head: t('Recognized as'), sort: (i) => i.result.dataset, cell: (i) => words(i.result.dataset) },
        { id: 'at', head: t('When'), sort: (i) => String(i.finished_at), cell: (i) => instant(String(i.finished_at)) },
        { id: 'rows', head: t('Rows'), right: true, sort: (i) => i.result.rows_read, cell: (i) => integer(i.result.rows_read) },
        { id: 'added', head: t('Added'), right: true, sort: (i) => i.result.rows_added, cell: (i) => integer(i.result.rows_added) },
        { id: 'updated', head: t('Updated'), right: true, sort: (i) => i.result.rows_updated, cell: (i) => integer(i.result.rows_updated) },
        {
          id: 'rejected',
          head: t('Rejected'),
          right: true,
          sort: (i) => i.result.rows_rejected,
          cell: (i) => (i.result.rows_rejected ? <Badge tone="bad">{integer(i.result.rows_rejected)}</Badge> : '0'),
        },
        {
          id: 'quality',
          head: t('Quality'),
          right: true,
          sort: (i) => i.result.quality.score,
          cell: (i) => percent(i.result.quality.score),
        },
        { id: 'undo', head: '', cell: (i) => <Undo record={i} quiet /> },
      ]}
    />
  );
}

/** Goes back to the snapshot before an import; going forward again is a roll-back too. */
export function Undo({ record, quiet }: { record: ImportRecord; quiet?: boolean }) {
  const client = useQueryClient();
  const newest = useQuery(snapshots()).data?.[0];
  const refresh = () => client.invalidateQueries({ queryKey: ['data'] });
  const redo = useMutation({
    mutationFn: (id: number) => unwrap(api.POST('/api/v1/snapshots/{id}/rollback', { params: { path: { id } } })),
    onSuccess: () => {
      refresh();
      toast(t('The import is back.'));
    },
    onError: (e) => toast(messageOf(e)),
  });
  const undo = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/imports/{id}/undo', { params: { path: { id: record.id } } })),
    onSuccess: () => {
      refresh();
      toast(t('{{file}} was undone: the figures are as they were before it.', { file: record.result.file }), {
        label: t('Bring it back'),
        run: () => redo.mutate(record.result.snapshot),
      });
    },
    onError: (e) => toast(messageOf(e)),
  });
  if (newest?.id !== record.result.snapshot || record.status !== 'committed') return null;
  return (
    <Button
      kind={quiet ? 'quiet' : 'plain'}
      isDisabled={undo.isPending}
      onPress={() => undo.mutate()}
      aria-label={t('Undo the import of {{file}}', { file: record.result.file })}
    >
      {t('Undo')}
    </Button>
  );
}

function Tables() {
  const list = useQuery(datasets());
  return (
    <Card title={t('What is stored?')} subtitle={t('Tables, their months and the quality of what was imported')}>
      <Loaded query={list} height={200} isEmpty={(all) => all.length === 0} empty={<p className="muted">{t('Nothing yet.')}</p>}>
        {(all) => (
          <DataTable
            caption={t('Stored tables')}
            rows={all}
            rowKey={(d) => d.name}
            columns={[
              { id: 'name', head: t('Table'), sort: (d) => d.name, cell: (d) => words(d.name) },
              { id: 'rows', head: t('Rows'), right: true, sort: (d) => d.rows, cell: (d) => integer(d.rows) },
              {
                id: 'months',
                head: t('Months'),
                cell: (d) =>
                  (d.months?.length ?? 0) === 2
                    ? t('{{from}} to {{to}}', { from: month(String(d.months?.[0])), to: month(String(d.months?.[1])) })
                    : '',
              },
              {
                id: 'quality',
                head: t('Quality'),
                right: true,
                sort: (d) => d.quality ?? null,
                cell: (d) => (d.quality === null || d.quality === undefined ? '—' : percent(d.quality)),
              },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}

const TEMPLATES = [
  'clients',
  'agreements',
  'invoices',
  'time_entries',
  'tickets',
  'licenses',
  'staff',
  'expenses',
  'payments',
  'agreement_additions',
  'license_assignments',
  'assets',
  'projects',
  'surveys',
  'holidays',
  'time_off',
  'exchange_rates',
];

function Templates() {
  return (
    <Card title={t('No export at hand?')} subtitle={t('CSV templates with headers and two example rows')}>
      <ul className="row">
        {TEMPLATES.map((name) => (
          <li key={name}>
            <a href={`/api/v1/datasets/${name}/template`} download={`${name}.csv`}>
              {words(name)}
            </a>
          </li>
        ))}
      </ul>
    </Card>
  );
}
