import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { catalog, table } from '../api/queries';
import { Chart } from '../charts/Chart';
import { type TrendLine, trend } from '../charts/trend';
import { format, month, unitLabel } from '../lib/format';
import { t } from '../lib/i18n';
import { addMonths, type Period, rangeOf } from '../lib/period';
import { usePanel, useView } from '../lib/state';
import { DataTable } from '../ui/DataTable';
import { Loaded } from '../ui/States';

/** Months that a trend shows at least, so that one period is seen against the time before. */
const COURSE = 24;

/** Measures of one unit by month; dragging a range makes it the page's period. */
export function Trend({ measures, where = '', days, label, height = 260 }: { measures: string[]; where?: string; days: Period | undefined; label: string; height?: number }) {
  const { set } = useView();
  const { explain } = usePanel();
  const names = useQuery(catalog()).data;
  const span = days ? { from: addMonths(days.to, -COURSE) < days.from ? addMonths(days.to, -COURSE) : days.from, to: days.to } : undefined;
  const q = useQuery({ ...table({ measures, by: ['month'], where, period: span, order: ['month'] }), enabled: days !== undefined });
  const lines = useMemo<TrendLine[]>(
    () =>
      measures.map((name, i) => ({
        name: names?.measure.get(name)?.label ?? name,
        unit: names?.measure.get(name)?.unit ?? 'number',
        points: (q.data?.rows ?? []).map((r) => ({ month: r[0] ?? '', value: r[i + 1] === null || r[i + 1] === undefined ? null : Number(r[i + 1]), low: null, high: null, partial: r[0] === q.data?.partialMonth })),
      })),
    [q.data, names, measures],
  );
  const months = lines[0]?.points.map((p) => p.month) ?? [];
  const option = useCallback((colors: Parameters<typeof trend>[1], width: number) => trend(lines, colors, width, { brush: true }), [lines]);
  const monthOf = (m: string) => ({ from: m, to: addMonths(m, 1) });
  return (
    <Loaded query={q} height={height} isEmpty={(d) => d.rows.length === 0} empty={<p className="muted">{t('No month in this period has data.')}</p>}>
      {(data) => (
        <Chart
          label={label}
          height={height}
          option={option}
          onMark={(mark) => {
            const m = months[mark.index];
            const measure = measures[Math.max(0, lines.findIndex((l) => l.name === mark.series))];
            if (m && measure) explain(measure, where, monthOf(m));
          }}
          onSpan={(from, to) => {
            const a = months[Math.max(0, Math.round(from))];
            const b = months[Math.min(months.length - 1, Math.round(to))];
            if (a && b && a <= b) set({ period: rangeOf({ from: a, to: addMonths(b, 1) }) });
          }}
          table={() => (
            <DataTable
              caption={label}
              rows={data.rows}
              rowKey={(r) => r[0] ?? ''}
              columns={[
                { id: 'month', head: t('Month'), sort: (r) => r[0] ?? '', cell: (r) => month(r[0] ?? '') },
                ...measures.map((name, i) => {
                  const unit = names?.measure.get(name)?.unit ?? 'number';
                  return { id: name, head: names?.measure.get(name)?.label ?? name, unit: unitLabel(unit, data.currency), right: true, sort: (r: (string | null)[]) => Number(r[i + 1] ?? 0), cell: (r: (string | null)[]) => format(r[i + 1], unit, { bare: true }) };
                }),
              ]}
            />
          )}
        />
      )}
    </Loaded>
  );
}
