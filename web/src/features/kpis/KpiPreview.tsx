import type { UseQueryResult } from '@tanstack/react-query';
import { useCallback } from 'react';
import type { kpiPreview, Table } from '../../api/queries';
import { Chart } from '../../charts/Chart';
import type { Palette } from '../../charts/theme';
import { trend } from '../../charts/trend';
import { format, inCurrency, month, sentence, type Unit, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import type { Names } from '../../metrics/choices';
import { periodText } from '../../metrics/words';
import { Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Empty, Failure, Notice, Skeleton } from '../../ui/States';
import css from './kpis.module.css';

type Preview = Awaited<ReturnType<NonNullable<ReturnType<typeof kpiPreview>['queryFn']>>>;

/** What the draft says: its unit, its value and its last twelve months. */
export function KpiPreview({
  query,
  asked,
  wrong,
  names,
}: {
  query: UseQueryResult<Preview>;
  asked: string;
  wrong: string | undefined;
  names: Names;
}) {
  if (asked === '')
    return (
      <Card title={t('What does it say?')}>
        <Empty title={t('Nothing to compute yet')}>
          {t('Write a formula: its unit and its last twelve months stand here as you type.')}
        </Empty>
      </Card>
    );
  if (query.isError)
    return (
      <Card title={t('What does it say?')}>
        {wrong ? (
          <Notice tone="warn">{t('This cannot be computed yet: see what is said below the formula.')}</Notice>
        ) : (
          <Failure error={query.error} onRetry={() => query.refetch()} />
        )}
      </Card>
    );
  if (!query.data) return <Skeleton height={320} />;
  return <Said p={query.data} names={names} />;
}

/** The row's value, the last column, and why it has none. */
function cellOf(table: Table, row: number): { value: string | null; reason: string | undefined } {
  const last = table.columns.length - 1;
  const column = table.columns[last]?.name ?? '';
  return { value: table.rows[row]?.[last] ?? null, reason: table.reasons[row]?.[column] };
}

function Said({ p, names }: { p: Preview; names: Names }) {
  const unit: Unit = inCurrency(p.unit, p.total.currency);
  const { value, reason } = cellOf(p.total, 0);
  const months = p.months;
  const option = useCallback(
    (colors: Palette, width: number) =>
      trend(
        [
          {
            name: t('Draft'),
            unit,
            points: months.rows.map((r, i) => {
              const v = cellOf(months, i).value;
              return { month: r[0] ?? '', value: v === null ? null : Number(v), low: null, high: null };
            }),
          },
        ],
        colors,
        width,
      ),
    [months, unit],
  );
  return (
    <Card title={t('What does it say?')} subtitle={periodText(p.total.period)}>
      <p>
        <span className={css.value} data-testid="kpi-value">
          {format(value, unit)}
        </span>{' '}
        <span className="muted">{t('unit: {{unit}}', { unit: words(p.unit) || t('none') })}</span>
      </p>
      {value === null && reason ? <Notice tone="warn">{sentence(reason)}</Notice> : null}
      <Chart label={t('The draft by month')} option={option} height={220} table={() => <Months months={months} unit={unit} />} />
      <p className="muted small">
        {t('Made of {{measures}}.', { measures: p.uses.map((m) => names.measure.get(m)?.label ?? m).join(', ') || t('no measure') })}{' '}
        {t('Can be cut by {{dimensions}}.', {
          dimensions: p.dimensions.map((d) => names.dimension.get(d)?.label ?? d).join(', ') || t('nothing'),
        })}
      </p>
      {[...new Set([...p.total.notes, ...months.notes])].map((n) => (
        <p key={n} className="muted small">
          {sentence(n)}.
        </p>
      ))}
    </Card>
  );
}

function Months({ months, unit }: { months: Table; unit: Unit }) {
  return (
    <DataTable
      caption={t('By month')}
      rows={months.rows.map((r, i) => ({ month: r[0] ?? '', ...cellOf(months, i) }))}
      rowKey={(r) => r.month}
      columns={[
        { id: 'month', head: t('Month'), sort: (r) => r.month, cell: (r) => month(r.month) },
        {
          id: 'value',
          head: t('Value'),
          right: true,
          sort: (r) => Number(r.value),
          cell: (r) => <span title={r.reason}>{format(r.value, unit)}</span>,
        },
      ]}
    />
  );
}
