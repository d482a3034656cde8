import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { catalog, type Finding, findings } from '../api/queries';
import { sum } from '../lib/decimal';
import { format, inCurrency, sentence } from '../lib/format';
import { t } from '../lib/i18n';
import { rangeOf } from '../lib/period';
import { carried, type Panel, useAddress, useExplain } from '../lib/state';
import { Button } from '../ui/Button';
import { Badge } from '../ui/Card';
import { Drawer } from '../ui/Dialog';
import { Loaded, Notice } from '../ui/States';
import { Tabs } from '../ui/Tabs';
import { Comments } from './Comments';
import { DriverBridge } from './DriverBridge';
import { Grade, intervalText } from './Grade';
import { HowSure } from './HowSure';
import css from './metrics.module.css';
import { Records } from './Records';
import { Standing } from './Standing';
import { useDriverUnits } from './units';
import { daysOf, periodText, titled } from './words';

/** A finding: what it is, why, how sure, and the rows behind it. */
export function FindingPanel({ panel }: { panel: Panel }) {
  const { close, move } = useExplain();
  const list = useQuery(findings(panel.days));
  return (
    <Drawer open onClose={close} title={t('Finding')} subtitle={t('What it is, why, how sure, and the rows behind it')}>
      <Loaded query={list} height={320}>
        {(all) => {
          const f = all.find((x) => x.id === panel.of || x.identity === panel.of);
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
function subjectWhere(f: Finding): string {
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
  const period = daysOf(f.period);
  const measures = (f.query.measures ?? []).filter((m) => names?.measure.has(m));
  const measure = measures.includes(f.measure) ? f.measure : (measures[0] ?? '');
  return (
    <>
      <p className={css.words} style={{ fontWeight: 600 }}>
        {f.headline}
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
      <Notice>{f.recommendation}</Notice>
      <Standing f={f} />
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
                    units={(d) => units(d.name)}
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
          { id: 'comments', title: t('Comments'), content: () => <Comments on={{ kind: 'finding', id: f.identity }} /> },
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
