import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, messageOf, unwrap } from '../../api/client';
import { type PeerStatus, peers } from '../../api/queries';
import { day, format } from '../../lib/format';
import { t } from '../../lib/i18n';
import { titled } from '../../metrics/words';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Loaded } from '../../ui/States';
import { toast } from '../../ui/toast';

/** Whether this tenant takes part in the comparison with others, and what that shares. */
export function Participation({ reason }: { reason: string }) {
  const query = useQuery(peers());
  return (
    <Loaded query={query} height={160}>
      {(s) => (
        <Card
          title={t('How do others do?')}
          subtitle={t('Other tenants of this installation that take part')}
          actions={
            <Badge {...(s.taking_part ? { tone: 'accent' as const } : {})}>{s.taking_part ? t('taking part') : t('not taking part')}</Badge>
          }
        >
          <div className="stack">
            <p>
              {t('{{count}} tenants take part, this one {{whether}}. Nothing is shown of fewer than {{needed}} others.', {
                count: s.participants,
                whether: s.taking_part ? t('among them since {{day}}', { day: day(String(s.since)) }) : t('not'),
                needed: s.needed,
              })}
              {reason && s.taking_part ? ` ${reason}` : ''}
            </p>
            <p className="muted small">{s.shares}</p>
            <div className="row">
              <Turn s={s} />
            </div>
            {s.taking_part ? <Spent s={s} /> : null}
          </div>
        </Card>
      )}
    </Loaded>
  );
}

function Turn({ s }: { s: PeerStatus }) {
  const client = useQueryClient();
  const turn = useMutation({
    mutationFn: () => unwrap(s.taking_part ? api.DELETE('/api/v1/peers') : api.PUT('/api/v1/peers')),
    onSuccess: (next) =>
      toast(
        next.taking_part
          ? t('This tenant takes part from now on.')
          : t('This tenant takes no part any more; what was drawn from its figures is removed.'),
      ),
    onError: (e) => toast(messageOf(e)),
    onSettled: () => client.invalidateQueries({ queryKey: ['data'] }),
  });
  return (
    <Button kind={s.taking_part ? 'plain' : 'primary'} need="peers.manage" onPress={() => turn.mutate()} isDisabled={turn.isPending}>
      {s.taking_part ? t('Take no part any more') : t('Take part')}
    </Button>
  );
}

function Spent({ s }: { s: PeerStatus }) {
  return (
    <details>
      <summary>{t('What is spent in {{quarter}}', { quarter: s.quarter })}</summary>
      <p className="small">
        {t('Your figures are in {{count}} releases to others: one of them learned at most ε = {{most}}, all of them together {{total}}.', {
          count: s.used_in,
          most: s.most_loss,
          total: s.total_loss,
        })}
      </p>
      <DataTable
        caption={t('Bounds and budget of each measure')}
        rows={s.measures ?? []}
        rowKey={(m) => m.measure}
        columns={[
          { id: 'measure', head: t('Measure'), cell: (m) => titled(m.measure) },
          {
            id: 'bounds',
            head: t('Between'),
            right: true,
            cell: (m) => t('{{low}} and {{high}}', { low: format(m.low, m.unit), high: format(m.high, m.unit) }),
          },
          { id: 'step', head: t('Step'), right: true, cell: (m) => format(m.step, m.unit) },
          { id: 'spent', head: t('ε spent of {{budget}}', { budget: s.budget }), right: true, cell: (m) => m.spent },
        ]}
      />
    </details>
  );
}
