import type { ECharts, EChartsCoreOption } from 'echarts/core';
import { Table2 } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { t } from '../lib/i18n';
import { onLook } from '../lib/look';
import { IconButton } from '../ui/Button';
import { Skeleton } from '../ui/States';
import css from './charts.module.css';
import { type Palette, palette } from './theme';

export interface Mark {
  /** Place in the chart's data. */
  index: number;
  series: string;
}

interface Props {
  label: string;
  option: (colors: Palette, width: number) => EChartsCoreOption;
  table: () => ReactNode;
  height?: number;
  onMark?: ((mark: Mark) => void) | undefined;
  /** A range of the category axis was dragged over: its ends, as places. */
  onSpan?: ((from: number, to: number) => void) | undefined;
}

/**
 * A chart with its table beside it: the table is the accessible form of the same data. The
 * option is made anew when the theme changes. `span` tells that a range was dragged.
 */
export function Chart({ label, option, table, height = 260, onMark, onSpan }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts>(undefined);
  const [ready, setReady] = useState(false);
  const [asTable, setAsTable] = useState(false);
  const latest = useRef({ option, onMark, onSpan });
  latest.current = { option, onMark, onSpan };

  useEffect(() => {
    if (asTable) return;
    let gone = false;
    let stop = () => {};
    import('./engine').then(({ init }) => {
      const node = box.current;
      if (gone || !node) return;
      const one = init(node, undefined, { renderer: 'canvas' });
      chart.current = one;
      const draw = () => paint(one, node, latest.current);
      draw();
      setReady(true);
      one.on('click', (e) => latest.current.onMark?.({ index: e.dataIndex, series: String(e.seriesName ?? '') }));
      one.on('brushEnd', (e) => {
        const range = (e as { areas?: { coordRange?: [number, number] }[] }).areas?.[0]?.coordRange;
        if (range && latest.current.onSpan) latest.current.onSpan(range[0], range[1]);
      });
      let width = node.clientWidth;
      const size = new ResizeObserver(() => {
        if (node.clientWidth === width && one.getHeight() === node.clientHeight) return; // it tells the first size, too
        width = node.clientWidth;
        one.resize();
        draw();
      });
      size.observe(node);
      const unlook = onLook(draw);
      stop = () => {
        size.disconnect();
        unlook();
        one.dispose();
        chart.current = undefined;
      };
    });
    return () => {
      gone = true;
      stop();
    };
  }, [asTable]);

  // Another function to call is no reason to draw.
  const spans = onSpan !== undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: spans stands for onSpan
  useEffect(() => {
    if (chart.current && box.current) paint(chart.current, box.current, latest.current);
  }, [option, spans]);

  return (
    <figure className={css.chart} aria-label={label}>
      <div className={css.tools} data-no-print>
        <IconButton label={asTable ? t('View as chart') : t('View as table')} pressed={asTable} onPress={() => setAsTable(!asTable)}>
          <Table2 size={16} />
        </IconButton>
      </div>
      {asTable ? (
        <div className={css.asTable}>{table()}</div>
      ) : (
        <>
          {ready ? null : (
            <div className={css.wait}>
              <Skeleton height={height} />
            </div>
          )}
          <div
            ref={box}
            style={{ height }}
            role="img"
            aria-label={t('{{label}}. The same figures: View as table.', { label })}
            data-ready={ready}
          />
        </>
      )}
    </figure>
  );
}

/** Draws the chart; a new option also forgets that a drag picks a span. */
function paint(one: ECharts, node: HTMLElement, { option, onSpan }: Pick<Props, 'option' | 'onSpan'>): void {
  one.setOption(option(palette(), node.clientWidth), { notMerge: true });
  if (onSpan) one.dispatchAction({ type: 'takeGlobalCursor', key: 'brush', brushOption: { brushType: 'lineX', brushMode: 'single' } });
}
