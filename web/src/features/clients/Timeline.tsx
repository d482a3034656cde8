import { useQuery } from '@tanstack/react-query';
import { currencyAt, table } from '../../api/queries';
import { day, format, inCurrency, month } from '../../lib/format';
import { t } from '../../lib/i18n';
import { addMonths, type Period, spanOf } from '../../lib/period';
import { useExplain } from '../../lib/state';
import { Card } from '../../ui/Card';
import { CellButton } from '../../ui/DataTable';
import { Empty, Loaded } from '../../ui/States';
import css from './clients.module.css';

interface Entry {
  id: string;
  at: string;
  tone?: 'good' | 'bad';
  text: string;
  more: () => void;
  value: string;
}

const SHOWN = 60;

/** What happened with a client, newest first: months that moved, large invoices, payments. */
export function Timeline({ where, own, days }: { where: string; own: string; days: Period | undefined }) {
  const { explain } = useExplain();
  const span = days ? { from: addMonths(days.to, -24) < days.from ? addMonths(days.to, -24) : days.from, to: days.to } : undefined;
  const on = { enabled: days !== undefined };
  const months = useQuery({
    ...table({ measures: ['gross_profit', 'revenue', 'mrr', 'ticket_count'], by: ['month'], where: own, period: span, order: ['-month'] }),
    ...on,
  });
  const payments = useQuery({
    ...table({ measures: ['payments_received'], by: ['day'], where: own, period: days, order: ['-day'] }),
    ...on,
  });
  return (
    <Card title={t('What happened, and when?')} subtitle={t('Months with a loss or a changed fee, and payments; newest first')}>
      <Loaded query={months} height={200}>
        {(data) => {
          const out: Entry[] = [];
          data.rows.forEach((r, i) => {
            const loss = inCurrency('money', currencyAt(data, i, 0));
            const fee = (at: number) => inCurrency('money_per_month', currencyAt(data, at, 2));
            const m = r[0] ?? '';
            const one = { from: m, to: addMonths(m, 1) };
            if (Number(r[1]) < 0)
              out.push({
                id: `loss ${m}`,
                at: m,
                tone: 'bad',
                text: t('A loss in {{month}}', { month: month(m) }),
                value: format(r[1], loss),
                more: () => explain('gross_profit', where, one),
              });
            const earlier = data.rows[i + 1];
            if (earlier && r[3] !== null && earlier[3] !== null && r[3] !== earlier[3] && r[3] !== undefined) {
              out.push({
                id: `fee ${m}`,
                at: m,
                tone: Number(r[3]) > Number(earlier[3]) ? 'good' : 'bad',
                text: t('Monthly recurring revenue changed from {{from}}', { from: format(earlier[3], fee(i + 1)) }),
                value: format(r[3], fee(i)),
                more: () => explain('mrr', where, one),
              });
            }
          });
          payments.data?.rows.forEach((r, i) => {
            const d = r[0] ?? '';
            if (Number(r[1]) !== 0)
              out.push({
                id: `paid ${d}`,
                at: d,
                text: t('Paid'),
                value: format(r[1], inCurrency('money', payments.data ? currencyAt(payments.data, i, 0) : '')),
                more: () => explain('payments_received', where, spanOf('day', d, undefined)),
              });
          });
          out.sort((a, b) => b.at.localeCompare(a.at));
          if (out.length === 0)
            return <Empty title={t('Nothing to tell')}>{t('No loss, no changed fee and no payment in these months.')}</Empty>;
          return (
            <ol className={css.timeline}>
              {out.slice(0, SHOWN).map((e) => (
                <li key={e.id} data-tone={e.tone}>
                  <time dateTime={e.at}>{e.id.startsWith('paid') ? day(e.at) : month(e.at)}</time>
                  {e.text}:{' '}
                  <CellButton label={t('{{text}} {{value}}. Explain', { text: e.text, value: e.value })} onPress={e.more}>
                    {e.value}
                  </CellButton>
                </li>
              ))}
            </ol>
          );
        }}
      </Loaded>
    </Card>
  );
}
