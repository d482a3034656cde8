import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { roles, type Standing } from '../../api/accounts';
import { api, faultOf, unwrap } from '../../api/client';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Select, TextField } from '../../ui/Field';
import { Refused } from './Door';
import { GivenLink } from './GivenLink';

const WHAT: Record<string, string> = {
  owner: t('everything'),
  admin: t('everything; changes of roles and policies wait for a second person'),
  finance: t('all figures with pay, exports, imports and settings'),
  analyst: t('figures, boards and definitions, without pay and names'),
  reviewer: t('as analyst, and decisions'),
  technician: t('figures of named teams, without cost, margin, pay and names'),
  viewer: t('figures, without cost, margin, pay and names'),
  'client-portal': t('figures of named clients, without cost, margin, pay and names'),
};

export function limitsOf(of: { clients?: string[] | null | undefined; teams?: string[] | null | undefined }): string {
  const parts = [...(of.clients ?? []), ...(of.teams ?? [])];
  if (!of.clients && !of.teams) return t('all');
  return parts.join(', ') || t('nothing');
}

const lines = (text: string): string[] | undefined => {
  const found = text
    .split('\n')
    .map((x) => x.trim())
    .filter(Boolean);
  return found.length > 0 ? found : undefined;
};

/** A role and its limits, as text while they are edited. */
export interface Draft {
  role: string;
  clients: string;
  teams: string;
}

/** What is given. Who sees none keeps seeing none while role and list stay as they were: an empty field is not all. */
export function standingOf(d: Draft, was?: Standing): Standing {
  const kept = (list: string[] | null | undefined) => (was?.role === d.role && list?.length === 0 ? [] : undefined);
  const [clients, teams] = [lines(d.clients) ?? kept(was?.clients), lines(d.teams) ?? kept(was?.teams)];
  return { role: d.role, ...(clients ? { clients } : {}), ...(teams ? { teams } : {}) };
}

export function StandingFields({ draft, onChange, error }: { draft: Draft; onChange: (next: Draft) => void; error: unknown }) {
  const known = useQuery(roles()).data?.roles ?? [];
  const all = known.includes(draft.role) ? known : [draft.role, ...known];
  return (
    <>
      <Select
        label={t('Role')}
        value={draft.role}
        onChange={(role) => onChange({ ...draft, role })}
        options={all.map((r) => [r, WHAT[r] ? `${r}: ${WHAT[r]}` : r] as const)}
        fault={faultOf(error, 'role')}
      />
      <TextField
        label={t('Only these clients')}
        multiline
        value={draft.clients}
        onChange={(clients) => onChange({ ...draft, clients })}
        hint={draft.role === 'client-portal' ? t('One on each line; empty: none is seen') : t('One on each line; empty: all clients')}
      />
      <TextField
        label={t('Only these teams')}
        multiline
        value={draft.teams}
        onChange={(teams) => onChange({ ...draft, teams })}
        hint={draft.role === 'technician' ? t('One on each line; empty: none is seen') : t('One on each line; empty: all teams')}
      />
    </>
  );
}

export function Invite({ onClose }: { onClose: () => void }) {
  const [email, setEmail] = useState('');
  const [draft, setDraft] = useState<Draft>({ role: 'viewer', clients: '', teams: '' });
  const send = useMutation({ mutationFn: () => unwrap(api.POST('/api/v1/invitations', { body: { email, ...standingOf(draft) } })) });
  if (send.data) return <GivenLink path={send.data.path} email={email} onClose={onClose} />;
  return (
    <Dialog open onClose={onClose} title={t('Invite somebody')} subtitle={t('You get a link to send; MoatMetrics sends no mail')}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          send.mutate();
        }}
      >
        <TextField
          label={t('E-mail address')}
          type="email"
          autoComplete="off"
          value={email}
          onChange={setEmail}
          fault={faultOf(send.error, 'email')}
          autoFocus
        />
        <StandingFields draft={draft} onChange={setDraft} error={send.error} />
        <Refused error={send.error} />
        <div>
          <Button type="submit" kind="primary" isDisabled={send.isPending || !email}>
            {t('Make the invitation')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
