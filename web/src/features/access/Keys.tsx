import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { type ApiKey, allKeys, ownKeys, roles, session, type User } from '../../api/accounts';
import { api, faultOf, messageOf, unwrap } from '../../api/client';
import { instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { Dialog } from '../../ui/Dialog';
import { Checkbox, Select, TextField } from '../../ui/Field';
import { Loaded, Notice } from '../../ui/States';
import { toast } from '../../ui/toast';
import css from './access.module.css';
import { useConfirmed } from './Confirm';
import { Refused } from './Door';

/** One's own API keys. */
export function OwnKeys({ confirmed }: { confirmed: boolean }) {
  const client = useQueryClient();
  const list = useQuery(ownKeys());
  const confirm = useConfirmed(confirmed);
  const [making, setMaking] = useState(false);
  const end = useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/profile/keys/{id}', { params: { path: { id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: ownKeys().queryKey }),
    onError: (e) => toast(messageOf(e)),
  });
  return (
    <Card
      title={t('API keys')}
      subtitle={t('For programs that use the API in your name')}
      actions={<Button onPress={() => confirm.after(() => setMaking(true))}>{t('New key')}</Button>}
    >
      <Loaded query={list} height={40} isEmpty={(all) => all.length === 0} empty={<p className="muted">{t('None yet.')}</p>}>
        {(all) => <KeyList all={all} onEnd={(k) => end.mutate(k.id)} />}
      </Loaded>
      {making ? <NewKey onClose={() => setMaking(false)} /> : null}
      {confirm.dialog}
    </Card>
  );
}

/** Everybody's API keys. */
export function AllKeys({ people }: { people: User[] }) {
  const client = useQueryClient();
  const list = useQuery(allKeys());
  const end = useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/keys/{id}', { params: { path: { id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: ['users'] }),
    onError: (e) => toast(messageOf(e)),
  });
  return (
    <Card
      title={t('Which programs have keys?')}
      subtitle={t('Everybody makes their own on the profile; a key never may more than its owner')}
    >
      <Loaded query={list} height={40} isEmpty={(all) => all.length === 0} empty={<p className="muted">{t('None yet.')}</p>}>
        {(all) => <KeyList all={all} owner={(k) => people.find((u) => u.id === k.account)?.name ?? ''} onEnd={(k) => end.mutate(k.id)} />}
      </Loaded>
    </Card>
  );
}

function KeyList({ all, owner, onEnd }: { all: ApiKey[]; owner?: (k: ApiKey) => string; onEnd: (k: ApiKey) => void }) {
  return (
    <ul className={css.list}>
      {all.map((k) => (
        <li key={k.id}>
          <span>
            {k.name} <code>{k.shown}</code> {k.expired ? <Badge tone="warn">{t('over')}</Badge> : null}
            <br />
            <span className="muted small">
              {[
                owner?.(k),
                (k.actions ?? []).join(', '),
                t('until {{at}}', { at: instant(k.expires_at) }),
                k.used_at ? t('used {{at}} from {{address}}', { at: instant(k.used_at), address: k.used_from }) : t('not used yet'),
              ]
                .filter(Boolean)
                .join(' · ')}
            </span>
          </span>
          <Button kind="quiet" aria-label={t('End {{name}}', { name: k.name })} onPress={() => onEnd(k)}>
            {t('End')}
          </Button>
        </li>
      ))}
    </ul>
  );
}

function NewKey({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const known = useQuery(roles()).data;
  const who = useQuery(session()).data;
  const [name, setName] = useState('');
  const [days, setDays] = useState('90');
  const [actions, setActions] = useState(['figures.read']);
  const make = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/profile/keys', { body: { name, actions, days: Number(days) } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ownKeys().queryKey }),
  });
  if (make.data)
    return (
      <Dialog open onClose={onClose} title={t('The key')} subtitle={t('Shown this once: copy it now')}>
        <div className="stack">
          <code className={css.once}>{make.data.key}</code>
          <p className="muted small">{t('A program sends it as "Authorization: Bearer" with every request.')}</p>
          <div className="row">
            <Button onPress={() => navigator.clipboard.writeText(make.data.key).then(() => toast(t('The key is copied.')))}>
              {t('Copy')}
            </Button>
            <Button kind="primary" onPress={onClose}>
              {t('I have kept it')}
            </Button>
          </div>
        </div>
      </Dialog>
    );
  const mine = (known?.actions ?? []).filter((a) => (who?.actions ?? []).includes(a.action));
  return (
    <Dialog open onClose={onClose} title={t('New API key')} subtitle={t('It may what you choose, and never more than you')}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          make.mutate();
        }}
      >
        <TextField
          label={t('What uses it?')}
          value={name}
          onChange={setName}
          placeholder={t('Monthly report')}
          fault={faultOf(make.error, 'name')}
          autoFocus
        />
        <Select
          label={t('Works for')}
          value={days}
          onChange={setDays}
          options={[
            ['30', t('30 days')],
            ['90', t('90 days')],
            ['365', t('a year')],
          ]}
        />
        <fieldset style={{ border: 0, margin: 0, padding: 0 }}>
          <legend className="muted small">{t('It may')}</legend>
          {mine.map((a) => (
            <Checkbox
              key={a.action}
              label={a.label}
              checked={actions.includes(a.action)}
              onChange={(on) => setActions(on ? [...actions, a.action] : actions.filter((x) => x !== a.action))}
            />
          ))}
        </fieldset>
        {faultOf(make.error, 'actions') ? <Notice tone="bad">{faultOf(make.error, 'actions')}</Notice> : null}
        <Refused error={make.error} />
        <div>
          <Button type="submit" kind="primary" isDisabled={make.isPending || !name || actions.length === 0}>
            {t('Make it')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
