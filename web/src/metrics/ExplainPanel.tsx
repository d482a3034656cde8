import { useQuery } from '@tanstack/react-query';
import { catalog, explanation } from '../api/queries';
import { format, inCurrency, sentence } from '../lib/format';
import { t } from '../lib/i18n';
import { type Panel, useExplain, usePanel } from '../lib/state';
import { Drawer } from '../ui/Dialog';
import { useMay } from '../ui/may';
import { Failure, Skeleton } from '../ui/States';
import { Tabs } from '../ui/Tabs';
import { Comments } from './Comments';
import { comparisonOf } from './Compare';
import { Definition } from './Definition';
import { Delta } from './Delta';
import { FindingPanel } from './FindingPanel';
import { Grade, intervalText } from './Grade';
import { History } from './History';
import { HowSure } from './HowSure';
import css from './metrics.module.css';
import { Records } from './Records';
import { Why } from './Why';
import { conditionText, daysOf, periodText, spoken, titled } from './words';

/** The panel at the right that explains whatever the address says. */
export function ExplainPanel() {
  const panel = usePanel();
  if (!panel) return null;
  return panel.kind === 'explain' ? <NumberPanel panel={panel} /> : <FindingPanel panel={panel} />;
}

function NumberPanel({ panel }: { panel: Panel }) {
  const { close, move } = useExplain();
  const colleagues = useMay('boards.read'); // the messages of snapshots name files
  const names = useQuery(catalog()).data;
  const m = names?.measure.get(panel.of);
  const cell = { measure: panel.of, where: panel.where, period: panel.days, ...comparisonOf(panel) };
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
                    : sentence(e.doubt.words) || t('Exact sum of stored rows; no interval.')}
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
                content: () => <Why panel={panel} cell={cell} shallow={e} />,
              },
              {
                id: 'rows',
                title: t('Rows'),
                content: () => (
                  <Records
                    cell={{ measure: panel.of, where: panel.where, period: daysOf(e.to.period) }}
                    base={panel.base}
                    onBase={(base) => move({ base })}
                  />
                ),
              },
              { id: 'sure', title: t('How sure'), content: () => <HowSure confidence={e.confidence} explanation={e} /> },
              {
                id: 'comments',
                title: t('Comments'),
                content: () => (
                  <Comments
                    on={{
                      kind: 'number',
                      measure: panel.of,
                      where: panel.where ?? '',
                      from: String(e.to.period.from),
                      to: String(e.to.period.to),
                    }}
                  />
                ),
              },
              ...(colleagues
                ? [
                    {
                      id: 'history',
                      title: t('History'),
                      content: () => (
                        <History
                          cell={{ measure: panel.of, where: panel.where, period: daysOf(e.to.period) }}
                          snapshot={panel.snapshot}
                          onSnapshot={(snapshot) => move({ snapshot })}
                        />
                      ),
                    },
                  ]
                : []),
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
