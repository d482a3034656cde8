import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { messageOf } from '../../api/client';
import { importRecord, rejects } from '../../api/queries';
import { startBatch } from '../../api/upload';
import { Page } from '../../app/Page';
import { bytes, instant, integer, percent, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { columns } from '../../metrics/grid';
import { Button, ButtonLink } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Empty, Failure, Loaded, Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import { Findings, Rejects } from './Findings';
import { Undo } from './Import';
import css from './import.module.css';
import { Dialect } from './Reading';

/** What was recognized in a file, what was stored, what was not and why. */
export function ImportRecord() {
  const { id } = useParams({ from: '/import/$id' });
  const navigate = useNavigate();
  const record = useQuery(importRecord(Number(id)));
  const bad = useQuery({ ...rejects(Number(id)), enabled: (record.data?.result.rows_rejected ?? 0) > 0 });
  const again = useMutation({
    mutationFn: (upload: string) =>
      startBatch([{ upload, ...(record.data?.result.applied ? { mapping: record.data.result.applied } : {}) }], { dryRun: true }),
    onSuccess: (b) => navigate({ to: '/import/batch/$batch', params: { batch: b.id } }),
    onError: (e) => toast(messageOf(e)),
  });
  if (record.isError) {
    return (
      <Page title={t('Import {{id}}', { id })}>
        <Failure error={record.error} onRetry={() => record.refetch()} />
      </Page>
    );
  }
  const i = record.data;
  if (!i) return <Page title={t('Import {{id}}', { id })}>{null}</Page>;
  const r = i.result;
  return (
    <Page
      title={r.file}
      lead={t('Import {{id}} by {{actor}}, {{at}}, {{size}}', {
        id,
        actor: i.actor,
        at: instant(String(i.finished_at)),
        size: bytes(i.bytes),
      })}
      actions={
        <>
          <Undo record={i} />
          {r.upload ? (
            <>
              <Button isDisabled={again.isPending} onPress={() => again.mutate(r.upload ?? '')}>
                {t('Check and import again')}
              </Button>
              <ButtonLink href={`/api/v1/uploads/${r.upload}/file`} download>
                {t('The file as it came')}
              </ButtonLink>
            </>
          ) : null}
          <Link to="/import">{t('All imports')}</Link>
        </>
      }
    >
      <dl className={css.counts}>
        {(
          [
            [t('Rows read'), r.rows_read],
            [t('Added'), r.rows_added],
            [t('Updated'), r.rows_updated],
            [t('Unchanged'), r.rows_unchanged],
            [t('Rejected'), r.rows_rejected],
          ] as const
        ).map(([label, value]) => (
          <div key={label} data-bad={label === t('Rejected') && value > 0 ? true : undefined}>
            <dt>{label}</dt>
            <dd>{integer(value)}</dd>
          </div>
        ))}
      </dl>
      {i.status === 'undone' ? <Notice tone="warn">{t('This import was undone: its rows are in no figure.')}</Notice> : null}
      {r.to_review > 0 ? (
        <Notice tone="warn">
          {t('{{count}} names may mean clients, staff or products that you have.', { count: r.to_review })}{' '}
          <Link to="/matching">{t('Decide them')}</Link>
        </Notice>
      ) : null}
      {i.status === 'unchanged' ? <Notice>{t('Everything in this file was stored already: it changed nothing.')}</Notice> : null}
      {r.rows_rejected > 0 ? (
        <Card
          title={t('Why were rows rejected?')}
          subtitle={t(
            'They are not in any figure. Correct them in the file and import it again: rows that are stored already are not doubled.',
          )}
          actions={
            <ButtonLink href={`/api/v1/imports/${id}/rejects?format=csv`} download>
              {t('Rejects as CSV')}
            </ButtonLink>
          }
        >
          <Loaded query={bad} height={200}>
            {(page) => (
              <>
                <Rejects rows={page.items ?? []} />
                {page.next ? <p className="muted small">{t('The first 1,000 are shown; the CSV has all.')}</p> : null}
              </>
            )}
          </Loaded>
        </Card>
      ) : null}
      <div className="stack" style={columns(420)}>
        <Card title={t('What was noticed?')} subtitle={t('Unless it is an error, the rows are stored all the same')}>
          {(r.findings ?? []).length === 0 ? <Empty title={t('Nothing unusual')} /> : <Findings findings={r.findings ?? []} rejects={[]} />}
        </Card>
        <Card title={t('How was the file read?')} subtitle={t('Decided once per file and column, from evidence')}>
          <Dialect dialect={r.dialect} />
          <p className="muted small">{t('Quality of the file: {{score}}', { score: percent(r.quality.score) })}</p>
        </Card>
      </div>
      <Card title={t('What was each column taken for?')}>
        <DataTable
          caption={t('Columns')}
          rows={r.columns ?? []}
          rowKey={(c) => c.source}
          columns={[
            { id: 'source', head: t('In the file'), sort: (c) => c.source, cell: (c) => c.source },
            {
              id: 'field',
              head: t('Taken for'),
              sort: (c) => c.field ?? '',
              cell: (c) => (c.field ? words(c.field) : <span className="muted">{t('kept as an attribute')}</span>),
            },
            {
              id: 'confidence',
              head: t('How sure'),
              right: true,
              sort: (c) => c.confidence,
              cell: (c) => (c.field ? percent(c.confidence) : ''),
            },
            { id: 'why', head: t('Why'), cell: (c) => <span style={{ whiteSpace: 'normal' }}>{(c.evidence ?? []).join('; ')}</span> },
          ]}
        />
      </Card>
    </Page>
  );
}
