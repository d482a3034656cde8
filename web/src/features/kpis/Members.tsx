import type { UseQueryResult } from '@tanstack/react-query';
import { type Ask, currencyAt, type Table } from '../../api/queries';
import { dimensionValue, format, inCurrency, sentence } from '../../lib/format';
import { t } from '../../lib/i18n';
import { addMonths, type Period } from '../../lib/period';
import type { Names } from '../../metrics/choices';
import { periodText } from '../../metrics/words';
import { DataTable } from '../../ui/DataTable';
import { Failure, Skeleton } from '../../ui/States';

/** The question whose rows are the members that meet a condition; undefined when no measure knows the dimension. */
export function previewAsk(
  names: Names,
  dimension: string,
  where: string,
  months: number,
  days: Period | undefined,
  complete: Period | undefined,
): Ask | undefined {
  const known = (name: string) => names.measure.get(name)?.dimensions?.includes(dimension);
  const measure = known('revenue') ? 'revenue' : names.measures.find((m) => !m.custom && m.dimensions?.includes(dimension))?.name;
  if (!measure) return undefined;
  const period = months > 0 && complete ? { from: addMonths(complete.to, -months), to: complete.to } : days;
  return { measures: [measure], by: [dimension], where, period };
}

/** Who meets the condition. */
export function Members({
  query,
  dimension,
  names,
  shown,
  wrong,
}: {
  query: UseQueryResult<Table>;
  dimension: string;
  names: Names;
  shown: boolean;
  wrong: string | undefined;
}) {
  if (!shown) return <p className="muted small">{t('Who meets the condition stands here as you type.')}</p>;
  if (query.isError) return wrong ? null : <Failure error={query.error} onRetry={() => query.refetch()} />;
  const data = query.data;
  if (!data) return <Skeleton height={120} />;
  const measure = data.columns[1];
  return (
    <div className="stack" style={{ gap: 8 }}>
      <p className="small" data-testid="members">
        {t('{{n}} meet it, {{period}}', { n: data.rows.length, period: periodText(data.period) })}
      </p>
      {data.rows.length > 0 && measure ? (
        <DataTable
          caption={t('Members')}
          rows={data.rows.map((r, i) => ({
            name: r[0] ?? '',
            value: r[1] ?? null,
            unit: inCurrency(measure.unit, currencyAt(data, i, 0)),
          }))}
          rowKey={(r) => r.name}
          initial={{ id: 'value', descending: true }}
          maxHeight={240}
          columns={[
            {
              id: 'name',
              head: names.dimension.get(dimension)?.label ?? dimension,
              sort: (r) => r.name,
              cell: (r) => dimensionValue(dimension, r.name),
            },
            {
              id: 'value',
              head: names.measure.get(measure.name)?.label ?? measure.name,
              right: true,
              sort: (r) => Number(r.value),
              cell: (r) => format(r.value, r.unit),
            },
          ]}
        />
      ) : null}
      {data.notes.map((n) => (
        <p key={n} className="muted small">
          {sentence(n)}.
        </p>
      ))}
    </div>
  );
}
