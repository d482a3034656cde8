import type { LaborTie } from '../../api/queries';
import { format, month, sentence, type Unit } from '../../lib/format';
import { t } from '../../lib/i18n';
import { addMonths } from '../../lib/period';
import { useExplain } from '../../lib/state';
import css from '../../metrics/metrics.module.css';
import { CellButton, type Column, DataTable } from '../../ui/DataTable';

/** A month's pay and where it went. */
export function Labor({ list, unit }: { list: LaborTie[]; unit: Unit }) {
  const { explain } = useExplain();
  const amount = (
    id: keyof LaborTie & ('client_labor' | 'internal_labor' | 'leave' | 'not_entered' | 'rates'),
    head: string,
  ): Column<LaborTie> => ({
    id,
    head,
    right: true,
    sort: (r) => number(r[id]),
    cell: (r) => format(r[id], unit),
  });
  const opens = (measure: string, id: 'payroll' | 'unabsorbed', head: string): Column<LaborTie> => ({
    id,
    head,
    right: true,
    sort: (r) => number(r[id]),
    cell: (r) => (
      <CellButton
        label={t('{{label}} {{value}}. Explain', { label: `${head}, ${month(r.month)}`, value: format(r[id], unit) })}
        onPress={() => explain(measure, '', { from: r.month, to: addMonths(r.month, 1) })}
      >
        {format(r[id], unit)}
      </CellButton>
    ),
  });
  return (
    <DataTable
      caption={t('Payroll and labor by month')}
      rows={list}
      rowKey={(r) => r.month}
      columns={[
        { id: 'month', head: t('Month'), sort: (r) => r.month, cell: (r) => month(r.month) },
        opens('absorbable_payroll', 'payroll', t('Payroll')),
        amount('client_labor', t('Client work')),
        amount('internal_labor', t('Internal work')),
        opens('unabsorbed_labor', 'unabsorbed', t('Not absorbed')),
        {
          id: 'share',
          head: t('of payroll'),
          right: true,
          sort: (r) => number(r.unabsorbed_share),
          cell: (r) => format(r.unabsorbed_share, 'ratio'),
        },
        amount('leave', t('Leave')),
        amount('not_entered', t('Not entered')),
        amount('rates', t('Other rates')),
        ...(list.some((r) => r.reason) ? [MIND] : []),
      ]}
    />
  );
}

const MIND: Column<LaborTie> = {
  id: 'why',
  head: t('Mind'),
  cell: (r) => <span className={`${css.cellText} small`}>{r.reason ? sentence(r.reason) : ''}</span>,
};

const number = (text: string | null) => (text === null ? null : Number(text));
