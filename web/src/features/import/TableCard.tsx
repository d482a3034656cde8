import type { Batch, BatchTable, Mapping } from '../../api/upload';
import { integer, percent, sentence, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { TABLES } from '../../lib/tables';
import { Button } from '../../ui/Button';
import { Badge, Card, Chip } from '../../ui/Card';
import { Select } from '../../ui/Field';
import { Columns } from './Columns';
import { Findings } from './Findings';
import css from './import.module.css';
import { type Choice, choiceOf, mappingOf, merged, said } from './mapping';
import { Preview } from './Preview';
import { Problem } from './Problem';
import { Reading } from './Reading';

/** One table of the files: what it is, what is odd about it, how it is read. */
export function TableCard({
  batch,
  table,
  only,
  onChoice,
}: {
  batch: Batch;
  table: BatchTable;
  only: boolean;
  onChoice: (next: Choice) => void;
}) {
  const choice = choiceOf(batch, table);
  const mapping = mappingOf(batch, table);
  const set = (next: Mapping, replace?: string) => onChoice({ ...choice, mapping: next, ...(replace ? { replace } : {}) });
  const apply = (patch: Mapping, replace?: string) => set(merged(mapping, patch), replace);
  const r = table.result;
  const findings = r?.findings ?? [];
  const errors = findings.filter((f) => f.severity === 'error').length;
  const warnings = findings.filter((f) => f.severity === 'warning').length;
  const choices = said(mapping);
  const doubtful = (table.columns ?? r?.columns ?? []).some((c) => c.field && c.confidence < 0.9);
  return (
    <Card
      title={table.name}
      subtitle={
        r
          ? t('{{rows}} rows: {{added}} new, {{updated}} changed, {{unchanged}} stored already, {{rejected}} cannot be stored', {
              rows: integer(r.rows_read),
              added: integer(r.rows_added),
              updated: integer(r.rows_updated),
              unchanged: integer(r.rows_unchanged),
              rejected: integer(r.rows_rejected),
            })
          : t('Not ready')
      }
      actions={
        <>
          {table.problem ? <Badge tone="bad">{t('needs a word')}</Badge> : null}
          {errors ? <Badge tone="bad">{t('{{count}} errors', { count: errors })}</Badge> : null}
          {warnings ? <Badge tone="warn">{t('{{count}} warnings', { count: warnings })}</Badge> : null}
          {!table.problem && !errors && !warnings ? <Badge tone="good">{t('ready')}</Badge> : null}
          {only ? null : (
            <Button
              kind="quiet"
              onPress={() => onChoice({ ...choice, skip: true })}
              aria-label={t('Leave out {{name}}', { name: table.name })}
            >
              {t('Leave out')}
            </Button>
          )}
        </>
      }
    >
      <div className="stack">
        {table.problem ? <Problem table={table} mapping={mapping} onMapping={set} /> : null}
        <div className={css.taken}>
          <TakenFor table={table} mapping={mapping} onMapping={set} />
          {r ? (
            <p
              className="muted small"
              title={Object.entries(r.quality.dimensions)
                .map(([k, v]) => `${words(k)} ${percent(v)}`)
                .join(', ')}
            >
              {t('Quality of the file: {{score}}', { score: percent(r.quality.score) })}
              {r.to_review > 0 ? t('; {{count}} names to decide after the import', { count: r.to_review }) : ''}
            </p>
          ) : null}
        </div>
        {choices.length > 0 || choice.replace ? (
          <div className="row" role="group" aria-label={t('What was chosen')}>
            <span className="muted small">{t('Chosen:')}</span>
            {choices.map((c) => (
              <Chip key={c.id} label={t('Take back: {{what}}', { what: c.text })} onRemove={() => set(c.without)}>
                {c.text}
              </Chip>
            ))}
            {choice.replace ? (
              <Chip label={t('Take back: replace')} onRemove={() => onChoice({ mapping })}>
                {choice.replace === 'period' ? t('Replaces what is stored of its period') : t('Replaces the whole table')}
              </Chip>
            ) : null}
          </div>
        ) : null}
        <Findings findings={findings} rejects={r?.rejects ?? []} onFix={apply} />
        {r?.preview || table.columns ? (
          <details open={only || doubtful || Boolean(table.problem)} className={css.more}>
            <summary>{doubtful ? t('Columns and first rows: some columns are doubtful') : t('Columns and first rows')}</summary>
            <div className={css.beside}>
              {(table.columns ?? r?.columns ?? []).length > 0 ? <Columns table={table} mapping={mapping} onMapping={set} /> : null}
              <Preview table={table} />
            </div>
          </details>
        ) : null}
        {r ? (
          <details className={css.more}>
            <summary>{t('How the file was read')}</summary>
            <Reading dialect={r.dialect} mapping={mapping} onMapping={apply} />
          </details>
        ) : null}
      </div>
    </Card>
  );
}

function TakenFor({ table, mapping, onMapping }: { table: BatchTable; mapping: Mapping; onMapping: (m: Mapping) => void }) {
  const now = mapping.dataset || table.dataset;
  return (
    <Select
      label={t('Recognized as')}
      value={now}
      onChange={(name) => onMapping({ ...mapping, dataset: name, columns: {} })}
      options={[...(now ? [] : [['', t('choose …')] as const]), ...TABLES.map((name) => [name, sentence(words(name))] as const)]}
    />
  );
}
