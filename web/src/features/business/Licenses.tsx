import { Link } from '@tanstack/react-router';
import type { Finding } from '../../api/queries';
import { Page } from '../../app/Page';
import { day, format, inCurrency, integer, percent } from '../../lib/format';
import { t } from '../../lib/i18n';
import { carried, useAddress, useExplain, useView } from '../../lib/state';
import { ExportMenu } from '../../metrics/ExportMenu';
import { Findings } from '../../metrics/Findings';
import { useFindings } from '../../metrics/fit';
import { columns } from '../../metrics/grid';
import { Kpis } from '../../metrics/Kpi';
import { MeasureTable } from '../../metrics/MeasureTable';
import { Badge, Card } from '../../ui/Card';
import { CellButton, DataTable } from '../../ui/DataTable';
import { Empty, Loaded } from '../../ui/States';
import { Tabs } from '../../ui/Tabs';
import { Reclaim } from './Reclaim';

/** Paid seats that nobody uses, and when they can be returned. */
export function Licenses() {
  const [search, set] = useAddress();
  return (
    <Page title={t('Licenses')} lead={t('Seats that are paid for and not used, and when they can be returned.')}>
      <Tabs
        label={t('Licenses')}
        value={search.tab ?? 'waste'}
        onChange={(tab) => set({ tab: tab === 'waste' ? undefined : tab })}
        tabs={[
          { id: 'waste', title: t('What is wasted'), content: () => <Waste /> },
          { id: 'reclaim', title: t('Reclaim'), content: () => <Reclaim /> },
        ]}
      />
    </Page>
  );
}

/** License lines, products and clients by what their unused seats cost. */
function Waste() {
  const { days, where, search, status } = useView();
  const { open } = useExplain();
  const { query: list, note } = useFindings(days, where);
  const ask = {
    measures: [
      'license_waste',
      'wasted_seats',
      'seats_purchased',
      'seats_used',
      'license_utilization',
      'license_cost',
      'overdeploy_exposure',
    ],
    by: ['product'],
    where,
    period: days,
    order: ['-license_waste'],
  };
  const today = String(status?.today ?? '');
  const deadline = (f: Finding) => f.facts.locked_until ?? '';
  return (
    <div className="stack">
      <Kpis measures={['license_waste', 'wasted_seats', 'license_utilization', 'license_cost']} where={where} days={days} />
      <Card
        title={t('What can be returned, and by when?')}
        subtitle={t('License lines by waste, with the date their term allows. Unused: not assigned, or assigned to somebody inactive.')}
      >
        {note ? <p className="muted small">{note}</p> : null}
        <Loaded
          query={list}
          height={240}
          isEmpty={(all) => !all.some((f) => f.kind === 'license_waste')}
          empty={<Empty title={t('No waste worth a call')}>{t('No license line wastes more than the threshold.')}</Empty>}
        >
          {(all) => (
            <DataTable
              caption={t('License lines with unused seats')}
              rows={all.filter((f) => f.kind === 'license_waste')}
              rowKey={(f) => f.id}
              initial={{ id: 'waste', descending: true }}
              columns={[
                {
                  id: 'product',
                  head: t('Product'),
                  sort: (f) => f.subject.value,
                  cell: (f) => (
                    <CellButton
                      label={t('{{product}}: explain', { product: f.subject.value })}
                      onPress={() => open({ kind: 'finding', of: f.id })}
                    >
                      {f.subject.value}
                    </CellButton>
                  ),
                },
                {
                  id: 'client',
                  head: t('Client'),
                  sort: (f) => f.subject.within?.value ?? '',
                  cell: (f) =>
                    f.subject.within ? (
                      <Link
                        to="/clients/$name"
                        params={{ name: f.subject.within.value }}
                        search={{ ...carried(search), tab: 'licenses' } as never}
                      >
                        {f.subject.within.value}
                      </Link>
                    ) : null,
                },
                {
                  id: 'deadline',
                  head: t('Locked until'),
                  sort: (f) => deadline(f) || '9999',
                  cell: (f) =>
                    deadline(f) ? (
                      <>
                        {day(deadline(f))} {deadline(f) < today ? <Badge tone="warn">{t('past')}</Badge> : null}
                      </>
                    ) : (
                      <span className="muted">{t('can be returned now')}</span>
                    ),
                },
                {
                  id: 'seats',
                  head: t('Unused seats'),
                  right: true,
                  sort: (f) => Number(f.facts.wasted_seats ?? 0),
                  cell: (f) => integer(Number(f.facts.wasted_seats ?? 0)),
                },
                {
                  id: 'use',
                  head: t('In use'),
                  right: true,
                  sort: (f) => Number(f.facts.license_utilization ?? 0),
                  cell: (f) => percent(Number(f.facts.license_utilization ?? 0)),
                },
                {
                  id: 'waste',
                  head: t('Waste a month'),
                  right: true,
                  sort: (f) => Number(f.value ?? 0),
                  cell: (f) => format(f.value, inCurrency('money', f.currency)),
                },
                {
                  id: 'year',
                  head: t('At stake a year'),
                  right: true,
                  sort: (f) => Number(f.money_at_stake),
                  cell: (f) => format(f.money_at_stake, inCurrency('money', f.currency)),
                },
              ]}
            />
          )}
        </Loaded>
      </Card>
      <Card
        title={t('What does the vendor charge that nobody is billed for?')}
        subtitle={t('Seats of a client above those that its agreements bill')}
      >
        <Loaded
          query={list}
          height={120}
          isEmpty={(all) => !all.some((f) => f.kind === 'leakage')}
          empty={
            <Empty title={t('Every seat is billed')}>
              {t('Of clients whose agreements list products with their quantities: import agreement additions for the others.')}
            </Empty>
          }
        >
          {(all) => <Findings list={all.filter((f) => f.kind === 'leakage')} />}
        </Loaded>
      </Card>
      <div className="stack" style={columns(480)}>
        <Card title={t('Which products waste most?')} subtitle={t("At the period's end")} actions={<ExportMenu ask={ask} />}>
          <MeasureTable caption={t('Licenses by product')} ask={ask} bar="license_waste" />
        </Card>
        <Card title={t('Which clients waste most?')} subtitle={t("At the period's end")}>
          <MeasureTable
            caption={t('Licenses by client')}
            ask={{
              measures: ['license_waste', 'wasted_seats', 'license_utilization', 'overdeploy_exposure'],
              by: ['client'],
              where,
              period: days,
              order: ['-license_waste'],
            }}
            bar="license_waste"
            name={(client) => (
              <Link to="/clients/$name" params={{ name: client }} search={{ ...carried(search), tab: 'licenses' } as never}>
                {client}
              </Link>
            )}
          />
        </Card>
      </div>
    </div>
  );
}
