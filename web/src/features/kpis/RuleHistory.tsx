import type { UseQueryResult } from '@tanstack/react-query';
import type { Rule, RuleHit } from '../../api/queries';
import { format, instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import type { Names } from '../../metrics/choices';
import { periodText } from '../../metrics/words';
import { Badge, Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Empty, Loaded } from '../../ui/States';

/** When the rules held and for whom. */
export function RuleHistory({ query, rules, names }: { query: UseQueryResult<RuleHit[]>; rules: Rule[]; names: Names }) {
  // An older version may have shown another measure: then the number stands without its unit.
  const unit = (h: RuleHit) => {
    const r = rules.find((x) => x.name === h.rule && x.version === h.version);
    return (r && names.measure.get(r.measure)?.unit) ?? 'number';
  };
  return (
    <Card title={t('When did they hold?')} subtitle={t('The last begun first')}>
      <Loaded
        query={query}
        isEmpty={(all) => all.length === 0}
        empty={<Empty title={t('Nothing yet')}>{t('No rule has held since it was made.')}</Empty>}
      >
        {(all) => (
          <DataTable
            caption={t('When rules held')}
            rows={all}
            rowKey={(h) => h.id}
            maxHeight={420}
            columns={[
              { id: 'rule', head: t('Rule'), sort: (h) => h.rule, cell: (h) => h.rule },
              { id: 'subject', head: t('For'), sort: (h) => h.subject, cell: (h) => h.subject },
              { id: 'value', head: t('Value'), right: true, sort: (h) => Number(h.value), cell: (h) => format(h.value, unit(h)) },
              { id: 'period', head: t('Period'), cell: (h) => periodText(h.period) },
              { id: 'first', head: t('Since'), sort: (h) => h.first_at, cell: (h) => instant(h.first_at) },
              {
                id: 'ended',
                head: t('Until'),
                sort: (h) => h.ended_at ?? '9',
                cell: (h) => (h.ended_at ? instant(h.ended_at) : <Badge tone="warn">{t('holds')}</Badge>),
              },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}
