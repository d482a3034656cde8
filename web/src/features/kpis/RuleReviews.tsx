import { useMutation, useQuery } from '@tanstack/react-query';
import { api, messageOf, unwrap } from '../../api/client';
import { ruleReviews } from '../../api/queries';
import { instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { toast } from '../../ui/toast';
import { useRefresh } from './definitions';

/** Why a rule asks, of evidence that is kept as it was found. */
function whyOf(evidence: unknown): string[] {
  if (typeof evidence !== 'object' || evidence === null || !('why' in evidence) || !Array.isArray(evidence.why)) return [];
  return evidence.why.filter((w): w is string => typeof w === 'string');
}

/** What rules put before people and nobody has decided; nothing when there is none. */
export function RuleReviews() {
  const open = useQuery(ruleReviews()).data ?? [];
  const refresh = useRefresh();
  const decide = useMutation({
    mutationFn: ({ id, verdict }: { id: string; verdict: 'acknowledged' | 'dismissed' }) =>
      unwrap(api.POST('/api/v1/rules/reviews/{id}/decide', { params: { path: { id } }, body: { verdict } })),
    onSuccess: async (_, { verdict }) => {
      toast(verdict === 'acknowledged' ? t('Acknowledged.') : t('Dismissed.'));
      await refresh();
    },
    onError: (e) => toast(messageOf(e)),
  });
  if (open.length === 0) return null;
  return (
    <Card title={t('What needs a decision?')} subtitle={t('Known, or of no concern: a question is withdrawn when the rule ceases to hold')}>
      <DataTable
        caption={t('Open questions of rules')}
        rows={open}
        rowKey={(p) => p.id}
        maxHeight={420}
        columns={[
          {
            id: 'what',
            head: t('What was found'),
            cell: (p) => <span style={{ whiteSpace: 'normal' }}>{whyOf(p.evidence).join(' ') || p.subject}</span>,
          },
          {
            id: 'decide',
            head: t('Decide'),
            cell: (p) => (
              <span className="row">
                <Button
                  isDisabled={decide.isPending}
                  aria-label={t('Acknowledge {{subject}}', { subject: p.subject })}
                  onPress={() => decide.mutate({ id: p.id, verdict: 'acknowledged' })}
                >
                  {t('Acknowledge')}
                </Button>
                <Button
                  kind="quiet"
                  isDisabled={decide.isPending}
                  aria-label={t('Dismiss {{subject}}', { subject: p.subject })}
                  onPress={() => decide.mutate({ id: p.id, verdict: 'dismissed' })}
                >
                  {t('Dismiss')}
                </Button>
              </span>
            ),
          },
          { id: 'at', head: t('Since'), sort: (p) => p.created_at, cell: (p) => instant(p.created_at) },
        ]}
      />
    </Card>
  );
}
