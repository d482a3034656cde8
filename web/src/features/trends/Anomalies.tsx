import { useQuery } from '@tanstack/react-query';
import { anomaliesOf } from '../../api/queries';
import { change, dimensionValue, format, inCurrency, month } from '../../lib/format';
import { t } from '../../lib/i18n';
import { addMonths } from '../../lib/period';
import { useExplain, useView } from '../../lib/state';
import { type Names, SPLITS } from '../../metrics/choices';
import { Badge, Card } from '../../ui/Card';
import { CellButton, DataTable } from '../../ui/DataTable';
import { Select } from '../../ui/Field';
import { Empty, Loaded } from '../../ui/States';
import css from './trends.module.css';

/** What is looked at for each split. */
const LOOKED: Record<string, string[]> = {
  '': ['revenue', 'labor_cost', 'direct_cost', 'hours_worked', 'ticket_count'],
  client: ['revenue', 'labor_cost', 'direct_cost', 'hours_worked', 'ticket_count'],
  industry: ['revenue', 'labor_cost', 'direct_cost', 'hours_worked', 'ticket_count'],
  agreement: ['revenue', 'labor_cost', 'hours_worked'],
  staff: ['hours_worked', 'billable_hours'],
  team: ['hours_worked', 'billable_hours'],
  vendor: ['expense_amount'],
  product: ['expense_amount', 'revenue'],
};

/** The last months that stand out of many series at once. */
export function Anomalies({ names }: { names: Names }) {
  const { search, set, where, status } = useView();
  const { explain } = useExplain();
  const by = search.by?.[0] ?? 'client';
  const measures = LOOKED[by] ?? LOOKED[''] ?? [];
  const query = useQuery({ ...anomaliesOf({ measures, by, where }), enabled: status !== undefined && !status.empty });
  return (
    <div className="stack">
      <div className={css.pick}>
        <Select
          label={t('A series for each')}
          value={by}
          onChange={(next) => set({ by: next ? [next] : [''] })}
          options={[
            ['', t('measure of the whole firm')] as const,
            ...SPLITS.map((d) => [d as string, names.dimension.get(d)?.label ?? d] as const),
          ]}
        />
      </div>
      <Card
        title={t('What stands out?')}
        subtitle={t('The last 3 months against the months before of the same series; at most one in ten by chance')}
      >
        <Loaded query={query} height={240}>
          {(r) => {
            const all = r.anomalies ?? [];
            return (
              <>
                {all.length === 0 ? (
                  <Empty title={t('Nothing stands out')}>
                    {t('{{count}} series were looked at; their last months are as the months before let expect.', { count: r.judged })}
                  </Empty>
                ) : (
                  <DataTable
                    caption={t('What stands out')}
                    rows={all}
                    rowKey={(a) => `${a.measure} ${a.member} ${a.month} ${a.kind}`}
                    columns={[
                      { id: 'words', head: t('What'), cell: (a) => <span style={{ whiteSpace: 'normal' }}>{a.words}</span> },
                      { id: 'kind', head: t('Kind'), cell: (a) => <Badge>{a.kind === 'spike' ? t('one month') : t('since then')}</Badge> },
                      { id: 'month', head: t('Month'), sort: (a) => a.month, cell: (a) => month(a.month) },
                      {
                        id: 'value',
                        head: t('Value'),
                        right: true,
                        cell: (a) => (
                          <CellButton
                            label={t('{{label}} {{value}}. Explain', {
                              label: [names.measure.get(a.measure)?.label ?? a.measure, a.member].filter(Boolean).join(', '),
                              value: format(a.value, inCurrency(a.unit, a.currency)),
                            })}
                            onPress={() => explain(a.measure, a.where, { from: a.month, to: addMonths(a.month, 1) })}
                          >
                            {format(a.value, inCurrency(a.unit, a.currency))}
                          </CellButton>
                        ),
                      },
                      {
                        id: 'size',
                        head: t('Difference'),
                        right: true,
                        sort: (a) => Math.abs(Number(a.size)),
                        cell: (a) => change(a.size, inCurrency(a.unit, a.currency)),
                      },
                      { id: 'q', head: 'q', right: true, sort: (a) => a.q, cell: (a) => a.q.toFixed(3) },
                    ]}
                  />
                )}
                <p className="muted small">
                  {t(
                    '{{judged}} series looked at: {{measures}}. {{skipped}} more are shorter than 12 months, have holes, or ended before.',
                    {
                      judged: r.judged,
                      measures: measures.map((m) => names.measure.get(m)?.label ?? dimensionValue('', m)).join(', '),
                      skipped: r.skipped,
                    },
                  )}
                </p>
              </>
            );
          }}
        </Loaded>
      </Card>
    </div>
  );
}
