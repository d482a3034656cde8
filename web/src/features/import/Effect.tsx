import type { ImportResult } from '../../api/queries';
import { sum } from '../../lib/decimal';
import { format, inCurrency, month, sentence } from '../../lib/format';
import { t } from '../../lib/i18n';
import { titled } from '../../metrics/words';
import { DataTable } from '../../ui/DataTable';
import css from './import.module.css';

interface Change {
  measure: string;
  currency: string;
  total: string;
  months: { month: string; change: string }[];
}

/** What the files do to the main figures: in all, and month by month. */
export function Effect({ results }: { results: ImportResult[] }) {
  const changes = new Map<string, Change>();
  for (const e of results.flatMap((r) => r.effect ?? [])) {
    const key = `${e.measure} ${e.currency ?? ''}`;
    const c = changes.get(key) ?? { measure: e.measure, currency: e.currency ?? '', total: '0', months: [] };
    c.total = sum(c.total, e.change);
    const at = c.months.find((m) => m.month === e.month);
    if (at) at.change = sum(at.change, e.change);
    else c.months.push({ month: e.month, change: e.change });
    changes.set(key, c);
  }
  const list = [...changes.values()];
  if (list.length === 0) return null;
  return (
    <ul className={css.effects} aria-label={t('Effect on the main figures')}>
      {list.map((c) => {
        const months = c.months.sort((a, b) => a.month.localeCompare(b.month));
        const unit = inCurrency(c.measure === 'hours_worked' ? 'hours' : 'money', c.currency);
        const first = months[0]?.month ?? '';
        const last = months.at(-1)?.month ?? '';
        return (
          <li key={c.measure + c.currency}>
            <span className="muted">{sentence(titled(c.measure))}</span>
            <strong>{format(c.total, unit, { signed: true })}</strong>
            <span className="muted small">
              {first === last ? month(first) : t('{{from}} to {{to}}', { from: month(first), to: month(last) })}
            </span>
            {months.length > 1 ? (
              <details>
                <summary>{t('By month')}</summary>
                <DataTable
                  caption={t('{{measure}} by month', { measure: titled(c.measure) })}
                  rows={months}
                  rowKey={(m) => m.month}
                  maxHeight={280}
                  columns={[
                    { id: 'month', head: t('Month'), cell: (m) => month(m.month) },
                    { id: 'change', head: t('Change'), right: true, cell: (m) => format(m.change, unit, { signed: true }) },
                  ]}
                />
              </details>
            ) : null}
          </li>
        );
      })}
    </ul>
  );
}
