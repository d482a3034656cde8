import { useMutation } from '@tanstack/react-query';
import { useId } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { integer } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Notice } from '../../ui/States';
import css from './audit.module.css';

/** How many faults are listed. */
const SHOWN = 12;

/** Checks the chain, also against a copy that was kept elsewhere. */
export function Whole() {
  const file = useId();
  const check = useMutation({
    mutationFn: (head: string) => unwrap(api.POST('/api/v1/audit/verify', { body: head ? { head } : {} })),
  });
  const report = check.data;
  const faults = report?.faults ?? [];
  return (
    <Card title={t('Is the record whole?')} subtitle={t('Finds entries that were edited, deleted, moved or put in, and says which')}>
      <div className="stack">
        <div className="row">
          <Button kind="primary" isDisabled={check.isPending} onPress={() => check.mutate('')}>
            {check.isPending ? t('Checking …') : t('Check the record')}
          </Button>
        </div>
        <label htmlFor={file} className={css.file}>
          <span>{t('Compare with a checkpoint that you kept elsewhere: finds a cut end and a rewritten chain, too')}</span>
          <input
            id={file}
            type="file"
            accept=".json,.txt,application/json,text/plain"
            onChange={(e) => {
              const chosen = e.target.files?.[0];
              e.target.value = '';
              if (chosen) chosen.text().then((text) => check.mutate(text));
            }}
          />
        </label>
        {report?.ok ? (
          <Notice>
            {t('The record is whole: {{count}} entries, checked in {{seconds}} s.', {
              count: report.entries,
              seconds: (report.took_ms / 1000).toFixed(1),
            })}{' '}
            {report.checkpoints > 0 ? t('Checkpoints that it agrees with: {{count}}.', { count: report.checkpoints }) : null}{' '}
            {report.removed > 0 ? t('Contents removed by policy: {{count}}.', { count: report.removed }) : null}
          </Notice>
        ) : null}
        {report && !report.ok ? (
          <Notice tone="bad">
            <p>{t('The record was changed outside the program. Find out who had access to the database.')}</p>
            <ul className={css.faults}>
              {faults.slice(0, SHOWN).map((f) => (
                <li key={`${f.seq} ${f.what}`}>
                  <strong>{t('Entry {{entry}}', { entry: f.seq })}</strong> {f.what}
                </li>
              ))}
              {faults.length + (report.more ?? 0) > SHOWN ? (
                <li>{t('and {{count}} more', { count: faults.length + (report.more ?? 0) - SHOWN })}</li>
              ) : null}
            </ul>
          </Notice>
        ) : null}
        {check.isError ? <Notice tone="bad">{messageOf(check.error)}</Notice> : null}
        {report ? (
          <p className="muted small">
            {t('End of the chain, entry {{entry}}:', { entry: integer(report.entries) })} <code className={css.hash}>{report.head}</code>
          </p>
        ) : null}
      </div>
    </Card>
  );
}
