import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useState } from 'react';
import { table } from '../../api/queries';
import { Page } from '../../app/Page';
import { HeatMap } from '../../charts/HeatMap';
import { both, only } from '../../lib/filters';
import { month, percent } from '../../lib/format';
import { t } from '../../lib/i18n';
import { addMonths } from '../../lib/period';
import { useExplain, useView } from '../../lib/state';
import { ExportMenu } from '../../metrics/ExportMenu';
import { Findings } from '../../metrics/Findings';
import { useFindings, useFit } from '../../metrics/fit';
import { Kpis } from '../../metrics/Kpi';
import { MeasureTable } from '../../metrics/MeasureTable';
import { Trend } from '../../metrics/Trend';
import { periodText } from '../../metrics/words';
import { Button, Segmented } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Empty, Loaded } from '../../ui/States';

/** The middle of the heat map, and how far from it the color is full. */
const MIDDLE = 0.8;
const REACH = 0.5;

const PERSON = ['staff'];

/** People drawn at once; the busiest come first. */
const SHOWN = 40;

/** A person's value in the last month that has one; people without one come last. */
function latest(rows: (string | null)[][], months: string[]): number {
  for (const m of [...months].reverse()) {
    const value = rows.find((r) => r[1] === m)?.[2];
    if (value !== null && value !== undefined) return Number(value);
  }
  return Number.NEGATIVE_INFINITY;
}

/** The heat map by itself: choosing its measure draws nothing else anew. */
function OverCapacity() {
  const { days, where } = useView();
  const { explain } = useExplain();
  const [from, setFrom] = useState(0);
  const [chosen, setMeasure] = useState<'utilization' | 'billable_utilization'>('utilization');
  const measure = useDeferredValue(chosen); // the choice is seen at once, the map follows
  const fit = useFit([measure], where, PERSON);
  const grid = useQuery({
    ...table({ measures: [measure], by: ['staff', 'month'], where: fit.where, period: days, order: ['staff', 'month'] }),
    enabled: fit.ready && days !== undefined,
  });
  if (fit.unseen) return null;
  return (
    <Card
      title={t('Who is over capacity?')}
      subtitle={t('Hours worked or billable ÷ capacity by month, percent; {{period}}', { period: periodText(days) })}
      actions={
        <Segmented
          label={t('Measure')}
          value={chosen}
          options={[
            ['utilization', t('All hours')],
            ['billable_utilization', t('Billable')],
          ]}
          onChange={setMeasure}
        />
      }
    >
      {fit.note ? <p className="muted small">{fit.note}</p> : null}
      <Loaded
        query={grid}
        height={320}
        isEmpty={(d) => d.rows.length === 0}
        empty={
          <Empty title={t('No hours yet')}>{t('Import time entries and staff: utilization is hours worked divided by capacity.')}</Empty>
        }
      >
        {(data) => {
          const months = [...new Set(data.rows.map((r) => r[1] ?? ''))].sort();
          const byPerson = Map.groupBy(data.rows, (r) => r[0] ?? '');
          const busiest = [...byPerson].sort(([, a], [, b]) => latest(b, months) - latest(a, months));
          const start = Math.min(from, Math.max(0, busiest.length - 1));
          const shown = busiest.slice(start, start + SHOWN);
          return (
            <>
              <HeatMap
                caption={t('Utilization by person and month')}
                columns={months.map((m) => month(m))}
                rows={shown.map(([id, rows]) => ({
                  id,
                  name: id,
                  cells: months.map((m) => {
                    const value = rows.find((r) => r[1] === m)?.[2] ?? null;
                    const n = value === null ? null : Number(value);
                    return {
                      text: n === null ? '—' : percent(n),
                      label: t('{{person}}, {{month}}: {{value}}', {
                        person: id,
                        month: month(m),
                        value: n === null ? t('no value') : percent(n),
                      }),
                      level: n === null ? null : Math.max(-1, Math.min(1, (n - MIDDLE) / REACH)),
                    };
                  }),
                }))}
                onCell={(person, at) => {
                  const m = months[at] ?? '';
                  explain(measure, both(fit.where, only('staff', person)), { from: m, to: addMonths(m, 1) });
                }}
                keys={{ low: t('room to spare'), middle: t('about {{middle}}', { middle: percent(MIDDLE) }), high: t('over capacity') }}
              />
              {busiest.length > SHOWN ? (
                <div className="spread">
                  <p className="muted small">
                    {t('People {{from}} to {{to}} of {{count}}, the busiest in the last month first.', {
                      from: start + 1,
                      to: start + shown.length,
                      count: busiest.length,
                    })}
                  </p>
                  <div className="row">
                    <Button isDisabled={start === 0} onPress={() => setFrom(Math.max(0, start - SHOWN))}>
                      {t('Busier')}
                    </Button>
                    <Button isDisabled={start + SHOWN >= busiest.length} onPress={() => setFrom(start + SHOWN)}>
                      {t('Less busy')}
                    </Button>
                  </div>
                </div>
              ) : null}
            </>
          );
        }}
      </Loaded>
    </Card>
  );
}

/** Who is over capacity, who has room. */
export function Team() {
  const { days, where } = useView();
  const { query: list, note } = useFindings(days, where);
  const people = {
    measures: ['utilization', 'billable_utilization', 'hours_worked', 'billable_hours', 'capacity_hours'],
    by: ['staff'],
    where,
    period: days,
    order: ['-utilization'],
  };
  return (
    <Page title={t('Team')} lead={t('Hours worked against capacity, month by month: who is over it, and who has room.')}>
      <Kpis measures={['utilization', 'billable_utilization', 'hours_worked', 'capacity_hours']} where={where} days={days} />
      <OverCapacity />
      <Card title={t('What stands out?')}>
        {note ? <p className="muted small">{note}</p> : null}
        <Loaded
          query={list}
          height={120}
          isEmpty={(all) => !all.some((f) => f.kind === 'staff_utilization')}
          empty={<Empty title={t('Nobody is far from their capacity')} />}
        >
          {(all) => <Findings list={all.filter((f) => f.kind === 'staff_utilization')} />}
        </Loaded>
      </Card>
      <Card title={t('How busy is the team?')} subtitle={t('Utilization by month')}>
        <Trend measures={LOAD} where={where} days={days} label={t('Utilization by month')} height={220} />
      </Card>
      <Card
        title={t('Everybody')}
        subtitle={t('{{period}}; the busiest first', { period: periodText(days) })}
        actions={<ExportMenu ask={people} />}
      >
        <MeasureTable
          caption={t('People by utilization')}
          ask={people}
          changes={['utilization']}
          bar="utilization"
          sort={{ id: 'utilization', descending: true }}
        />
      </Card>
    </Page>
  );
}

const LOAD = ['utilization', 'billable_utilization'];
