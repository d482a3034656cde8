import { useState } from 'react';
import type { Fix, Noticed, Reject } from '../../api/queries';
import type { Mapping } from '../../api/upload';
import { integer, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Badge } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Checkbox, TextField } from '../../ui/Field';
import css from './import.module.css';

const ORDER = ['error', 'warning', 'info'];
const SHOWN = 6;

/** What is odd about a file, the worst first, each with what can be done about it. */
export function Findings({
  findings,
  rejects,
  onFix,
}: {
  findings: Noticed[];
  rejects: Reject[];
  onFix?: (patch: Mapping, replace?: string) => void;
}) {
  const [all, setAll] = useState(false);
  const sorted = [...findings].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity) || b.count - a.count);
  const shown = all ? sorted : sorted.slice(0, SHOWN);
  if (findings.length === 0) return null;
  return (
    <div className="stack" style={{ gap: 10 }}>
      <ul className={css.findings} aria-label={t('What was noticed')}>
        {shown.map((f) => (
          <One key={f.code + (f.column ?? '') + f.message} finding={f} onFix={onFix} />
        ))}
      </ul>
      {sorted.length > SHOWN ? (
        <div>
          <Button kind="quiet" onPress={() => setAll(!all)}>
            {all ? t('Show fewer') : t('Show {{count}} more', { count: sorted.length - SHOWN })}
          </Button>
        </div>
      ) : null}
      {rejects.length > 0 && onFix ? (
        <details className={css.more}>
          <summary>{t('The rows that cannot be stored ({{count}})', { count: rejects.length })}</summary>
          <Rejects rows={rejects} />
        </details>
      ) : null}
    </div>
  );
}

export function Rejects({ rows }: { rows: Reject[] }) {
  return (
    <DataTable
      caption={t('Rejected rows')}
      rows={rows}
      rowKey={(x) => `${x.record}-${x.column}`}
      columns={[
        { id: 'line', head: t('Line'), right: true, sort: (x) => x.line, cell: (x) => integer(x.line) },
        { id: 'column', head: t('Column'), sort: (x) => x.column ?? '', cell: (x) => x.column },
        { id: 'value', head: t('Value'), cell: (x) => <code>{x.value}</code> },
        { id: 'message', head: t('Reason'), sort: (x) => x.code, cell: (x) => <span style={{ whiteSpace: 'normal' }}>{x.message}</span> },
        { id: 'suggestion', head: t('What to do'), cell: (x) => <span style={{ whiteSpace: 'normal' }}>{x.suggestion}</span> },
      ]}
    />
  );
}

function One({ finding: f, onFix }: { finding: Noticed; onFix: ((patch: Mapping, replace?: string) => void) | undefined }) {
  const [asking, setAsking] = useState<Fix>();
  const [typed, setTyped] = useState('');
  const [rule, setRule] = useState(false);
  const fixes = onFix ? (f.fixes ?? []) : [];
  const lasting = fixes.some((x) => (x.patch.corrections ?? []).some((c) => !c.record));
  const run = (fix: Fix, value?: string) => {
    const corrections = (fix.patch.corrections ?? []).map((c) => ({
      ...c,
      ...(value === undefined ? {} : { set: value }),
      ...(rule && !c.record ? { rule: true } : {}),
    }));
    onFix?.(corrections.length ? { ...fix.patch, corrections } : fix.patch, fix.replace);
  };
  return (
    <li>
      <div>
        <Badge {...(f.severity === 'error' ? { tone: 'bad' as const } : f.severity === 'warning' ? { tone: 'warn' as const } : {})}>
          {words(f.severity)}
        </Badge>{' '}
        {f.message}
        {(f.records ?? []).length > 0 ? (
          <span className="muted small">
            {' '}
            {t('(row {{rows}})', { rows: `${(f.records ?? []).slice(0, 5).join(', ')}${f.count > 5 ? ' …' : ''}` })}
          </span>
        ) : null}
      </div>
      {f.suggestion && fixes.length === 0 ? <p className="muted small">{f.suggestion}</p> : null}
      {fixes.length > 0 ? (
        <div className="row" role="group" aria-label={t('What to do about it')}>
          {fixes.map((x) => (
            <Button key={x.label} kind="plain" onPress={() => (x.ask ? setAsking(x) : run(x))}>
              {x.label}
            </Button>
          ))}
          {lasting ? <Checkbox label={t('in the next files of this form too')} checked={rule} onChange={setRule} /> : null}
        </div>
      ) : null}
      {asking ? (
        <form
          className="row"
          onSubmit={(e) => {
            e.preventDefault();
            run(asking, typed);
          }}
        >
          <TextField label={asking.ask ?? ''} value={typed} onChange={setTyped} autoFocus />
          <Button kind="primary" type="submit">
            {t('Apply')}
          </Button>
          <Button kind="quiet" onPress={() => setAsking(undefined)}>
            {t('Cancel')}
          </Button>
        </form>
      ) : null}
    </li>
  );
}
