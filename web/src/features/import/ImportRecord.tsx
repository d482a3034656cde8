import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { importRecord, rejects } from '../../api/queries';
import { Page } from '../../app/Page';
import { bytes, instant, integer, percent, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { columns } from '../../metrics/grid';
import { ButtonLink } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Empty, Failure, Loaded, Notice } from '../../ui/States';
import { Undo } from './Import';
import css from './import.module.css';

/** What was recognized in a file, what was stored, what was not and why. */
export function ImportRecord() {
  const { id } = useParams({ from: '/import/$id' });
  const record = useQuery(importRecord(Number(id)));
  const bad = useQuery({ ...rejects(Number(id)), enabled: (record.data?.result.rows_rejected ?? 0) > 0 });
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
                <DataTable
                  caption={t('Rejected rows')}
                  rows={page.items ?? []}
                  rowKey={(x) => `${x.record}-${x.column}`}
                  columns={[
                    { id: 'line', head: t('Line'), right: true, sort: (x) => x.line, cell: (x) => integer(x.line) },
                    { id: 'column', head: t('Column'), sort: (x) => x.column ?? '', cell: (x) => x.column },
                    { id: 'value', head: t('Value'), cell: (x) => <code>{x.value}</code> },
                    {
                      id: 'message',
                      head: t('Reason'),
                      sort: (x) => x.code,
                      cell: (x) => <span style={{ whiteSpace: 'normal' }}>{x.message}</span>,
                    },
                    { id: 'suggestion', head: t('What to do'), cell: (x) => <span style={{ whiteSpace: 'normal' }}>{x.suggestion}</span> },
                  ]}
                />
                {page.next ? <p className="muted small">{t('The first 1,000 are shown; the CSV has all.')}</p> : null}
              </>
            )}
          </Loaded>
        </Card>
      ) : null}
      <div className="stack" style={columns(420)}>
        <Card title={t('What was noticed?')} subtitle={t('The rows below are stored all the same')}>
          {(r.findings ?? []).length === 0 ? (
            <Empty title={t('Nothing unusual')} />
          ) : (
            <ul className={css.findings}>
              {(r.findings ?? []).map((f) => (
                <li key={f.code + (f.column ?? '')}>
                  <Badge {...(f.severity === 'warning' ? { tone: 'warn' as const } : {})}>{words(f.severity)}</Badge> {f.message}
                  {f.suggestion ? <p className="muted small">{f.suggestion}</p> : null}
                </li>
              ))}
            </ul>
          )}
        </Card>
        <Card title={t('How was the file read?')} subtitle={t('Decided once per file and column, from evidence')}>
          <dl className={css.facts}>
            <dt>{t('Recognized as')}</dt>
            <dd>{words(r.dataset)}</dd>
            {Object.entries(r.dialect)
              .filter(([, v]) => v !== '' && v !== null && v !== 0)
              .map(([k, v]) => [
                <dt key={k}>{words(k).replace(/^./, (c) => c.toUpperCase())}</dt>,
                <dd key={`${k}v`}>
                  {String(v) === ',' || String(v) === ';' || String(v) === '"' || String(v) === '.' ? (
                    <code>{String(v)}</code>
                  ) : (
                    words(String(v))
                  )}
                </dd>,
              ])}
            <dt>{t('Quality')}</dt>
            <dd>{percent(r.quality.score)}</dd>
          </dl>
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
          ]}
        />
      </Card>
    </Page>
  );
}
