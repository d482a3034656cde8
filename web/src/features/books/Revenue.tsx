import type { RevenueTie } from '../../api/queries';
import { change, format, month, sentence, type Unit } from '../../lib/format';
import { t } from '../../lib/i18n';
import { addMonths } from '../../lib/period';
import { useExplain } from '../../lib/state';
import css from '../../metrics/metrics.module.css';
import { Badge } from '../../ui/Card';
import { CellButton, DataTable } from '../../ui/DataTable';

/** A month's revenue beside the ledger's income, and what the difference likely is. */
export function Revenue({ list, unit }: { list: RevenueTie[]; unit: Unit }) {
  const { explain } = useExplain();
  return (
    <DataTable
      caption={t('Revenue and ledger by month')}
      rows={list}
      rowKey={(r) => r.month}
      columns={[
        { id: 'month', head: t('Month'), sort: (r) => r.month, cell: (r) => month(r.month) },
        {
          id: 'invoiced',
          head: t('Invoiced'),
          right: true,
          sort: (r) => number(r.invoiced),
          cell: (r) => (
            <CellButton
              label={t('{{label}} {{value}}. Explain', { label: month(r.month), value: format(r.invoiced, unit) })}
              onPress={() => explain('revenue', '', { from: r.month, to: addMonths(r.month, 1) })}
            >
              {format(r.invoiced, unit)}
            </CellButton>
          ),
        },
        { id: 'earned', head: t('Earned'), right: true, sort: (r) => number(r.earned), cell: (r) => format(r.earned, unit) },
        { id: 'ledger', head: t('Ledger'), right: true, sort: (r) => number(r.ledger), cell: (r) => format(r.ledger, unit) },
        {
          id: 'gap',
          head: t('Invoiced − ledger'),
          right: true,
          sort: (r) => number(r.gap),
          cell: (r) => (Number(r.gap ?? 1) === 0 ? <Badge tone="good">{t('the same')}</Badge> : change(r.gap, unit)),
        },
        {
          id: 'why',
          head: t('Likely because'),
          cell: (r) => <span className={`${css.cellText} small`}>{why(r)}</span>,
        },
      ]}
    />
  );
}

function why(r: RevenueTie): string {
  const likely = r.likely ?? [];
  if (likely.length > 0) return sentence(likely.join('; '));
  if (r.reason) return sentence(r.reason);
  return r.gap && Number(r.gap) !== 0 ? t('No amount known here is this difference.') : '';
}

const number = (text: string | null) => (text === null ? null : Number(text));
