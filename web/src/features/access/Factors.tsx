import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { knowsPasskeys, makePasskey, type ProfileOf } from '../../api/accounts';
import { api, faultOf, messageOf, RequestError, type Schemas, unwrap } from '../../api/client';
import { instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { Badge, Card } from '../../ui/Card';
import { Dialog } from '../../ui/Dialog';
import { TextField } from '../../ui/Field';
import { toast } from '../../ui/toast';
import css from './access.module.css';
import { useConfirmed } from './Confirm';
import { Refused } from './Door';

/** The ways to sign in beside the password. */
export function Factors({ p }: { p: ProfileOf }) {
  const confirm = useConfirmed(p.confirmed);
  return (
    <>
      <Passkeys p={p} after={confirm.after} />
      <App p={p} after={confirm.after} />
      {confirm.dialog}
    </>
  );
}

type After = (run: () => void) => void;

function useOwn() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ['own'] });
}

function Passkeys({ p, after }: { p: ProfileOf; after: After }) {
  const refresh = useOwn();
  const [naming, setNaming] = useState(false);
  const drop = useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/profile/passkeys/{id}', { params: { path: { id } } })),
    onSettled: refresh,
    onError: (e) => toast(messageOf(e)),
  });
  const keys = p.passkeys ?? [];
  return (
    <Card
      title={t('Passkeys')}
      subtitle={t('By finger, face or PIN of a device')}
      actions={knowsPasskeys() ? <Button onPress={() => after(() => setNaming(true))}>{t('Add a passkey')}</Button> : undefined}
    >
      {keys.length === 0 ? (
        <p className="muted">
          {knowsPasskeys()
            ? t('None yet. A passkey cannot be guessed, and no other site can ask for it.')
            : t('This browser knows no passkeys, or this page is not opened by https or as localhost.')}
        </p>
      ) : (
        <ul className={css.list}>
          {keys.map((k) => (
            <li key={k.id}>
              <span>
                {k.name}
                <br />
                <span className="muted small">
                  {t('for {{host}} · made {{at}} · {{used}}', {
                    host: k.host,
                    at: instant(k.created_at),
                    used: k.used_at ? t('used {{at}}', { at: instant(k.used_at) }) : t('not used yet'),
                  })}
                </span>
              </span>
              <Button kind="quiet" aria-label={t('Remove {{name}}', { name: k.name })} onPress={() => after(() => drop.mutate(k.id))}>
                {t('Remove')}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {naming ? <NewPasskey onClose={() => setNaming(false)} /> : null}
    </Card>
  );
}

function NewPasskey({ onClose }: { onClose: () => void }) {
  const refresh = useOwn();
  const [name, setName] = useState(t('My device'));
  const make = useMutation({
    mutationFn: () => makePasskey(name),
    onSuccess: () => {
      refresh();
      onClose();
      toast(t('The passkey is kept. You can sign in with it from now on.'));
    },
  });
  return (
    <Dialog open onClose={onClose} title={t('Add a passkey')} subtitle={t('Your device asks you to confirm')}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          make.mutate();
        }}
      >
        <TextField
          label={t('Name')}
          value={name}
          onChange={setName}
          hint={t('So that you know it among others')}
          fault={faultOf(make.error, 'name')}
          autoFocus
        />
        {make.isError && !(make.error instanceof RequestError) ? (
          <p className={css.fault} role="alert">
            {t('The device made no passkey. Try again, or use another device.')}
          </p>
        ) : (
          <Refused error={make.error} />
        )}
        <div>
          <Button type="submit" kind="primary" isDisabled={make.isPending || !name}>
            {t('Make it')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function App({ p, after }: { p: ProfileOf; after: After }) {
  const refresh = useOwn();
  const [enrolling, setEnrolling] = useState(false);
  const [codes, setCodes] = useState<string[]>([]);
  const drop = useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/v1/profile/totp')),
    onSettled: refresh,
    onError: (e) => toast(messageOf(e)),
  });
  const renew = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/profile/recovery-codes')),
    onSuccess: (made) => {
      setCodes(made.codes ?? []);
      refresh();
    },
    onError: (e) => toast(messageOf(e)),
  });
  return (
    <Card
      title={t('Authenticator app')}
      subtitle={t('A code after the password, from an app on your phone')}
      actions={p.totp ? <Badge tone="good">{t('on')}</Badge> : undefined}
    >
      {p.totp ? (
        <div className="stack">
          <p className="muted">{t('{{count}} recovery codes are left, for when the phone is lost.', { count: p.recovery_codes })}</p>
          <div className="row">
            <Button onPress={() => after(() => renew.mutate())} isDisabled={renew.isPending}>
              {t('New recovery codes')}
            </Button>
            <Button kind="quiet" onPress={() => after(() => drop.mutate())} isDisabled={drop.isPending}>
              {t('Turn it off')}
            </Button>
          </div>
        </div>
      ) : (
        <div className="stack">
          <p className="muted">{t('Whoever learns your password still needs your phone.')}</p>
          <div>
            <Button onPress={() => after(() => setEnrolling(true))}>{t('Set it up')}</Button>
          </div>
        </div>
      )}
      {enrolling ? (
        <Enroll
          onClose={() => setEnrolling(false)}
          onDone={(made) => {
            setEnrolling(false);
            setCodes(made);
            refresh();
          }}
        />
      ) : null}
      {codes.length > 0 ? <Codes codes={codes} onClose={() => setCodes([])} /> : null}
    </Card>
  );
}

function Enroll({ onClose, onDone }: { onClose: () => void; onDone: (codes: string[]) => void }) {
  const [begun, setBegun] = useState<Schemas['EnrollmentAnswer']>();
  const [code, setCode] = useState('');
  const begin = useMutation({ mutationFn: () => unwrap(api.POST('/api/v1/profile/totp/begin')), onSuccess: setBegun });
  const send = useMutation({
    mutationFn: (challenge: string) => unwrap(api.POST('/api/v1/profile/totp', { body: { challenge, code } })),
    onSuccess: (made) => onDone(made.codes ?? []),
  });
  return (
    <Dialog open onClose={onClose} title={t('Set up an authenticator app')} subtitle={t('Any app for one-time codes does')}>
      {begun ? (
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            send.mutate(begun.challenge);
          }}
        >
          <img className={css.picture} src={begun.picture} alt={t('Picture to scan with the app')} />
          <p className="small">
            {t('Or type in this key:')} <code>{begun.key.replace(/(.{4})/g, '$1 ')}</code>
          </p>
          <TextField
            label={t('Code that the app shows now')}
            value={code}
            onChange={setCode}
            autoComplete="one-time-code"
            inputMode="numeric"
            fault={faultOf(send.error, 'code')}
          />
          <Refused error={send.error} />
          <div>
            <Button type="submit" kind="primary" isDisabled={send.isPending || !code}>
              {t('Turn it on')}
            </Button>
          </div>
        </form>
      ) : (
        <div className="stack">
          <p className="muted">{t('You scan a picture with the app, and type in the code that it shows.')}</p>
          <Refused error={begin.error} />
          <div>
            <Button kind="primary" onPress={() => begin.mutate()} isDisabled={begin.isPending}>
              {t('Show the picture')}
            </Button>
          </div>
        </div>
      )}
    </Dialog>
  );
}

function Codes({ codes, onClose }: { codes: string[]; onClose: () => void }) {
  return (
    <Dialog open onClose={onClose} title={t('Recovery codes')} subtitle={t('Shown this once. Each signs you in once, without the phone.')}>
      <div className="stack">
        <ul className={css.codes}>
          {codes.map((c) => (
            <li key={c}>
              <code>{c}</code>
            </li>
          ))}
        </ul>
        <div className="row">
          <Button onPress={() => navigator.clipboard.writeText(codes.join('\n')).then(() => toast(t('The codes are copied.')))}>
            {t('Copy')}
          </Button>
          <Button kind="primary" onPress={onClose}>
            {t('I have kept them')}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
