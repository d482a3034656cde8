import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { type PolicyVersion, policyVersions } from '../../api/queries';
import { instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { useNames } from '../../metrics/names';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { TextField } from '../../ui/Field';
import { Empty, Loaded, Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import { Effects } from './Effects';

const STATUS = { proposed: t('waits'), applied: t('applied'), rejected: t('rejected') } as const;

/** Every change of roles and policies: who, when, why, what it gave and took. */
export function History() {
  const query = useQuery(policyVersions());
  return (
    <Loaded
      query={query}
      height={320}
      isEmpty={(list) => list.length === 0}
      empty={
        <Empty title={t('Nothing was changed yet')}>
          {t('The built-in roles and policies hold. Each change of them will stand here.')}
        </Empty>
      }
    >
      {(list) => (
        <div className="stack">
          {list.map((v) => (
            <Version key={v.version} v={v} />
          ))}
        </div>
      )}
    </Loaded>
  );
}

function Version({ v }: { v: PolicyVersion }) {
  const name = useNames();
  return (
    <Card
      title={t('Version {{version}}', { version: String(v.version) })}
      subtitle={t('{{who}}, {{at}}', { who: name(v.author), at: instant(v.at) })}
      actions={
        <Badge tone={v.status === 'proposed' ? 'warn' : v.current ? 'good' : v.status === 'rejected' ? 'bad' : 'accent'}>
          {v.current ? t('in force') : STATUS[v.status]}
        </Badge>
      }
    >
      <div className="stack">
        {v.reason ? <p>{v.reason}</p> : <p className="muted small">{t('No reason was given.')}</p>}
        <Effects list={v.effects} lines={v.lines} />
        {v.decided_by && v.decided_by !== v.author ? (
          <p className="small">
            {v.status === 'applied'
              ? t('Approved by {{who}}.', { who: name(v.decided_by) })
              : t('Rejected by {{who}}.', { who: name(v.decided_by) })}{' '}
            {v.decision}
          </p>
        ) : null}
        {v.status === 'proposed' ? <Decide v={v} /> : null}
      </div>
    </Card>
  );
}

function Decide({ v }: { v: PolicyVersion }) {
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const decide = useMutation({
    mutationFn: (approve: boolean) => {
      const init = { params: { path: { version: v.version } }, body: { reason } };
      return unwrap(
        approve
          ? api.POST('/api/v1/policies/versions/{version}/approve', init)
          : api.POST('/api/v1/policies/versions/{version}/reject', init),
      );
    },
    onSuccess: async (next) => {
      await client.invalidateQueries({ queryKey: ['policies'] });
      toast(next.status === 'applied' ? t('It is approved and holds now.') : t('It is rejected.'));
    },
  });
  return (
    <div className="stack">
      <p className="small">{t('It waits for {{who}}.', { who: v.waits })}</p>
      {decide.isError ? <Notice tone="bad">{messageOf(decide.error)}</Notice> : null}
      <TextField label={t('Why')} value={reason} onChange={setReason} />
      <div className="row">
        <Button kind="primary" onPress={() => decide.mutate(true)} isDisabled={decide.isPending}>
          {t('Approve')}
        </Button>
        <Button onPress={() => decide.mutate(false)} isDisabled={decide.isPending}>
          {t('Reject')}
        </Button>
      </div>
    </div>
  );
}
