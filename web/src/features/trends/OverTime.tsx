import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { type TrendReport, trendOf } from '../../api/queries';
import { Chart } from '../../charts/Chart';
import type { Palette } from '../../charts/theme';
import { type TrendLine, trend } from '../../charts/trend';
import { change, format, inCurrency, month, sentence, type Unit, unitLabel } from '../../lib/format';
import { t } from '../../lib/i18n';
import { addMonths } from '../../lib/period';
import { useExplain, useView } from '../../lib/state';
import { choices, type Names } from '../../metrics/choices';
import { periodText } from '../../metrics/words';
import { Card } from '../../ui/Card';
import { CellButton, DataTable } from '../../ui/DataTable';
import { Select } from '../../ui/Field';
import { Failure, Skeleton } from '../../ui/States';
import css from './trends.module.css';

/** One measure over all complete months: trend, season, changes of level, months that stand out. */
export function OverTime({ names }: { names: Names }) {
  const { search, set, where, status } = useView();
  const measure = search.measures?.[0] ?? 'revenue';
  const query = useQuery({ ...trendOf({ measure, where }), enabled: status !== undefined && !status.empty });
  return (
    <div className="stack">
      <div className={css.pick}>
        <Select
          label={t('Measure')}
          value={measure}
          onChange={(m) => set({ measures: [m] })}
          options={choices(names, 'month')}
          hint={t('All complete months; the filter above applies.')}
        />
      </div>
      {query.isError ? <Failure error={query.error} onRetry={() => query.refetch()} /> : null}
      {!query.isError && !query.data ? <Skeleton height={320} /> : null}
      {!query.isError && query.data ? <Report r={query.data} label={names.measure.get(measure)?.label ?? measure} where={where} /> : null}
    </div>
  );
}

const number = (text: string | null | undefined) => (text === null || text === undefined ? null : Number(text));

/** The values, months that stand out marked, and the trend where the series is decomposed. */
function linesOf(r: TrendReport, label: string, unit: Unit): TrendLine[] {
  const points = r.points ?? [];
  const shocks = new Set((r.shocks ?? []).map((s) => s.month));
  const out: TrendLine[] = [
    {
      name: label,
      unit,
      points: points.map((p) => ({ month: p.month, value: Number(p.value), low: null, high: null, unusual: shocks.has(p.month) })),
    },
  ];
  if (points.some((p) => p.trend !== null))
    out.push({ name: t('Trend'), unit, points: points.map((p) => ({ month: p.month, value: number(p.trend), low: null, high: null })) });
  return out;
}

function Report({ r, label, where }: { r: TrendReport; label: string; where: string }) {
  const { explain } = useExplain();
  const unit: Unit = inCurrency(r.unit, r.currency);
  const points = r.points ?? [];
  const option = useCallback((colors: Palette, width: number) => trend(linesOf(r, label, unit), colors, width), [r, label, unit]);
  return (
    <>
      <Card title={t('Where is it going?')} subtitle={t('{{measure}}, {{period}}', { measure: label, period: periodText(r.period) })}>
        <p>{r.words}</p>
        <Chart
          label={t('{{measure}} by month', { measure: label })}
          option={option}
          onMark={(mark) => {
            const m = points[mark.index]?.month;
            if (m) explain(r.measure, where, { from: m, to: addMonths(m, 1) });
          }}
          table={() => <Months r={r} unit={unit} />}
        />
        <dl className={css.facts}>
          <div>
            <dt>{t('Trend a year')}</dt>
            <dd>{r.slope ? change(r.slope.per_year, unit) : '—'}</dd>
            {r.slope ? (
              <dd className="muted small">
                {t('{{low}} to {{high}} (90%)', {
                  low: change(r.slope.interval.low, unit),
                  high: change(r.slope.interval.high, unit),
                })}
              </dd>
            ) : null}
          </div>
          <div>
            <dt>{t('Season')}</dt>
            <dd>{r.season ? (r.season.there ? t('{{swing}} apart', { swing: format(r.season.swing, unit) }) : t('none')) : '—'}</dd>
            {r.season ? <dd className="muted small">{t('p {{p}} of “no season”', { p: r.season.p.toFixed(3) })}</dd> : null}
          </div>
          <div>
            <dt>{t('Changes of level')}</dt>
            <dd>{r.changes ? String(r.changes.length) : '—'}</dd>
          </div>
          <div>
            <dt>{t('Months that stand out')}</dt>
            <dd>{r.shocks ? String(r.shocks.length) : '—'}</dd>
          </div>
        </dl>
        {(r.notes ?? []).map((n) => (
          <p key={n} className="muted small">
            {sentence(n)}.
          </p>
        ))}
      </Card>
      {(r.changes ?? []).length > 0 ? (
        <Card title={t('When did its level change?')} subtitle={t('The month, and the months that it may be with 90% probability')}>
          <DataTable
            caption={t('Changes of level')}
            rows={r.changes ?? []}
            rowKey={(c) => c.month}
            columns={[
              { id: 'month', head: t('From'), cell: (c) => month(c.month) },
              {
                id: 'range',
                head: t('Perhaps'),
                cell: (c) =>
                  c.first === c.last ? month(c.first) : t('{{first}} to {{last}}', { first: month(c.first), last: month(c.last) }),
              },
              { id: 'before', head: t('Before'), right: true, cell: (c) => format(c.before, unit) },
              { id: 'after', head: t('Since'), right: true, cell: (c) => format(c.after, unit) },
            ]}
          />
        </Card>
      ) : null}
      {(r.shocks ?? []).length > 0 ? (
        <Card
          title={t('Which months stand out?')}
          subtitle={t('Against trend, season and level of the others; at most one in ten by chance')}
        >
          <DataTable
            caption={t('Months that stand out')}
            rows={r.shocks ?? []}
            rowKey={(s) => s.month}
            columns={[
              { id: 'month', head: t('Month'), cell: (s) => month(s.month) },
              {
                id: 'value',
                head: t('Value'),
                right: true,
                cell: (s) => (
                  <CellButton
                    label={t('{{label}} {{value}}. Explain', { label: month(s.month), value: format(s.value, unit) })}
                    onPress={() => explain(r.measure, where, { from: s.month, to: addMonths(s.month, 1) })}
                  >
                    {format(s.value, unit)}
                  </CellButton>
                ),
              },
              { id: 'expected', head: t('Expected'), right: true, cell: (s) => format(s.expected, unit) },
              { id: 'size', head: t('Difference'), right: true, cell: (s) => change(s.size, unit) },
            ]}
          />
        </Card>
      ) : null}
    </>
  );
}

function Months({ r, unit }: { r: TrendReport; unit: Unit }) {
  const cell = (v: string | null) => format(v, unit, { bare: true });
  const head = unitLabel(unit);
  return (
    <DataTable
      caption={t('By month')}
      rows={r.points ?? []}
      rowKey={(p) => p.month}
      columns={[
        { id: 'month', head: t('Month'), sort: (p) => p.month, cell: (p) => month(p.month) },
        { id: 'value', head: t('Value'), unit: head, right: true, sort: (p) => Number(p.value), cell: (p) => cell(p.value) },
        { id: 'trend', head: t('Trend'), unit: head, right: true, cell: (p) => cell(p.trend) },
        { id: 'season', head: t('Season'), unit: head, right: true, cell: (p) => cell(p.season) },
        { id: 'rest', head: t('Rest'), unit: head, right: true, cell: (p) => cell(p.rest) },
      ]}
    />
  );
}
