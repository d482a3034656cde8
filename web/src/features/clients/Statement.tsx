import { useQuery } from '@tanstack/react-query';
import { type Ask, catalog, currencyAt, type Table, table } from '../../api/queries';
import { both, only } from '../../lib/filters';
import { dimensionValue, format, inCurrency } from '../../lib/format';
import { t } from '../../lib/i18n';
import type { Period } from '../../lib/period';
import { useExplain } from '../../lib/state';
import { Delta } from '../../metrics/Delta';
import { periodText } from '../../metrics/words';
import { Card } from '../../ui/Card';
import { CellButton } from '../../ui/DataTable';
import { Loaded } from '../../ui/States';
import css from './clients.module.css';

interface Line {
  id: string;
  label: string;
  measure: string;
  where: string;
  now: string | null;
  before: string | null;
  change: string | null;
  currency: string;
  part: boolean;
}

const PARTS: [string, string][] = [
  ['revenue', 'revenue_category'],
  ['labor_cost', 'work_type'],
  ['direct_cost', 'vendor'],
];
const RESULTS = ['gross_profit', 'gross_margin', 'effective_hourly_rate'];

/** Profit and loss after labor: this period, the one before, the change; each line opens. */
export function Statement({ where, days }: { where: string; days: Period | undefined }) {
  const names = useQuery(catalog()).data;
  const { explain } = useExplain();
  const ask = (measures: string[], by: string[]): Ask => ({ measures, by, where, period: days, compare: 'previous' });
  const on = { enabled: days !== undefined };
  const totals = useQuery({ ...table(ask([...PARTS.map(([m]) => m), ...RESULTS], [])), ...on });
  const revenue = useQuery({ ...table(ask(['revenue'], ['revenue_category'])), ...on });
  const labor = useQuery({ ...table(ask(['labor_cost'], ['work_type'])), ...on });
  const direct = useQuery({ ...table(ask(['direct_cost'], ['vendor'])), ...on });
  const details: Record<string, Table | undefined> = { revenue: revenue.data, labor_cost: labor.data, direct_cost: direct.data };

  const cells = (data: Table, row: (string | null)[], measure: string) => {
    const at = data.columns.findIndex((c) => c.name === measure);
    const currency = currencyAt(data, data.rows.indexOf(row), (at - (data.columns.length % 3)) / 3);
    return { now: row[at] ?? null, before: row[at + 1] ?? null, change: row[at + 2] ?? null, currency };
  };
  const lines = (data: Table): Line[] => {
    const row = data.rows[0] ?? [];
    const out: Line[] = [];
    for (const [measure, dimension] of PARTS) {
      out.push({
        id: measure,
        label: names?.measure.get(measure)?.label ?? measure,
        measure,
        where,
        ...cells(data, row, measure),
        part: false,
      });
      const detail = details[measure];
      if (!detail || detail.rows.length < 2) continue;
      const sorted = [...detail.rows].sort((a, b) => Math.abs(Number(b[1] ?? 0)) - Math.abs(Number(a[1] ?? 0)));
      for (const r of sorted)
        out.push({
          id: `${measure} ${r[0]}`,
          label: dimensionValue(dimension, r[0] ?? ''),
          measure,
          where: both(where, only(dimension, r[0] ?? '')),
          ...cells(detail, r, measure),
          part: true,
        });
    }
    for (const measure of RESULTS)
      out.push({
        id: measure,
        label: names?.measure.get(measure)?.label ?? measure,
        measure,
        where,
        ...cells(data, row, measure),
        part: false,
      });
    return out;
  };

  return (
    <Card
      title={t('What remains after labor?')}
      subtitle={t('{{period}} against the period before; a number opens its cause and rows', { period: periodText(days) })}
    >
      <Loaded query={totals} height={360}>
        {(data) => {
          const all = lines(data);
          const bare = data.currencies === undefined;
          return (
            <div className={css.wrap} tabIndex={0} role="region" aria-label={t('Profit and loss after labor')}>
              <table className={css.statement}>
                <caption className="sr">{t('Profit and loss after labor')}</caption>
                <thead>
                  <tr>
                    <th scope="col">{data.currency}</th>
                    <th scope="col">{t('This period')}</th>
                    <th scope="col">{t('Before')}</th>
                    <th scope="col">{t('Change')}</th>
                  </tr>
                </thead>
                <tbody>
                  {all.map((l) => {
                    const m = names?.measure.get(l.measure);
                    const unit = inCurrency(m?.unit ?? 'money', l.currency);
                    return (
                      <tr key={l.id} data-kind={l.part ? 'part' : RESULTS.includes(l.id) ? 'result' : 'sum'}>
                        <th scope="row">{l.label}</th>
                        <td>
                          {l.now === null ? (
                            '—'
                          ) : (
                            <CellButton
                              label={t('{{label}} {{value}}. Explain', { label: l.label, value: format(l.now, unit) })}
                              negative={Number(l.now) < 0}
                              onPress={() => explain(l.measure, l.where, days)}
                            >
                              {format(l.now, unit, { bare })}
                            </CellButton>
                          )}
                        </td>
                        <td>{format(l.before, unit, { bare })}</td>
                        <td>
                          <Delta change={l.change} unit={unit} direction={m?.direction ?? 'two_sided'} />
                        </td>
                      </tr>
                    );
                  })}
                </tbody>
              </table>
            </div>
          );
        }}
      </Loaded>
    </Card>
  );
}
