import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { devices, forgetFigures, type ProfileOf, profile, session } from '../../api/accounts';
import { api, faultOf, messageOf, unwrap } from '../../api/client';
import { Page } from '../../app/Page';
import { instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { columns } from '../../metrics/grid';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { Select, TextField } from '../../ui/Field';
import { Loaded } from '../../ui/States';
import { toast } from '../../ui/toast';
import css from './access.module.css';
import { Refused } from './Door';
import { Factors } from './Factors';
import { OwnKeys } from './Keys';
import { PushMessages } from './Push';

/** One's own account: name, ways to sign in, devices and keys. */
export function Profile() {
  const found = useQuery(profile());
  const out = useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/v1/session')),
    onSuccess: async () => {
      await forgetFigures();
      location.assign('/');
    },
    onError: (e) => toast(messageOf(e)),
  });
  return (
    <Page
      title={t('Profile')}
      lead={found.data ? t('{{email}}, {{role}}', { email: found.data.email, role: found.data.role }) : undefined}
      actions={
        <Button onPress={() => out.mutate()} isDisabled={out.isPending}>
          {t('Sign out')}
        </Button>
      }
    >
      <Loaded query={found} height={320}>
        {(p) => (
          <div className="stack" style={columns(420)}>
            <div className="stack" style={{ alignContent: 'start' }}>
              <You p={p} />
              <Password p={p} />
              <Devices />
            </div>
            <div className="stack" style={{ alignContent: 'start' }}>
              <Factors p={p} />
              <PushMessages />
              <OwnKeys confirmed={p.confirmed} />
            </div>
          </div>
        )}
      </Loaded>
    </Page>
  );
}

function You({ p }: { p: ProfileOf }) {
  const client = useQueryClient();
  const [name, setName] = useState(p.name);
  const save = useMutation({
    mutationFn: () => unwrap(api.PUT('/api/v1/profile/name', { body: { name } })),
    onSuccess: () => {
      client.invalidateQueries({ queryKey: profile().queryKey });
      client.invalidateQueries({ queryKey: session().queryKey });
      toast(t('The name is saved.'));
    },
  });
  const change = useMutation({
    mutationFn: (tenant: string) => unwrap(api.PUT('/api/v1/session/tenant', { body: { tenant } })),
    onSuccess: async () => {
      await forgetFigures();
      location.assign('/');
    },
    onError: (e) => toast(messageOf(e)),
  });
  return (
    <Card title={t('You')}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          save.mutate();
        }}
      >
        <TextField label={t('Name')} autoComplete="name" value={name} onChange={setName} fault={faultOf(save.error, 'name')} />
        <Refused error={save.error} />
        <div>
          <Button type="submit" isDisabled={save.isPending || name === p.name}>
            {t('Save')}
          </Button>
        </div>
        {(p.tenants ?? []).length > 1 ? (
          <Select
            label={t('Tenant shown')}
            value={p.tenant}
            onChange={(to) => change.mutate(to)}
            options={(p.tenants ?? []).map((x) => [x, x] as const)}
          />
        ) : null}
      </form>
    </Card>
  );
}

function Password({ p }: { p: ProfileOf }) {
  const client = useQueryClient();
  const [old, setOld] = useState('');
  const [next, setNext] = useState('');
  const save = useMutation({
    mutationFn: () => unwrap(api.PUT('/api/v1/profile/password', { body: { ...(p.password ? { old } : {}), new: next } })),
    onSuccess: () => {
      setOld('');
      setNext('');
      client.invalidateQueries({ queryKey: ['own'] });
      toast(t('The password is changed. Other devices are signed out.'));
    },
  });
  return (
    <Card title={t('Password')} subtitle={p.password_at ? t('Set {{at}}', { at: instant(p.password_at) }) : undefined}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          save.mutate();
        }}
      >
        <input type="hidden" name="email" autoComplete="username" value={p.email} />
        {p.password ? (
          <TextField
            label={t('Password now')}
            type="password"
            autoComplete="current-password"
            value={old}
            onChange={setOld}
            fault={faultOf(save.error, 'password')}
          />
        ) : null}
        <TextField
          label={t('New password')}
          type="password"
          autoComplete="new-password"
          value={next}
          onChange={setNext}
          hint={t('At least 12 characters: three or four words make a good one.')}
          fault={faultOf(save.error, 'new')}
        />
        <Refused error={save.error} />
        <div>
          <Button type="submit" isDisabled={save.isPending || !next || (p.password && !old)}>
            {t('Change it')}
          </Button>
        </div>
      </form>
    </Card>
  );
}

function Devices() {
  const client = useQueryClient();
  const list = useQuery(devices());
  const refresh = () => client.invalidateQueries({ queryKey: devices().queryKey });
  const end = useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/profile/sessions/{id}', { params: { path: { id } } })),
    onSettled: refresh,
    onError: (e) => toast(messageOf(e)),
  });
  const others = useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/v1/profile/sessions')),
    onSettled: refresh,
    onError: (e) => toast(messageOf(e)),
  });
  return (
    <Card
      title={t('Where are you signed in?')}
      subtitle={t('Sessions end after 8 hours without use, and after 7 days')}
      actions={
        (list.data ?? []).length > 1 ? (
          <Button kind="quiet" onPress={() => others.mutate()} isDisabled={others.isPending}>
            {t('Sign out all others')}
          </Button>
        ) : undefined
      }
    >
      <Loaded query={list} height={80}>
        {(all) => (
          <ul className={css.list}>
            {all.map((d) => (
              <li key={d.id}>
                <span>
                  {d.device} {d.current ? <Badge tone="accent">{t('this one')}</Badge> : null}
                  <br />
                  <span className="muted small">
                    {t('{{address}} · used {{seen}} · signed in {{at}}', {
                      address: d.address,
                      seen: instant(d.seen_at),
                      at: instant(d.created_at),
                    })}
                  </span>
                </span>
                {d.current ? null : (
                  <Button
                    kind="quiet"
                    onPress={() => end.mutate(d.id)}
                    isDisabled={end.isPending}
                    aria-label={t('Sign out {{device}}', { device: d.device })}
                  >
                    {t('Sign out')}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Card>
  );
}
