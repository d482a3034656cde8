import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { ScenarioResult } from '../../api/queries';
import { Bridge, type Step } from '../../charts/Bridge';
import { change, format, inCurrency, sentence, type Unit } from '../../lib/format';
import { t } from '../../lib/i18n';
import { intervalText } from '../../metrics/Grade';
import { periodText } from '../../metrics/words';
import { Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Empty } from '../../ui/States';
import { inWords } from './levers';
import css from './scenarios.module.css';

type Line = NonNullable<ScenarioResult['lines']>[number];

export const lineOf = (r: ScenarioResult, measure: string): Line | undefined => (r.lines ?? []).find((l) => l.measure === measure);

/** What a what-if comes to: the most important first, then why, for whom, and on what terms. */
export function Outcome({ result: r, labels, children }: { result: ScenarioResult; labels: Map<string, string>; children?: ReactNode }) {
  const money: Unit = inCurrency('money', r.currency);
  const profit = lineOf(r, 'gross_profit');
  const margin = lineOf(r, 'gross_margin');
  const effects = r.effects ?? [];
  return (
    <>
      <Card
        title={t('What would it have brought?')}
        subtitle={t('{{period}} under these terms, beside the period as it was', { period: periodText(r.definition.period) })}
      >
        {profit?.change ? (
          <dl className={css.tiles}>
            <div>
              <dt>{t('Gross profit')}</dt>
              <dd>
                {change(profit.change, money)}
                <small>{t('{{from}} → {{to}}', { from: format(profit.baseline, money), to: format(profit.scenario, money) })}</small>
                {profit.change_interval ? <small>{intervalText(ofExpected(profit.change_interval), money)}</small> : null}
              </dd>
            </div>
            <div>
              <dt>{t('Gross margin')}</dt>
              <dd>
                {change(margin?.change, 'ratio')}
                <small>{t('{{from}} → {{to}}', { from: format(margin?.baseline, 'ratio'), to: format(margin?.scenario, 'ratio') })}</small>
                {margin?.scenario_interval ? <small>{intervalText(ofExpected(margin.scenario_interval), 'ratio')}</small> : null}
              </dd>
            </div>
            <div>
              <dt>{t('With the present staff')}</dt>
              <dd>
                {change(r.present_staff, money)}
                <small>
                  {t('People are paid whether they have work or not: this is what profit changes by while nobody leaves or joins.')}
                </small>
              </dd>
            </div>
          </dl>
        ) : (
          <Empty title={t('Profit is not known')}>{sentence(profit?.reason ?? '')}</Empty>
        )}
      </Card>
      {profit?.baseline && profit.scenario && effects.length > 0 ? (
        <Card title={t('What does each change bring?')} subtitle={t('Gross profit; exact Shapley values that add up to the change')}>
          <Bridge
            label={t('Gross profit from as it was to the what-if')}
            steps={[
              { id: 'from', name: t('As it was'), value: Number(profit.baseline), text: format(profit.baseline, money), total: true },
              ...effects.map(
                (e, i): Step => ({
                  id: String(i),
                  name: inWords(e.lever, labels.get(e.lever.kind) ?? e.lever.kind),
                  value: Number(e.change),
                  text: change(e.change, money),
                }),
              ),
              { id: 'to', name: t('What if'), value: Number(profit.scenario), text: format(profit.scenario, money), total: true },
            ]}
          />
        </Card>
      ) : null}
      {children}
      <Card title={t('Line by line')} subtitle={periodText(r.definition.period)}>
        <Lines result={r} />
      </Card>
      {(r.clients ?? []).length > 0 ? (
        <Card title={t('Which clients change?')} subtitle={t('Gross profit, the largest change first')}>
          <Clients result={r} money={money} />
        </Card>
      ) : null}
      <Card title={t('What is taken for granted?')} level={3}>
        <ul className="muted small stack" style={{ gap: 4 }}>
          {(r.assumptions ?? []).map((a) => (
            <li key={a}>{sentence(a)}.</li>
          ))}
          <li>{t('Snapshot {{snapshot}}.', { snapshot: r.snapshot })}</li>
        </ul>
      </Card>
    </>
  );
}

/** An interval as other pages have it. */
const ofExpected = (i: { low: string; high: string; level: number; method: string }) => ({ ...i, of: 'expected' });

function Lines({ result: r }: { result: ScenarioResult }) {
  const unit = (l: Line) => inCurrency(l.unit, r.currency);
  return (
    <DataTable
      caption={t('The period as it was and under these terms')}
      rows={r.lines ?? []}
      rowKey={(l) => l.measure}
      columns={[
        {
          id: 'measure',
          head: t('Measure'),
          cell: (l) => (
            <Link to="/definitions/$measure" params={{ measure: l.measure }}>
              {l.label}
            </Link>
          ),
        },
        { id: 'was', head: t('As it was'), right: true, cell: (l) => <Value value={l.baseline} unit={unit(l)} reason={l.reason} /> },
        { id: 'if', head: t('What if'), right: true, cell: (l) => <Value value={l.scenario} unit={unit(l)} reason={l.reason} /> },
        { id: 'change', head: t('Change'), right: true, cell: (l) => (Number(l.change ?? 0) === 0 ? '' : change(l.change, unit(l))) },
        {
          id: 'expected',
          head: t('Expected from such months (90%)'),
          right: true,
          cell: (l) =>
            l.scenario_interval
              ? t('{{low}} to {{high}}', {
                  low: format(l.scenario_interval.low, unit(l), { bare: l.unit !== 'ratio' }),
                  high: format(l.scenario_interval.high, unit(l), { bare: l.unit !== 'ratio' }),
                })
              : '',
        },
      ]}
    />
  );
}

function Value({ value, unit, reason }: { value: string | null; unit: Unit; reason: string | undefined }) {
  return <span title={value === null ? reason : undefined}>{format(value, unit)}</span>;
}

function Clients({ result: r, money }: { result: ScenarioResult; money: Unit }) {
  return (
    <DataTable
      caption={t('Clients whose gross profit changes')}
      rows={r.clients ?? []}
      rowKey={(c) => c.client}
      initial={{ id: 'change', descending: true }}
      maxHeight={420}
      columns={[
        {
          id: 'client',
          head: t('Client'),
          sort: (c) => c.client,
          cell: (c) =>
            c.client ? (
              <Link to="/clients/$name" params={{ name: c.client }}>
                {c.client}
              </Link>
            ) : (
              t('No single client')
            ),
        },
        {
          id: 'was',
          head: t('As it was'),
          right: true,
          sort: (c) => Number(c.gross_profit?.[0]),
          cell: (c) => format(c.gross_profit?.[0], money),
        },
        {
          id: 'if',
          head: t('What if'),
          right: true,
          sort: (c) => Number(c.gross_profit?.[1]),
          cell: (c) => format(c.gross_profit?.[1], money),
        },
        { id: 'change', head: t('Change'), right: true, sort: (c) => Math.abs(Number(c.change)), cell: (c) => change(c.change, money) },
        {
          id: 'margin',
          head: t('Margin'),
          right: true,
          sort: (c) => Number(c.gross_margin?.[1]),
          cell: (c) => format(c.gross_margin?.[1], 'ratio'),
        },
      ]}
    />
  );
}
