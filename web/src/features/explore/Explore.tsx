import { useQuery } from '@tanstack/react-query';
import { useCallback, useDeferredValue, useMemo } from 'react';
import { type Ask, catalog } from '../../api/queries';
import { Page } from '../../app/Page';
import { t } from '../../lib/i18n';
import { useAddress, useView } from '../../lib/state';
import { BarsOf } from '../../metrics/BarsOf';
import { ExportMenu } from '../../metrics/ExportMenu';
import { Kpis } from '../../metrics/Kpi';
import { MeasureTable } from '../../metrics/MeasureTable';
import { Trend } from '../../metrics/Trend';
import { periodText } from '../../metrics/words';
import { Button, Segmented } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Select } from '../../ui/Field';
import { Empty } from '../../ui/States';
import css from './explore.module.css';
import { Leaderboards } from './Leaderboards';
import { Pivot } from './Pivot';
import { SaveMenu } from './Save';
import { Fields, Shelf } from './Shelves';

const NONE: never[] = [];
const MOST_MEASURES = 6;
const MOST_DIMENSIONS = 3;

/** What is shown before anything is chosen: of these, the first that whoever looks may see. */
const FIRST = ['gross_profit', 'revenue', 'hours_worked'];
const first = (names: { measure: Map<string, { unseen?: boolean }> } | undefined) =>
  names ? FIRST.filter((m) => !names.measure.get(m)?.unseen).slice(0, 1) : FIRST.slice(0, 1);

/** Any measures by any dimensions: click, drag or keyboard; the address holds all of it. */
export function Explore() {
  const { days, where } = useView();
  const [search, set] = useAddress();
  const names = useQuery(catalog()).data;
  const measures = useMemo(
    () => (search.measures?.length ? search.measures : first(names)).filter((m) => !names || names.measure.has(m)),
    [search.measures, names],
  );
  const by = useMemo(() => (search.by ?? []).filter((d) => !names || names.dimension.has(d)), [search.by, names]);
  const allowed = useMemo(
    () =>
      new Set(
        (names?.dimensions ?? NONE)
          .filter((d) => !d.unseen)
          .map((d) => d.name)
          .filter((d) => measures.every((m) => names?.measure.get(m)?.dimensions?.includes(d))),
      ),
    [names, measures],
  );
  const offered = useMemo(
    () => ({
      measures: (names?.measures ?? NONE).filter((m) => !m.unseen),
      dimensions: (names?.dimensions ?? NONE).filter((d) => !d.unseen),
    }),
    [names],
  );
  const chosen = useMemo(() => [...measures, ...by], [measures, by]);
  const pickMeasure = useCallback(
    (m: string) => set({ measures: measures.includes(m) ? measures.filter((x) => x !== m) : [...measures, m].slice(-MOST_MEASURES) }),
    [measures, set],
  );
  const pickDimension = useCallback(
    (d: string) => set({ by: by.includes(d) ? by.filter((x) => x !== d) : [...by, d].slice(-MOST_DIMENSIONS) }),
    [by, set],
  );
  const impossible = by.filter((d) => names && !allowed.has(d));
  const shown = useMemo(() => by.filter((d) => !names || allowed.has(d)), [by, names, allowed]);
  const timed = shown.some((d) => names?.dimension.get(d)?.time);
  const form = search.show ?? 'table';
  const show = useDeferredValue(form); // the choice is seen at once, what it shows follows
  // The same object while the question is the same: its table is not drawn anew for a choice
  // of how to show it.
  const ask = useMemo<Ask>(
    () => ({
      measures,
      by: shown,
      where,
      period: days,
      ...(search.compare && !timed ? { compare: search.compare } : {}),
      order: timed ? shown : [`-${measures[0]}`],
    }),
    [measures, shown, where, days, search.compare, timed],
  );
  const unitOf = (m: string) => names?.measure.get(m)?.unit;
  const pivoted = search.marked && measures.includes(search.marked) ? search.marked : (measures[0] ?? '');
  const columnDimension =
    show === 'pivot' && shown.length > 1 ? (search.pivot && shown.includes(search.pivot) ? search.pivot : shown.at(-1)) : undefined;

  return (
    <Page
      title={t('Explore')}
      lead={t('Choose measures and cut them by anything. Click a value to filter by it, a number for its cause and rows.')}
      actions={
        <>
          <SaveMenu ask={ask} show={show} />
          <Button
            onPress={() =>
              set({ measures: undefined, by: undefined, show: undefined, pivot: undefined, compare: undefined, where: undefined })
            }
          >
            {t('Start over')}
          </Button>
        </>
      }
    >
      <div className={css.layout}>
        <aside className={css.side} aria-label={t('Fields')}>
          <Fields
            measures={offered.measures}
            dimensions={offered.dimensions}
            chosen={chosen}
            allowed={allowed}
            onMeasure={pickMeasure}
            onDimension={pickDimension}
          />
        </aside>
        <div className="stack" style={{ alignContent: 'start' }}>
          <Card>
            <div className="stack" style={{ gap: 8 }}>
              <Shelf
                label={t('Measures')}
                kind="measure"
                items={measures.map((m) => ({ id: m, name: names?.measure.get(m)?.label ?? m }))}
                onChange={(next) => set({ measures: next.slice(-MOST_MEASURES) })}
              />
              <Shelf
                label={t('Cut by')}
                kind="dimension"
                items={by.map((d) => ({ id: d, name: names?.dimension.get(d)?.label ?? d }))}
                onChange={(next) => set({ by: next.length ? next.slice(-MOST_DIMENSIONS) : undefined })}
              />
              <div className="row">
                <Segmented
                  label={t('Show as')}
                  value={form}
                  options={[
                    ['table', t('Table')],
                    ['bars', t('Bars')],
                    ['pivot', t('Pivot')],
                    ['trend', t('Trend')],
                  ]}
                  onChange={(next) => set({ show: next === 'table' ? undefined : next })}
                />
                <Button
                  pressed={search.compare === 'previous'}
                  onPress={() => set({ compare: search.compare ? undefined : 'previous' })}
                  isDisabled={timed}
                >
                  {t('Compare with before')}
                </Button>
              </div>
              {impossible.length > 0 ? (
                <p className="muted small">
                  {t('{{measures}} cannot be cut by {{dimensions}}: that is left out.', {
                    measures: measures.map((m) => names?.measure.get(m)?.label ?? m).join(', '),
                    dimensions: impossible.join(', '),
                  })}
                </p>
              ) : null}
            </div>
          </Card>
          {measures.length === 0 ? (
            <Empty title={t('Choose a measure')}>{t('Pick one at the left, for example gross profit.')}</Empty>
          ) : (
            <>
              {shown.length === 0 && show !== 'trend' ? <Kpis measures={measures} where={where} days={days} /> : null}
              {shown.length === 0 || show === 'trend' ? (
                <Card
                  title={names?.measure.get(measures[0] ?? '')?.label ?? ''}
                  subtitle={t('By month; drag over a range to make it the period')}
                >
                  <Trend
                    measures={sameUnit(measures, unitOf)}
                    where={where}
                    days={days}
                    label={t('{{measure}} by month', { measure: names?.measure.get(measures[0] ?? '')?.label ?? '' })}
                  />
                </Card>
              ) : null}
              {shown.length > 0 && show !== 'trend' ? (
                <Card
                  title={t('{{measures}} by {{dimensions}}', {
                    measures: (show === 'table' ? measures : show === 'bars' ? sameUnit(measures, unitOf) : [pivoted])
                      .map((m) => names?.measure.get(m)?.label ?? m)
                      .join(', '),
                    dimensions: shown.map((d) => names?.dimension.get(d)?.label ?? d).join(', '),
                  })}
                  subtitle={periodText(days)}
                  actions={<ExportMenu ask={ask} />}
                >
                  {show === 'bars' ? <BarsOf ask={ask} /> : null}
                  {show === 'bars' && sameUnit(measures, unitOf).length < measures.length ? (
                    <p className="muted small">{t('Drawn are the measures of one unit; the table shows all.')}</p>
                  ) : null}
                  {show === 'pivot' ? (
                    columnDimension ? (
                      <>
                        {measures.length > 1 ? (
                          <Select
                            label={t('Measure')}
                            value={pivoted}
                            onChange={(marked) => set({ marked })}
                            options={measures.map((m) => [m, names?.measure.get(m)?.label ?? m] as const)}
                          />
                        ) : null}
                        <Pivot ask={{ ...ask, measures: [pivoted] }} across={columnDimension} onAcross={(pivot) => set({ pivot })} />
                      </>
                    ) : (
                      <p className="muted">{t('A pivot needs two dimensions: add one to “Cut by”.')}</p>
                    )
                  ) : null}
                  {show === 'table' ? (
                    <MeasureTable
                      ask={ask}
                      caption={t('Result')}
                      changes={ask.compare ? measures : NONE}
                      bar={timed ? '' : (measures[0] ?? '')}
                      maxHeight={720}
                    />
                  ) : null}
                </Card>
              ) : null}
              <Leaderboards
                measure={measures[0] ?? ''}
                dimensions={[...allowed].filter((d) => !names?.dimension.get(d)?.time && !shown.includes(d) && d !== 'currency')}
              />
            </>
          )}
        </div>
      </div>
    </Page>
  );
}

/** Measures that can share an axis with the first. */
function sameUnit(measures: string[], unit: (m: string) => string | undefined): string[] {
  return measures.filter((m) => unit(m) === unit(measures[0] ?? ''));
}
