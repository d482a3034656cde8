import type { EChartsCoreOption } from 'echarts/core';
import { axis, format, month, type Unit } from '../lib/format';
import { faint, type Palette } from './theme';
import { tooltip } from './tooltip';

export interface TrendPoint {
  month: string;
  value: number | null;
  low: number | null;
  high: number | null;
  unusual?: boolean;
  partial?: boolean;
}

export interface TrendLine {
  name: string;
  unit: Unit;
  points: TrendPoint[];
}

/** Lines by month, the first with its band. Bars and bands begin where the axis does. */
export function trend(lines: TrendLine[], colors: Palette, width: number, options: { brush?: boolean } = {}): EChartsCoreOption {
  const months = lines[0]?.points.map((p) => p.month) ?? [];
  const unit = lines[0]?.unit ?? 'number';
  const narrow = width < 480;
  const values = lines.flatMap((l) => l.points.flatMap((p) => (p.value === null ? [] : [p.value])));
  // Shares that are all nearly the same need decimals to differ on the axis.
  const spread = Math.max(...values) - Math.min(...values);
  const digits = spread < 0.005 ? 2 : spread < 0.05 ? 1 : 0;
  const series: object[] = [];
  lines.forEach((line, i) => {
    const color = colors.series[i % colors.series.length] ?? colors.accent;
    const banded = i === 0 && line.points.some((p) => p.low !== null && p.high !== null);
    if (banded) {
      series.push(
        {
          name: 'low',
          type: 'line',
          data: line.points.map((p) => p.low),
          stack: 'band',
          stackStrategy: 'all',
          lineStyle: { opacity: 0 },
          symbol: 'none',
          silent: true,
          tooltip: { show: false },
        },
        {
          name: 'band',
          type: 'line',
          data: line.points.map((p) => (p.low === null || p.high === null ? null : p.high - p.low)),
          stack: 'band',
          stackStrategy: 'all',
          lineStyle: { opacity: 0 },
          areaStyle: { color: faint(color, 0.14) },
          symbol: 'none',
          silent: true,
        },
      );
    }
    series.push({
      name: line.name,
      type: 'line',
      z: 3,
      data: line.points.map((p) =>
        p.unusual
          ? { value: p.value, symbol: 'diamond', symbolSize: 11, itemStyle: { color: colors.bad } }
          : { value: p.value, symbolSize: p.partial ? 9 : 6, ...(p.partial ? { symbol: 'emptyCircle' } : {}) },
      ),
      symbol: 'circle',
      itemStyle: { color },
      lineStyle: { color, width: 2.25 },
      connectNulls: false,
    });
  });
  return {
    textStyle: { fontFamily: 'Inter Variable, sans-serif' },
    animationDuration: 250,
    animation: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    grid: { left: 8, right: 12, top: 16, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    tooltip: {
      trigger: 'axis',
      confine: true,
      backgroundColor: colors.surface,
      borderColor: colors.line,
      textStyle: { color: colors.text, fontSize: 12 },
      axisPointer: { lineStyle: { color: colors.line } },
      formatter: (hits: { dataIndex: number }[]) => {
        const at = hits[0]?.dataIndex ?? 0;
        const rows = lines.flatMap((line, i) => {
          const p = line.points[at];
          if (!p) return [];
          const out = [{ color: colors.series[i], name: line.name, value: format(p.value, line.unit) }];
          if (p.low !== null && p.high !== null)
            out.push({
              color: undefined,
              name: 'Expected (90%)',
              value: `${format(p.low, line.unit, { bare: true })} – ${format(p.high, line.unit, { bare: true })}`,
            });
          return out;
        });
        const point = lines[0]?.points[at];
        return tooltip(month(months[at] ?? '') + (point?.partial ? ' (not complete)' : ''), rows);
      },
    },
    xAxis: {
      type: 'category',
      data: months,
      boundaryGap: false,
      axisLine: { lineStyle: { color: colors.line } },
      axisTick: { show: false },
      axisLabel: {
        color: colors.muted,
        fontSize: 11,
        hideOverlap: true,
        formatter: (m: string) => (narrow ? month(m).slice(0, 3) : month(m)),
      },
    },
    yAxis: {
      type: 'value',
      scale: true,
      splitNumber: 4,
      axisLabel: { color: colors.muted, fontSize: 11, formatter: (v: number) => axis(v, unit, digits) },
      splitLine: { lineStyle: { color: colors.line } },
    },
    ...(lines.length > 1
      ? {
          legend: {
            top: 0,
            data: lines.map((l) => l.name),
            textStyle: { color: colors.muted, fontSize: 12 },
            icon: 'roundRect',
            itemHeight: 4,
          },
        }
      : {}),
    ...(options.brush
      ? {
          brush: {
            xAxisIndex: 0,
            brushType: 'lineX',
            brushMode: 'single',
            transformable: false,
            brushStyle: { color: faint(colors.accent, 0.15), borderColor: colors.accent },
            throttleType: 'debounce',
            throttleDelay: 200,
          },
        }
      : {}),
    series,
  };
}
