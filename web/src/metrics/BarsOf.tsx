import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { type Ask, catalog, currencyAt, table } from '../api/queries';
import { bars } from '../charts/bars';
import { Chart } from '../charts/Chart';
import type { Palette } from '../charts/theme';
import { both, only } from '../lib/filters';
import { dimensionValue, inCurrency } from '../lib/format';
import { t } from '../lib/i18n';
import { spanOf } from '../lib/period';
import { useExplain } from '../lib/state';
import { Loaded, Unseen } from '../ui/States';
import { seenOf, useFit } from './fit';
import { MeasureTable } from './MeasureTable';

const MOST = 25;

/** Room of a bar and its name, and of the axis, in pixels. */
const BAR = 24;
const AXIS = 48;

/** The first rows of a question as bars; a click on one opens its explanation. */
export function BarsOf({ ask: asked, height }: { ask: Ask; height?: number }) {
  const fit = useFit(asked.measures, asked.where, asked.by);
  const ask = seenOf(asked, fit);
  const { explain } = useExplain();
  const names = useQuery(catalog()).data;
  const by = ask.by ?? [];
  const unit = names?.measure.get(ask.measures[0] ?? '')?.unit ?? 'number';
  const drawn = ask.measures.filter((m) => names?.measure.get(m)?.unit === unit);
  const q = useQuery({
    ...table({ measures: ask.measures, by, where: ask.where ?? '', period: ask.period, order: ask.order ?? [] }),
    enabled: fit.ready && ask.period !== undefined,
  });
  const most = height ? Math.max(3, Math.min(MOST, Math.floor((height - AXIS) / BAR))) : MOST;
  const rows = useMemo(() => (q.data?.rows ?? []).slice(0, most), [q.data, most]);
  const option = useCallback(
    (colors: Palette) =>
      bars(
        rows.map((r) => by.map((d, i) => dimensionValue(d, r[i] ?? '')).join(' · ')),
        drawn.map((m) => ({
          name: names?.measure.get(m)?.label ?? m,
          units: rows.map((_, i) => (q.data ? inCurrency(unit, currencyAt(q.data, i, ask.measures.indexOf(m))) : unit)),
          values: rows.map((r) =>
            r[by.length + ask.measures.indexOf(m)] === null ? null : Number(r[by.length + ask.measures.indexOf(m)]),
          ),
        })),
        colors,
      ),
    [rows, by, drawn, names, unit, ask.measures, q.data],
  );
  if (fit.unseen) return <Unseen />;
  return (
    <Loaded
      query={q}
      height={320}
      isEmpty={(d) => d.rows.length === 0}
      empty={<p className="muted">{t('Nothing to show for this period and filter.')}</p>}
    >
      {(data) => (
        <>
          <Chart
            label={t('{{measures}} by {{dimensions}}', { measures: drawn.join(', '), dimensions: by.join(', ') })}
            height={height ?? Math.max(160, rows.length * (drawn.length > 1 ? 34 : 26) + AXIS)}
            option={option}
            onMark={(mark) => {
              const r = rows[mark.index];
              const measure = drawn.find((m) => (names?.measure.get(m)?.label ?? m) === mark.series) ?? drawn[0];
              if (r && measure)
                explain(
                  measure,
                  both(ask.where, ...by.map((d, i) => (names?.dimension.get(d)?.time ? '' : only(d, r[i] ?? '')))),
                  by.reduce((days, d, i) => spanOf(d, r[i] ?? '', days), ask.period),
                );
            }}
            table={() => <MeasureTable ask={ask} caption={t('Result')} />}
          />
          {fit.note ? <p className="muted small">{fit.note}</p> : null}
          {data.rows.length > most ? (
            <p className="muted small">
              {t('The first {{shown}} of {{count}}; the table has all.', { shown: most, count: data.rows.length })}
            </p>
          ) : null}
        </>
      )}
    </Loaded>
  );
}
