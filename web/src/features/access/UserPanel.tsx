import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { User } from '../../api/accounts';
import { api, messageOf, unwrap } from '../../api/client';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Drawer } from '../../ui/Dialog';
import { Checkbox } from '../../ui/Field';
import { toast } from '../../ui/toast';
import { Refused } from './Door';
import { GivenLink } from './GivenLink';
import { type Draft, StandingFields, standingOf } from './Standing';

/** What can be done with one user. */
export function UserPanel({ user: u, onClose }: { user: User; onClose: () => void }) {
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: ['users'] });
  const path = { params: { path: { id: u.id } } };
  const [draft, setDraft] = useState<Draft>({ role: u.role, clients: (u.clients ?? []).join('\n'), teams: (u.teams ?? []).join('\n') });
  const [forget, setForget] = useState(false);
  const said = (text: string) => ({
    onSuccess: () => {
      refresh();
      toast(text);
    },
    onError: (e: unknown) => toast(messageOf(e)),
  });
  const save = useMutation({
    mutationFn: () => unwrap(api.PUT('/api/v1/users/{id}', { ...path, body: standingOf(draft, u) })),
    onSuccess: () => {
      refresh();
      toast(t('The role is changed.'));
    },
  });
  const state = useMutation({
    mutationFn: (disabled: boolean) => unwrap(api.PUT('/api/v1/users/{id}/state', { ...path, body: { disabled } })),
    ...said(u.disabled ? t('{{name}} can sign in again.', { name: u.name }) : t('{{name}} cannot sign in any more.', { name: u.name })),
  });
  const end = useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/v1/users/{id}/sessions', path)),
    ...said(t('{{name}} is signed out everywhere.', { name: u.name })),
  });
  const remove = useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/v1/users/{id}', path)),
    ...said(t('{{name}} is taken out.', { name: u.name })),
  });
  const reset = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/users/{id}/reset', { ...path, body: { forget_factors: forget } })),
    onSuccess: refresh,
    onError: (e) => toast(messageOf(e)),
  });
  if (reset.data) return <GivenLink path={reset.data.path} email={u.email} onClose={() => reset.reset()} />;
  return (
    <Drawer open onClose={onClose} title={u.name} subtitle={u.email}>
      <div className="stack" style={{ gap: 24 }}>
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            save.mutate();
          }}
        >
          <StandingFields draft={draft} onChange={setDraft} error={save.error} />
          <Refused error={save.error} />
          <div>
            <Button type="submit" kind="primary" isDisabled={save.isPending}>
              {t('Save')}
            </Button>
          </div>
        </form>
        <div className="stack">
          <h3>{t('Signing in')}</h3>
          <Checkbox label={t('Forget authenticator app and passkeys too')} checked={forget} onChange={setForget} />
          <div className="row">
            <Button onPress={() => reset.mutate()} isDisabled={reset.isPending}>
              {t('Link for a new password')}
            </Button>
            <Button onPress={() => end.mutate()} isDisabled={end.isPending || u.sessions === 0}>
              {t('End {{count}} sessions', { count: u.sessions })}
            </Button>
          </div>
        </div>
        <div className="stack">
          <h3>{t('Ending')}</h3>
          <p className="muted small">{t('Both end sessions and API keys. What was done stays on the record.')}</p>
          <div className="row">
            <Button onPress={() => state.mutate(!u.disabled)} isDisabled={state.isPending}>
              {u.disabled ? t('Enable') : t('Disable')}
            </Button>
            <Button kind="danger" onPress={() => remove.mutate()} isDisabled={remove.isPending}>
              {t('Take out')}
            </Button>
          </div>
        </div>
      </div>
    </Drawer>
  );
}
