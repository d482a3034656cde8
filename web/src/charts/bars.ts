import type { EChartsCoreOption } from 'echarts/core';
import { axis, format, type Unit } from '../lib/format';
import type { Palette } from './theme';
import { tooltip } from './tooltip';

export interface BarSeries {
  name: string;
  /** Of each value; amounts may be in different currencies. */
  units: Unit[];
  values: (number | null)[];
}

/** Horizontal bars, the first at the top; negative ones in the color of bad and hatched. */
export function bars(names: string[], all: BarSeries[], colors: Palette): EChartsCoreOption {
  const unit = all[0]?.units[0] ?? 'number';
  return {
    textStyle: { fontFamily: 'Inter Variable, sans-serif' },
    animationDuration: 250,
    animation: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    grid: { left: 4, right: 24, top: all.length > 1 ? 28 : 4, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    tooltip: {
      trigger: 'axis',
      confine: true,
      axisPointer: { type: 'shadow' },
      backgroundColor: colors.surface,
      borderColor: colors.line,
      textStyle: { color: colors.text, fontSize: 12 },
      formatter: (hits: { dataIndex: number }[]) => {
        const at = hits[0]?.dataIndex ?? 0;
        return tooltip(
          names[at] ?? '',
          all.map((s, i) => ({ color: colors.series[i], name: s.name, value: format(s.values[at], s.units[at] ?? 'number') })),
        );
      },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: names,
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { color: colors.text, fontSize: 12, width: 150, overflow: 'truncate' },
    },
    xAxis: {
      type: 'value',
      axisLabel: { color: colors.muted, fontSize: 11, hideOverlap: true, formatter: (v: number) => axis(v, unit) },
      splitLine: { lineStyle: { color: colors.line } },
    },
    ...(all.length > 1 ? { legend: { top: 0, textStyle: { color: colors.muted, fontSize: 12 }, icon: 'roundRect', itemHeight: 8 } } : {}),
    series: all.map((s, i) => ({
      name: s.name,
      type: 'bar',
      barMaxWidth: 18,
      itemStyle: { color: colors.series[i % colors.series.length], borderRadius: 3 },
      data: s.values.map((v) =>
        v !== null && v < 0
          ? {
              value: v,
              itemStyle: {
                color: colors.bad,
                decal: { symbol: 'rect', dashArrayX: [1, 0], dashArrayY: [2, 3], rotation: Math.PI / 4, color: 'rgba(255,255,255,0.35)' },
              },
            }
          : v,
      ),
    })),
  };
}
