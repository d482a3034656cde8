import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api, messageOf, unwrap } from '../../api/client';
import { datasets, type ImportRecord, imports, mappings, snapshots } from '../../api/queries';
import { Page } from '../../app/Page';
import { instant, integer, month, percent, sentence, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { TABLES } from '../../lib/tables';
import { DropFiles } from '../../metrics/DropFiles';
import { columns } from '../../metrics/grid';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Empty, Loaded } from '../../ui/States';
import { toast } from '../../ui/toast';
import css from './import.module.css';

/** Files in, what became of each, and the way back. */
export function Import() {
  const list = useQuery(imports());
  return (
    <Page
      title={t('Import')}
      lead={t(
        'Each row is stored or reported with its line, column, value, reason and a fix. The same file twice changes nothing; every import can be undone.',
      )}
    >
      <Card title={t('Add files')}>
        <DropFiles />
      </Card>
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
        <Kept />
      </div>
    </Page>
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

/** Takes an import back, whatever came after it; bringing it back is a roll-back. */
export function Undo({ record, quiet }: { record: ImportRecord; quiet?: boolean }) {
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: ['data'] });
  const redo = useMutation({
    mutationFn: (id: number) => unwrap(api.POST('/api/v1/snapshots/{id}/rollback', { params: { path: { id } } })),
    onSuccess: () => toast(t('The import is back.')),
    onError: (e) => toast(messageOf(e)),
    onSettled: refresh,
  });
  const undo = useMutation({
    mutationFn: async () => {
      const before = await client.fetchQuery({ ...snapshots(), staleTime: 0 });
      await unwrap(api.POST('/api/v1/imports/{id}/undo', { params: { path: { id: record.id } } }));
      return record.status === 'committed' ? before[0]?.id : undefined;
    },
    onSuccess: (before) =>
      toast(
        t('{{file}} was undone: the figures are as they were without it.', { file: record.result.file }),
        before ? { label: t('Bring it back'), run: () => redo.mutate(before) } : undefined,
      ),
    onError: (e) => toast(messageOf(e)),
    onSettled: refresh,
  });
  if (record.status === 'undone') return <span className="muted">{t('undone')}</span>;
  if (record.status !== 'committed' && record.status !== 'unchanged') return null;
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

/** Mappings that wait for the next file of their form. */
function Kept() {
  const client = useQueryClient();
  const list = useQuery(mappings());
  const forget = useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/mappings/{id}', { params: { path: { id } } })),
    onSuccess: () => toast(t('It is forgotten: the next file of this form is looked at anew.')),
    onError: (e) => toast(messageOf(e)),
    onSettled: () => client.invalidateQueries({ queryKey: mappings().queryKey }),
  });
  if (!list.data?.length) return null;
  return (
    <Card title={t('What is remembered of files?')} subtitle={t('Your choices, used again for files with the same headers')}>
      <DataTable
        caption={t('Kept mappings')}
        rows={list.data}
        rowKey={(m) => m.id}
        columns={[
          { id: 'dataset', head: t('Table'), sort: (m) => m.dataset, cell: (m) => words(m.dataset) },
          { id: 'says', head: t('What it says'), cell: (m) => <span style={{ whiteSpace: 'normal' }}>{m.says}</span> },
          {
            id: 'from',
            head: t('From'),
            sort: (m) => String(m.saved_at),
            cell: (m) => (
              <Link to="/import/$id" params={{ id: String(m.import_id) }}>
                {instant(String(m.saved_at))}
              </Link>
            ),
          },
          {
            id: 'forget',
            head: '',
            cell: (m) => (
              <Button
                kind="quiet"
                isDisabled={forget.isPending}
                onPress={() => forget.mutate(m.id)}
                aria-label={t('Forget how {{table}} are read', { table: words(m.dataset) })}
              >
                {t('Forget')}
              </Button>
            ),
          },
        ]}
      />
    </Card>
  );
}

function Templates() {
  return (
    <Card title={t('No export at hand?')} subtitle={t('Templates with headers, notes and two example rows')}>
      <ul className={css.templates}>
        {TABLES.map((name) => (
          <li key={name}>
            <span>{sentence(words(name))}</span>
            <a
              href={`/api/v1/datasets/${name}/template`}
              download={`${name}.csv`}
              aria-label={t('{{table}} as CSV', { table: words(name) })}
            >
              CSV
            </a>
            <a
              href={`/api/v1/datasets/${name}/template?format=xlsx`}
              download={`${name}.xlsx`}
              aria-label={t('{{table}} as Excel', { table: words(name) })}
            >
              Excel
            </a>
          </li>
        ))}
      </ul>
    </Card>
  );
}
