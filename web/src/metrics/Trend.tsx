import { useQueries, useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { catalog, type Series, series } from '../api/queries';
import { Chart } from '../charts/Chart';
import type { Palette } from '../charts/theme';
import { type TrendLine, trend } from '../charts/trend';
import { format, inCurrency, month, sentence, unitLabel } from '../lib/format';
import { t } from '../lib/i18n';
import { addMonths, type Period, rangeOf } from '../lib/period';
import { useExplain, useView } from '../lib/state';
import { DataTable } from '../ui/DataTable';
import { Failure, Skeleton, Unseen } from '../ui/States';
import { useFit } from './fit';

/** Months that a trend shows at least, so that one period is seen against the time before. */
const COURSE = 24;

const numberOf = (text: string | null | undefined) => (text === null || text === undefined ? null : Number(text));

/**
 * Measures of one unit by month, the first with the band in which each month was expected
 * and its unusual months marked. Dragging a range makes it the page's period.
 */
export function Trend({
  measures: wanted,
  where: asked = '',
  days,
  label,
  height = 260,
}: {
  measures: string[];
  where?: string;
  days: Period | undefined;
  label: string;
  height?: number;
}) {
  const { set } = useView();
  const { explain } = useExplain();
  const names = useQuery(catalog()).data;
  const { where, note, ready: fits, measures, unseen } = useFit(wanted, asked);
  const early = days ? addMonths(days.to, -COURSE) : '';
  const span = days ? { from: early < days.from ? early : days.from, to: days.to } : undefined;
  const all = useQueries({
    queries: measures.map((measure) => ({ ...series({ measure, where, period: span }), enabled: fits && days !== undefined })),
  });
  const data = all.map((q) => q.data);
  const ready = data.every((d): d is Series => d !== undefined);
  const found = ready ? data : undefined;
  const key = all.map((q) => q.dataUpdatedAt).join();

  // biome-ignore lint/correctness/useExhaustiveDependencies: key stands for the data of all queries
  const lines = useMemo<TrendLine[]>(
    () =>
      (found ?? []).map((s, i) => ({
        name: names?.measure.get(s.measure)?.label ?? s.measure,
        unit: inCurrency(s.unit, s.currency),
        points: (s.points ?? []).map((p) => ({
          month: String(p.month),
          value: numberOf(p.value),
          low: i === 0 ? numberOf(p.low) : null,
          high: i === 0 ? numberOf(p.high) : null,
          unusual: i === 0 && p.unusual,
          partial: p.partial,
        })),
      })),
    [key, names, found === undefined],
  );
  const option = useCallback((colors: Palette, width: number) => trend(lines, colors, width, { brush: true }), [lines]);
  if (unseen) return <Unseen />;
  const failed = all.find((q) => q.isError && q.data === undefined);
  if (failed) return <Failure error={failed.error} onRetry={() => failed.refetch()} />;
  if (!found || !names) {
    return (
      <div role="status" aria-label={t('Loading')}>
        <Skeleton height={height} />
      </div>
    );
  }
  const points = lines[0]?.points ?? [];
  if (!points.some((p) => p.value !== null)) {
    const why = found[0]?.points?.findLast((p) => p.reason)?.reason;
    return <p className="muted">{why ? `${sentence(why)}.` : t('No month in this period has data.')}</p>;
  }
  const unusual = points.filter((p) => p.unusual);
  return (
    <>
      <Chart
        label={label}
        height={height}
        option={option}
        onMark={(mark) => {
          const m = points[mark.index]?.month;
          const measure =
            measures[
              Math.max(
                0,
                lines.findIndex((l) => l.name === mark.series),
              )
            ];
          if (m && measure) explain(measure, where, { from: m, to: addMonths(m, 1) });
        }}
        onSpan={(from, to) => {
          const a = points[Math.max(0, Math.round(from))]?.month;
          const b = points[Math.min(points.length - 1, Math.round(to))]?.month;
          if (a && b && a <= b) set({ period: rangeOf({ from: a, to: addMonths(b, 1) }) });
        }}
        table={() => (
          <DataTable
            caption={label}
            rows={points.map((p, at) => ({ ...p, at }))}
            rowKey={(r) => r.month}
            columns={[
              { id: 'month', head: t('Month'), sort: (r) => r.month, cell: (r) => month(r.month) },
              ...lines.map((l, i) => ({
                id: l.name,
                head: l.name,
                unit: unitLabel(l.unit),
                right: true,
                sort: (r: { at: number }) => l.points[r.at]?.value ?? null,
                cell: (r: { at: number }) => format(found[i]?.points?.[r.at]?.value, l.unit, { bare: true }),
              })),
              {
                id: 'band',
                head: t('Expected (90%)'),
                right: true,
                cell: (r) =>
                  r.low === null || r.high === null
                    ? ''
                    : t('{{low}} to {{high}}', {
                        low: format(r.low, lines[0]?.unit ?? '', { bare: true }),
                        high: format(r.high, lines[0]?.unit ?? '', { bare: true }),
                      }),
              },
            ]}
          />
        )}
      />
      {note ? <p className="muted small">{note}</p> : null}
      {points.some((p) => p.low !== null) ? (
        <p className="muted small" title={found[0]?.band.words}>
          {t('Band: where {{measure}} was expected from the months before (90%).', { measure: lines[0]?.name ?? '' })}{' '}
          {unusual.length > 0
            ? t('Unusual: {{months}}.', { months: unusual.map((p) => month(p.month)).join(', ') })
            : t('No month was unusual.')}{' '}
          {days && points[0] && points[0].month < days.from
            ? t('Shown from {{first}}, to see the time before the chosen period.', { first: month(points[0].month) })
            : ''}
        </p>
      ) : null}
    </>
  );
}
