import { useQuery } from '@tanstack/react-query';
import { type Ask, catalog, currencyAt, type Table, table } from '../../api/queries';
import { both, only } from '../../lib/filters';
import { dimensionValue, format, inCurrency, type Unit, unitLabel } from '../../lib/format';
import { t } from '../../lib/i18n';
import { spanOf } from '../../lib/period';
import { useExplain } from '../../lib/state';
import { CellButton } from '../../ui/DataTable';
import { Select } from '../../ui/Field';
import { Loaded } from '../../ui/States';
import css from './explore.module.css';

const MOST_COLUMNS = 60;
const MOST_ROWS = 60;

interface Found {
  value: string | null | undefined;
  unit: Unit;
  bare: boolean;
}

/** One measure with a dimension across; totals are asked for, not added up here. */
export function Pivot({ ask, across, onAcross }: { ask: Ask; across: string; onAcross: (next: string) => void }) {
  const { explain } = useExplain();
  const names = useQuery(catalog()).data;
  const measure = ask.measures[0] ?? '';
  const m = names?.measure.get(measure);
  const down = (ask.by ?? []).filter((d) => d !== across);
  const q = (by: string[]): Ask => ({ measures: [measure], by, where: ask.where ?? '', period: ask.period });
  const on = { enabled: ask.period !== undefined };
  const cells = useQuery({ ...table(q([...down, across])), ...on });
  const rowTotals = useQuery({ ...table({ ...q(down), order: [`-${measure}`] }), ...on });
  const columnTotals = useQuery({
    ...table({ ...q([across]), order: [names?.dimension.get(across)?.time ? across : `-${measure}`] }),
    ...on,
  });
  const total = useQuery({ ...table(q([])), ...on });
  const unit = m?.unit ?? 'number';
  const timed = names?.dimension.get(across)?.time ?? false;

  /** How a value of a row is written: where amounts are in several currencies, with its own. */
  const unitsOf = (data: Table | undefined, row: number) => ({
    unit: inCurrency(unit, data ? currencyAt(data, row, 0) : ''),
    bare: !data?.currencies,
  });
  const totalText = (value: string | null | undefined, data: Table | undefined, row: number) => {
    const { unit: own, bare } = unitsOf(data, row);
    return format(value, own, { bare });
  };

  const draw = (data: Table) => {
    const at = down.length;
    const values = new Map(data.rows.map((r, i) => [r.slice(0, at + 1).join('\u0000'), { value: r[at + 1], ...unitsOf(data, i) }]));
    const label = data.currencies && unit.startsWith('money') ? '' : unitLabel(inCurrency(unit, data.currency));
    const heads = (columnTotals.data?.rows ?? []).slice(0, MOST_COLUMNS);
    const lines = (rowTotals.data?.rows ?? []).slice(0, MOST_ROWS);
    const whereOf = (row: (string | null)[], column?: string) =>
      both(
        ask.where,
        ...down.map((d, i) => (names?.dimension.get(d)?.time ? '' : only(d, row[i] ?? ''))),
        column !== undefined && !timed ? only(across, column) : '',
      );
    const periodOf = (row: (string | null)[], column?: string) =>
      [...down, across].reduce((days, d, i) => spanOf(d, (i < at ? row[i] : column) ?? '', days), ask.period);
    const cell = (found: Found | undefined, row: (string | null)[], column?: string) =>
      found?.value === null || found?.value === undefined ? (
        <span className="muted">—</span>
      ) : (
        <CellButton
          label={t('{{label}} {{value}}. Explain', { label: m?.label ?? measure, value: format(found.value, found.unit) })}
          negative={Number(found.value) < 0}
          onPress={() => explain(measure, whereOf(row, column), periodOf(row, column))}
        >
          {format(found.value, found.unit, { bare: found.bare })}
        </CellButton>
      );
    return (
      <div className={css.pivotWrap} tabIndex={0} role="region" aria-label={t('Pivot table')}>
        <table className={css.pivot} data-pivot>
          <caption className="sr">
            {t('{{measure}}, {{rows}} by {{columns}}', { measure: m?.label ?? measure, rows: down.join(', '), columns: across })}
          </caption>
          <thead>
            <tr>
              <th scope="col">
                {down.map((d) => names?.dimension.get(d)?.label ?? d).join(' · ')} {label ? `(${label})` : ''}
              </th>
              {heads.map((h) => (
                <th key={h[0]} scope="col">
                  {dimensionValue(across, h[0] ?? '')}
                </th>
              ))}
              <th scope="col" data-total>
                {t('All')}
              </th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => {
              const key = line.slice(0, at);
              return (
                <tr key={key.join('\u0000')}>
                  <th scope="row">{down.map((d, i) => dimensionValue(d, key[i] ?? '')).join(' · ')}</th>
                  {heads.map((h) => (
                    <td key={h[0]}>{cell(values.get([...key, h[0]].join('\u0000')), key, h[0] ?? '')}</td>
                  ))}
                  <td data-total>{cell({ value: line[at], ...unitsOf(rowTotals.data, rowTotals.data?.rows.indexOf(line) ?? 0) }, key)}</td>
                </tr>
              );
            })}
          </tbody>
          <tfoot>
            <tr data-total>
              <th scope="row">{t('All')}</th>
              {heads.map((h, i) => (
                <td key={h[0]}>{totalText(h[1], columnTotals.data, i)}</td>
              ))}
              <td data-grand>{totalText(total.data?.rows[0]?.[0], total.data, 0)}</td>
            </tr>
          </tfoot>
        </table>
      </div>
    );
  };

  return (
    <div className="stack">
      <div className="row">
        <Select
          label={t('Across')}
          value={across}
          onChange={onAcross}
          options={(ask.by ?? []).map((d) => [d, names?.dimension.get(d)?.label ?? d] as const)}
        />
      </div>
      <Loaded
        query={cells}
        height={320}
        isEmpty={(d) => d.rows.length === 0}
        empty={<p className="muted">{t('Nothing to show for this period and filter.')}</p>}
      >
        {draw}
      </Loaded>
      {(rowTotals.data?.rows.length ?? 0) > MOST_ROWS || (columnTotals.data?.rows.length ?? 0) > MOST_COLUMNS ? (
        <p className="muted small">
          {t('The first {{rows}} rows and {{columns}} columns are shown; totals and exports hold all.', {
            rows: MOST_ROWS,
            columns: MOST_COLUMNS,
          })}
        </p>
      ) : null}
    </div>
  );
}
