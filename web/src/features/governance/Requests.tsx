import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, messageOf, unwrap } from '../../api/client';
import { erasurePreview, type PersonRequest, requests } from '../../api/queries';
import { day, integer, words } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { CellButton, DataTable } from '../../ui/DataTable';
import { Dialog } from '../../ui/Dialog';
import { Select, TextField } from '../../ui/Field';
import { Empty, Loaded, Notice } from '../../ui/States';
import { PersonPicker } from './PersonPicker';

const STATE: Record<string, string> = {
  open: t('to be answered'),
  waiting: t('waits for a decision'),
  rejected: t('rejected'),
  approved: t('approved, about to start'),
  cleaning: t('under way'),
  compacting: t('under way'),
  done: t('done'),
};

const ended = (r: PersonRequest) => r.state === 'done' || r.state === 'rejected';
const kindOf = (r: PersonRequest) => (r.kind === 'access' ? t('Copy of everything') : t('Erasure'));

/** What persons asked for, and by when it must be answered. */
export function Requests() {
  const list = useQuery({
    ...requests(),
    refetchInterval: (q) => ((q.state.data ?? []).some((r) => r.kind === 'erasure' && !ended(r)) ? 3000 : false),
  });
  const [adding, setAdding] = useState(false);
  const [opened, setOpened] = useState<string>();
  const shown = list.data?.find((r) => r.id === opened);
  return (
    <Card
      title={t('What did persons ask for?')}
      subtitle={t('To be answered within one month: GDPR Art. 12(3)')}
      actions={
        <Button kind="primary" onPress={() => setAdding(true)}>
          {t('New request')}
        </Button>
      }
    >
      <Loaded
        query={list}
        height={160}
        isEmpty={(all) => all.length === 0}
        empty={
          <Empty title={t('No request yet')}>
            {t(
              'When somebody asks what you store of them, or to be erased, note it here: the clock runs, and both are done in a few steps.',
            )}
          </Empty>
        }
      >
        {(all) => (
          <DataTable
            caption={t('Requests of persons')}
            rows={all}
            rowKey={(r) => r.id}
            columns={[
              {
                id: 'who',
                head: t('Person'),
                sort: (r) => r.label,
                cell: (r) => (
                  <CellButton label={t('Open the request of {{who}}', { who: r.label })} onPress={() => setOpened(r.id)}>
                    {r.label}
                  </CellButton>
                ),
              },
              { id: 'kind', head: t('Asks for'), sort: kindOf, cell: kindOf },
              { id: 'received', head: t('Received'), sort: (r) => r.received_on, cell: (r) => day(r.received_on) },
              { id: 'due', head: t('Due'), sort: (r) => r.due_on, cell: (r) => <Due of={r} /> },
              {
                id: 'state',
                head: t('State'),
                sort: (r) => r.state,
                cell: (r) => <Badge {...(r.state === 'done' ? { tone: 'good' as const } : {})}>{STATE[r.state] ?? r.state}</Badge>,
              },
            ]}
          />
        )}
      </Loaded>
      {adding ? <Add onClose={() => setAdding(false)} onAdded={setOpened} /> : null}
      {shown ? <Opened request={shown} onClose={() => setOpened(undefined)} /> : null}
    </Card>
  );
}

function Due({ of: r }: { of: PersonRequest }) {
  const left = Number(r.days_left);
  return (
    <>
      {day(r.due_on)}{' '}
      {ended(r) ? null : left < 0 ? (
        <Badge tone="bad">{t('{{n}} days late', { n: -left })}</Badge>
      ) : (
        <Badge {...(left <= 7 ? { tone: 'warn' as const } : {})}>{t('{{n}} days left', { n: left })}</Badge>
      )}
    </>
  );
}

function Add({ onClose, onAdded }: { onClose: () => void; onAdded: (id: string) => void }) {
  const client = useQueryClient();
  const [kind, setKind] = useState<'access' | 'erasure'>('access');
  const [draft, setDraft] = useState({ person: '', received_on: '', also: '' });
  const change = (next: Partial<typeof draft>) => setDraft({ ...draft, ...next });
  const add = useMutation({
    mutationFn: () => {
      const also = draft.also
        .split('\n')
        .map((x) => x.trim())
        .filter(Boolean);
      return unwrap(
        api.POST('/api/v1/governance/requests', { body: { kind, person: draft.person, received_on: draft.received_on, also } }),
      );
    },
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ['governance'] });
      onClose();
      onAdded(made.id);
    },
  });
  return (
    <Dialog open onClose={onClose} title={t('New request')} subtitle={t('Check first that it comes from the person')}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          add.mutate();
        }}
      >
        <PersonPicker value={draft.person} onChange={(person) => change({ person })} />
        <Select
          label={t('Asks for')}
          value={kind}
          onChange={setKind}
          options={[
            ['access', t('A copy of everything')],
            ['erasure', t('Erasure')],
          ]}
        />
        <TextField
          label={t('Received on')}
          value={draft.received_on}
          onChange={(received_on) => change({ received_on })}
          type="date"
          hint={t('Blank: today')}
        />
        <TextField
          label={t('Further spellings')}
          value={draft.also}
          onChange={(also) => change({ also })}
          multiline
          hint={t('A nickname, a former name, a telephone number; one a line')}
        />
        {add.isError ? <Notice tone="bad">{messageOf(add.error)}</Notice> : null}
        <Button kind="primary" type="submit" isDisabled={add.isPending || draft.person === ''}>
          {t('Note it')}
        </Button>
      </form>
    </Dialog>
  );
}

function Opened({ request: r, onClose }: { request: PersonRequest; onClose: () => void }) {
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const plan = useQuery({ ...erasurePreview(r.id), enabled: r.state === 'waiting' }); // nobody approves unseen
  const after = { onSettled: () => client.invalidateQueries({ queryKey: ['governance'] }) };
  const path = { params: { path: { id: r.id } } };
  const decide = useMutation({
    mutationFn: (verdict: 'approve' | 'reject') =>
      unwrap(api.POST('/api/v1/governance/requests/{id}/decide', { ...path, body: { verdict, reason } })),
    ...after,
  });
  const answered = useMutation({ mutationFn: () => unwrap(api.POST('/api/v1/governance/requests/{id}/answered', path)), ...after });
  const failed = decide.error ?? answered.error;
  return (
    <Dialog open onClose={onClose} title={r.label} subtitle={`${kindOf(r)} · ${STATE[r.state] ?? r.state}`}>
      <div className="stack">
        {r.state === 'done' && r.kind === 'erasure' ? (
          <p>{t('Names, addresses and free text are gone from every snapshot and file. Amounts and hours stay under the pseudonym.')}</p>
        ) : (
          <p>
            <a href={`/api/v1/governance/requests/${r.id}/bundle`} download>
              {t('Save everything that is stored (zip)')}
            </a>
          </p>
        )}
        {r.state === 'waiting' ? (
          <>
            <Preview id={r.id} />
            <p className="muted">{t('An erasure cannot be taken back: it changes every snapshot.')}</p>
            <TextField label={t('Why')} value={reason} onChange={setReason} hint={t('For those who read the decision later')} />
            <div className="row">
              <Button
                kind="danger"
                isDisabled={decide.isPending || !plan.data || (plan.data.holds ?? []).length > 0}
                onPress={() => decide.mutate('approve')}
              >
                {t('Approve and erase')}
              </Button>
              <Button isDisabled={decide.isPending} onPress={() => decide.mutate('reject')}>
                {t('Reject')}
              </Button>
            </div>
          </>
        ) : null}
        {r.state === 'open' ? (
          <Button kind="primary" isDisabled={answered.isPending} onPress={() => answered.mutate()}>
            {t('It is answered')}
          </Button>
        ) : null}
        {failed ? <Notice tone="bad">{messageOf(failed)}</Notice> : null}
      </div>
    </Dialog>
  );
}

/** What an erasure would change. */
function Preview({ id }: { id: string }) {
  const plan = useQuery(erasurePreview(id));
  if (plan.isPending)
    return <p className="muted">{t('Every snapshot and file is looked through for the person: this may take some seconds …')}</p>;
  return (
    <Loaded query={plan} height={160}>
      {(p) => (
        <div className="stack">
          {(p.holds ?? []).map((h) => (
            <Notice key={h.id} tone="bad">
              {t('A legal hold on {{what}} forbids it: {{reason}}', { what: h.label, reason: h.reason })}
            </Notice>
          ))}
          <DataTable
            caption={t('What would be changed')}
            rows={[
              ...(p.tables ?? []).map((x) => ({
                key: x.table,
                what: words(x.table),
                n: Number(x.rows),
                how: t('in {{n}} snapshots', { n: x.snapshots }),
              })),
              ...(p.control ?? []).map((x) => ({
                key: x.table,
                what: words(x.table),
                n: Number(x.rows),
                how: x.kept ? t('stays') : t('rewritten'),
              })),
              ...(p.files ?? []).map((x) => ({
                key: x.name,
                what: x.name,
                n: 1,
                how: x.action === 'yours' ? t('yours to deal with') : t('deleted'),
              })),
            ]}
            rowKey={(x) => x.key}
            columns={[
              {
                id: 'what',
                head: t('Where'),
                cell: (x) => <span style={{ overflowWrap: 'anywhere', whiteSpace: 'normal' }}>{x.what}</span>,
              },
              { id: 'n', head: t('Rows'), right: true, cell: (x) => integer(x.n) },
              { id: 'how', head: t('What happens'), cell: (x) => x.how },
            ]}
          />
          <ul className="stack small muted" style={{ gap: 4 }}>
            {(p.notes ?? []).map((n) => (
              <li key={n}>{n}</li>
            ))}
          </ul>
        </div>
      )}
    </Loaded>
  );
}
