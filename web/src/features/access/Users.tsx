import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { invitations, session, type User, users } from '../../api/accounts';
import { api, messageOf, unwrap } from '../../api/client';
import { Page } from '../../app/Page';
import { instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { DataTable } from '../../ui/DataTable';
import { Loaded } from '../../ui/States';
import { toast } from '../../ui/toast';
import css from './access.module.css';
import { AllKeys } from './Keys';
import { type Person, PersonForm } from './PersonForm';
import { enter } from './SignIn';
import { Invite, limitsOf } from './Standing';
import { UserPanel } from './UserPanel';

/** Who may sign in; before anybody may, where the owner's account is made. */
export function Users() {
  const who = useQuery(session());
  return (
    <Loaded query={who} height={320}>
      {(w) => (w.accounts ? <People /> : <SetUp />)}
    </Loaded>
  );
}

function SetUp() {
  const make = useMutation({
    mutationFn: (p: Person) => unwrap(api.POST('/api/v1/set-up', { body: p })),
    onSuccess: () => enter('/'),
  });
  return (
    <Page
      title={t('Make the owner account')}
      lead={t('Until there is one, MoatMetrics answers this machine only, and does not ask who you are.')}
    >
      <Card title={t('Who owns this installation?')} subtitle={t('The owner may do everything, and invites the others')}>
        <div style={{ maxWidth: 460 }}>
          <PersonForm action={t('Make the account')} busy={make.isPending} error={make.error} onDone={make.mutate} />
        </div>
      </Card>
      <Card title={t('What changes?')} level={3}>
        <ul className="stack muted" style={{ gap: 6 }}>
          <li>{t('Everybody signs in, on this machine too. You are signed in right away.')}</li>
          <li>
            {t('The command line goes on working for whoever may read the data directory; it is on the audit record by their name there.')}
          </li>
          <li>
            {t('If you lose your password:')} <code>moatmetrics sign-in</code>
          </li>
        </ul>
      </Card>
    </Page>
  );
}

function People() {
  const client = useQueryClient();
  const list = useQuery(users());
  const [inviting, setInviting] = useState(false);
  const [open, setOpen] = useState('');
  const chosen = list.data?.find((u) => u.id === open);
  return (
    <Page
      title={t('Users')}
      lead={t('Who may sign in, as what, and limited to which clients and teams.')}
      actions={
        <Button kind="primary" onPress={() => setInviting(true)}>
          {t('Invite')}
        </Button>
      }
    >
      <Card title={t('Who may sign in?')}>
        <Loaded query={list} height={160}>
          {(all) => <List all={all} onOpen={setOpen} />}
        </Loaded>
      </Card>
      <Invitations />
      <AllKeys people={list.data ?? []} />
      {inviting ? (
        <Invite
          onClose={() => {
            setInviting(false);
            client.invalidateQueries({ queryKey: invitations().queryKey });
          }}
        />
      ) : null}
      {chosen ? <UserPanel user={chosen} onClose={() => setOpen('')} /> : null}
    </Page>
  );
}

function List({ all, onOpen }: { all: User[]; onOpen: (id: string) => void }) {
  return (
    <DataTable
      caption={t('Users')}
      rows={all}
      rowKey={(u) => u.id}
      columns={[
        {
          id: 'name',
          head: t('Name'),
          sort: (u) => u.name,
          cell: (u) =>
            u.self ? (
              <>
                {u.name} <Badge>{t('you')}</Badge>
              </>
            ) : (
              <Button kind="quiet" onPress={() => onOpen(u.id)}>
                {u.name}
              </Button>
            ),
        },
        { id: 'email', head: t('E-mail'), sort: (u) => u.email, cell: (u) => u.email },
        { id: 'role', head: t('Role'), sort: (u) => u.role, cell: (u) => u.role },
        { id: 'limits', head: t('Sees'), cell: (u) => limitsOf(u) },
        {
          id: 'state',
          head: t('State'),
          sort: (u) => Number(u.disabled),
          cell: (u) => (u.disabled ? <Badge tone="warn">{t('disabled')}</Badge> : <Badge tone="good">{t('active')}</Badge>),
        },
        {
          id: 'factors',
          head: t('Also signs in with'),
          cell: (u) =>
            [u.totp ? t('app') : '', u.passkeys > 0 ? t('{{count}} passkeys', { count: u.passkeys }) : ''].filter(Boolean).join(', ') ||
            '—',
        },
        { id: 'seen', head: t('Last seen'), sort: (u) => u.seen_at ?? '', cell: (u) => (u.seen_at ? instant(u.seen_at) : '—') },
      ]}
    />
  );
}

function Invitations() {
  const client = useQueryClient();
  const list = useQuery(invitations());
  const end = useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/invitations/{id}', { params: { path: { id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: invitations().queryKey }),
    onError: (e) => toast(messageOf(e)),
  });
  const all = list.data ?? [];
  if (all.length === 0) return null;
  return (
    <Card title={t('Who is invited?')} subtitle={t('Each link works once, for a week')}>
      <ul className={css.list}>
        {all.map((i) => (
          <li key={i.id}>
            <span>
              {i.email}
              <br />
              <span className="muted small">
                {t('{{role}} · sees {{limits}} · until {{at}}', { role: i.role, limits: limitsOf(i), at: instant(i.expires_at) })}
              </span>
            </span>
            <Button kind="quiet" aria-label={t('Withdraw {{email}}', { email: i.email })} onPress={() => end.mutate(i.id)}>
              {t('Withdraw')}
            </Button>
          </li>
        ))}
      </ul>
    </Card>
  );
}
