import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type Confidence, catalog, type Explanation, explanation, type Finding, findings, type Measure } from '../api/queries';
import { sum } from '../lib/decimal';
import { format, inCurrency, percent, sentence, type Unit, words } from '../lib/format';
import { t } from '../lib/i18n';
import { type Period, rangeOf } from '../lib/period';
import { carried, type Panel, useAddress, useExplain, usePanel } from '../lib/state';
import { Button, Segmented } from '../ui/Button';
import { Badge } from '../ui/Card';
import { Drawer } from '../ui/Dialog';
import { Failure, Loaded, Notice, Progress, Skeleton } from '../ui/States';
import { Tabs } from '../ui/Tabs';
import { Delta } from './Delta';
import { DriverBridge } from './DriverBridge';
import { Grade, intervalText } from './Grade';
import { History } from './History';
import css from './metrics.module.css';
import { Records } from './Records';
import { conditionText, periodText, prose, spoken, titled } from './words';

/** The units of drivers by name: of measures, of the cost of an hour, else of the whole. */
function useDriverUnits(whole: Unit, currency: string | undefined): (name: string) => Unit {
  const names = useQuery(catalog()).data;
  return (name) => inCurrency(names?.measure.get(name)?.unit ?? (name === 'labor_cost_rate' ? 'money_per_hour' : whole), currency);
}

/** The panel at the right that explains whatever the address says. */
export function ExplainPanel() {
  const panel = usePanel();
  if (!panel) return null;
  return panel.kind === 'explain' ? <NumberPanel panel={panel} /> : <FindingPanel panel={panel} />;
}

function NumberPanel({ panel }: { panel: Panel }) {
  const { close, move } = useExplain();
  const names = useQuery(catalog()).data;
  const m = names?.measure.get(panel.of);
  const cell = { measure: panel.of, where: panel.where, period: panel.days, versus: panel.versus };
  const x = useQuery(explanation(cell));
  const e = x.data;
  const unit = e ? inCurrency(e.unit, e.currency) : '';
  const subject = panel.where ? conditionText(panel.where, (d) => names?.dimension.get(d)?.label ?? d) : t('Everything');
  return (
    <Drawer open onClose={close} title={m?.label ?? titled(panel.of)} subtitle={`${subject} · ${periodText(e?.to.period ?? panel.days)}`}>
      {x.isError ? <Failure error={x.error} onRetry={() => x.refetch()} /> : null}
      {!e && !x.isError ? <Skeleton height={240} /> : null}
      {e && m ? (
        <>
          <div className="spread">
            <div>
              <p className={css.big}>{e.asked ? format(e.asked.value, e.asked.unit) : format(e.to.value, unit)}</p>
              {e.asked ? (
                <p className="muted small">{t('{{value}} {{measure}}', { value: format(e.to.value, unit), measure: spoken(e.measure) })}</p>
              ) : null}
              <p className="muted small">
                {e.to.value === null || e.to.value === undefined
                  ? (e.to.reason ?? '')
                  : e.interval
                    ? intervalText(e.interval, unit)
                    : t('Exact sum of stored rows; no interval.')}
              </p>
            </div>
            <div style={{ textAlign: 'right' }}>
              <Grade confidence={e.confidence} long />
              <p>
                <Delta change={e.change} unit={unit} direction={m.direction} versus={t('vs {{label}}', { label: e.from.label })} />
              </p>
            </div>
          </div>
          <Tabs
            label={t('About this number')}
            value={panel.tab ?? 'why'}
            onChange={(tab) => move({ tab })}
            tabs={[
              {
                id: 'why',
                title: t('Why'),
                content: () => <Why panel={panel} e={e} unit={unit} />,
              },
              {
                id: 'rows',
                title: t('Rows'),
                content: () => (
                  <Records
                    cell={{ measure: panel.of, where: panel.where, period: days(e.to.period) }}
                    base={panel.base}
                    onBase={(base) => move({ base })}
                  />
                ),
              },
              { id: 'sure', title: t('How sure'), content: () => <HowSure confidence={e.confidence} /> },
              {
                id: 'history',
                title: t('History'),
                content: () => <History cell={{ measure: panel.of, where: panel.where, period: days(e.to.period) }} />,
              },
              {
                id: 'definition',
                title: t('Definition'),
                content: () => <Definition m={m} values={e.to.inputs} currency={e.currency} panel={panel} />,
              },
            ]}
          />
          <p className="muted small">
            {t('Snapshot {{snapshot}} · definition version {{version}}', { snapshot: e.snapshot, version: m.version })}
          </p>
        </>
      ) : null}
    </Drawer>
  );
}

function days(p: { from?: unknown; to?: unknown }): Period | undefined {
  return p.from && p.to ? { from: String(p.from), to: String(p.to) } : undefined;
}

function Why({ panel, e, unit }: { panel: Panel; e: Explanation; unit: Unit }) {
  const { move } = useExplain();
  const units = useDriverUnits(unit, e.currency);
  return (
    <div className="stack">
      {panel.where ? (
        <Segmented
          label={t('Compare with')}
          value={panel.versus ?? 'previous'}
          options={[
            ['previous', t('Period before')],
            ['portfolio', t('All clients')],
          ]}
          onChange={(versus) => move({ versus })}
        />
      ) : null}
      <p className={css.words}>{prose(e.words)}</p>
      {e.note ? <Notice>{sentence(e.note)}</Notice> : null}
      {e.from.value !== null &&
      e.from.value !== undefined &&
      e.to.value !== null &&
      e.to.value !== undefined &&
      (e.drivers ?? []).length > 0 ? (
        <>
          <DriverBridge
            from={e.from.value}
            to={e.to.value}
            fromLabel={sentence(e.from.label)}
            toLabel={t('This period')}
            drivers={e.drivers ?? []}
            unit={unit}
            units={e.by ? () => unit : units}
          />
          <p className="muted small">
            {e.by
              ? t('The change by {{by}}; the parts add up to it exactly.', { by: spoken(e.by) })
              : t('Exact Shapley values of the formula: the parts add up to the change.')}
          </p>
        </>
      ) : null}
    </div>
  );
}

export function HowSure({ confidence }: { confidence: Confidence }) {
  return (
    <div className="stack">
      <p>
        {t('Score {{score}} = data quality {{quality}} × (1 − uncertainty {{half}}), then limits.', {
          score: percent(confidence.score),
          quality: percent(confidence.quality),
          half: percent(Math.min(1, confidence.half_width)),
        })}
      </p>
      <ul className={css.components}>
        {(confidence.components ?? []).map((c) => (
          <li key={c.name} className={css.component}>
            <span>{sentence(c.reason)}</span>
            <span className="num">{percent(c.value)}</span>
            <Progress value={c.value} label={c.reason} />
          </li>
        ))}
      </ul>
      {(confidence.reasons ?? []).length > 0 ? (
        <div>
          <h3>{t('Weakest first')}</h3>
          <ul className="muted small">
            {(confidence.reasons ?? []).map((r) => (
              <li key={r}>{sentence(r)}</li>
            ))}
          </ul>
        </div>
      ) : null}
    </div>
  );
}

function Definition({
  m,
  values,
  currency,
  panel,
}: {
  m: Measure;
  values: Record<string, string>;
  currency: string | undefined;
  panel: Panel;
}) {
  const { explain } = useExplain();
  const names = useQuery(catalog()).data;
  const [search] = useAddress();
  return (
    <div className="stack">
      <p className={css.words}>{sentence(m.formula)}.</p>
      <dl className={css.facts}>
        <dt>{t('Name')}</dt>
        <dd>
          <code>{m.name}</code>
        </dd>
        <dt>{t('Unit')}</dt>
        <dd>{words(m.unit)}</dd>
        <dt>{t('Good when')}</dt>
        <dd>{m.direction === 'up_good' ? t('higher') : m.direction === 'down_good' ? t('lower') : t('near its target')}</dd>
        <dt>{t('Reference')}</dt>
        <dd>{m.source}</dd>
        <dt>{t('Stored in')}</dt>
        <dd>{(m.tables ?? []).map(words).join(', ')}</dd>
      </dl>
      {Object.keys(values).length > 0 ? (
        <>
          <h3>{t('Inputs in this period')}</h3>
          <dl className={css.facts}>
            {Object.entries(values).map(([name, value]) => {
              const input = names?.measure.get(name);
              return [
                <dt key={name}>{input?.label ?? titled(name)}</dt>,
                <dd key={`${name}-value`}>
                  {input && name !== m.name ? (
                    <Button kind="quiet" onPress={() => explain(name, panel.where ?? '', panel.days)}>
                      {format(value, inCurrency(input.unit, currency))}
                    </Button>
                  ) : (
                    format(value, inCurrency(input?.unit ?? 'number', currency))
                  )}
                </dd>,
              ];
            })}
          </dl>
        </>
      ) : null}
      <Link to="/definitions/$measure" params={{ measure: m.name }} search={carried(search) as never}>
        {t('More about {{label}}', { label: m.label })}
      </Link>
    </div>
  );
}

function FindingPanel({ panel }: { panel: Panel }) {
  const { close, move } = useExplain();
  const list = useQuery(findings(panel.days));
  return (
    <Drawer open onClose={close} title={t('Finding')} subtitle={t('What it is, why, how sure, and the rows behind it')}>
      <Loaded query={list} height={320}>
        {(all) => {
          const f = all.find((x) => x.id === panel.of);
          return f ? (
            <FindingBody f={f} panel={panel} move={move} />
          ) : (
            <Notice tone="warn">
              {t('This finding is no longer among the current ones: newer data settled it, or its period is over.')}
            </Notice>
          );
        }}
      </Loaded>
    </Drawer>
  );
}

/** The condition that picks a finding's subject. */
export function subjectWhere(f: Finding): string {
  return f.query.where ?? '';
}

function FindingBody({ f, panel, move }: { f: Finding; panel: Panel; move: (next: Partial<Panel>) => void }) {
  const names = useQuery(catalog()).data;
  const navigate = useNavigate();
  const [search] = useAddress();
  const unit = inCurrency(f.comparison?.unit ?? f.unit, f.currency);
  const units = useDriverUnits(unit, f.currency);
  const client =
    f.subject.dimension === 'client' ? f.subject.value : f.subject.within?.dimension === 'client' ? f.subject.within.value : '';
  const period = days(f.period);
  const measures = (f.query.measures ?? []).filter((m) => names?.measure.has(m));
  const measure = measures.includes(f.measure) ? f.measure : (measures[0] ?? '');
  return (
    <>
      <p className={css.words} style={{ fontWeight: 600 }}>
        {prose(f.headline)}
      </p>
      <div className="spread">
        <div>
          <p className={css.big}>{format(f.value, inCurrency(f.unit, f.currency))}</p>
          <p className="muted small">
            {names?.measure.get(f.measure)?.label ?? titled(f.measure)} · {periodText(f.period)}
          </p>
          <p className="muted small">{f.interval ? intervalText(f.interval, inCurrency(f.unit, f.currency)) : t('Exact; no interval.')}</p>
          {f.band ? <p className="muted small">{intervalText(f.band, inCurrency(f.unit, f.currency))}</p> : null}
        </div>
        <div style={{ textAlign: 'right' }}>
          <Grade confidence={f.confidence} long />
          <p className="num">
            <strong>{format(f.money_at_stake, inCurrency('money', f.currency))}</strong>{' '}
            <span className="muted small">{t('at stake a year')}</span>
          </p>
        </div>
      </div>
      <Notice>{prose(f.recommendation)}</Notice>
      {f.requires_review ? (
        <p>
          <Badge tone="warn">{t('A person must look: {{rules}}', { rules: (f.review_rules ?? []).join('; ') })}</Badge>
        </p>
      ) : null}
      <Tabs
        label={t('About this finding')}
        value={panel.tab ?? 'why'}
        onChange={(tab) => move({ tab })}
        tabs={[
          {
            id: 'why',
            title: t('Why'),
            content: () =>
              f.comparison?.value && f.comparison.change && (f.drivers ?? []).length > 0 ? (
                <div className="stack">
                  <DriverBridge
                    from={f.comparison.value}
                    to={sum(f.comparison.value, f.comparison.change)}
                    fromLabel={sentence(f.comparison.label)}
                    toLabel={periodText(f.period)}
                    drivers={f.drivers ?? []}
                    unit={unit}
                    units={units}
                  />
                  <p className="muted small">
                    {t('{{measure}}, exact Shapley values: the parts add up to the change.', { measure: titled(f.comparison.measure) })}
                  </p>
                  {f.comparison.note ? <p className="muted small">{sentence(f.comparison.note)}</p> : null}
                </div>
              ) : (
                <p className="muted">
                  {f.comparison?.note
                    ? sentence(f.comparison.note)
                    : t('There is no earlier period to compare with; the facts are under Details.')}
                </p>
              ),
          },
          {
            id: 'rows',
            title: t('Rows'),
            content: () => (
              <Records cell={{ measure, where: subjectWhere(f), period }} base={panel.base} onBase={(base) => move({ base })} />
            ),
          },
          { id: 'sure', title: t('How sure'), content: () => <HowSure confidence={f.confidence} /> },
          {
            id: 'details',
            title: t('Details'),
            content: () => (
              <div className="stack">
                <dl className={css.facts}>
                  {Object.entries(f.facts).map(([name, value]) => [
                    <dt key={name}>{names?.measure.get(name)?.label ?? titled(name)}</dt>,
                    <dd key={`${name}-v`}>
                      {/^-?\d/.test(value) && !/^\d{4}-\d\d/.test(value)
                        ? format(value, units(name) === unit && !names?.measure.has(name) ? 'number' : units(name))
                        : value}
                    </dd>,
                  ])}
                </dl>
                {(f.assumptions ?? []).length > 0 ? (
                  <div>
                    <h3>{t('Assumptions')}</h3>
                    <ul className="muted small">
                      {(f.assumptions ?? []).map((a) => (
                        <li key={a}>{sentence(a)}</li>
                      ))}
                    </ul>
                  </div>
                ) : null}
              </div>
            ),
          },
        ]}
      />
      <div className="row">
        {client ? (
          <Button
            kind="primary"
            onPress={() => navigate({ to: '/clients/$name', params: { name: client }, search: carried(search) as never })}
          >
            {t('Open {{client}}', { client })}
          </Button>
        ) : null}
        <Button
          onPress={() =>
            navigate({
              to: '/explore',
              search: {
                measures,
                by: (f.query.by ?? []).slice(0, 2),
                where: subjectWhere(f),
                ...(period ? { period: rangeOf(period) } : {}),
              } as never,
            })
          }
        >
          {t('Explore from here')}
        </Button>
      </div>
    </>
  );
}
