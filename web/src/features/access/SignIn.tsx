import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Fingerprint } from 'lucide-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { forgetFigures, knowsPasskeys, type Step, signInWithPasskey } from '../../api/accounts';
import { api, RequestError, unwrap } from '../../api/client';
import { Page } from '../../app/Page';
import { t } from '../../lib/i18n';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Field';
import { Empty } from '../../ui/States';
import css from './access.module.css';
import { Door, Refused } from './Door';

/** Loads the app anew, as whoever signed in: nothing of anybody before stays in memory. */
export async function enter(to?: string): Promise<void> {
  await forgetFigures();
  const link = /^#(\/s\/[a-z0-9]+)$/.exec(location.hash)?.[1];
  if (to) location.assign(to);
  else if (location.pathname === '/sign-in') location.assign(link ?? '/');
  else location.reload();
}

/** Address and password, or a passkey; then a code where one is asked for. */
export function SignIn() {
  const [challenge, setChallenge] = useState('');
  // The session ended by itself: what it showed is not left on this device.
  useEffect(() => {
    forgetFigures().catch(() => undefined);
  }, []);
  const done = useCallback((step: Step) => {
    if (step.signed_in) enter();
    else setChallenge(step.challenge ?? '');
  }, []);
  if (challenge) return <CodeStep challenge={challenge} onDone={done} onBack={() => setChallenge('')} />;
  return <FirstStep onDone={done} />;
}

function FirstStep({ onDone }: { onDone: (step: Step) => void }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const waiting = useRef<AbortController>(undefined);
  const enterWith = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/session', { body: { email, password } })),
    onSuccess: onDone,
    onError: () => setPassword(''),
  });
  const passkey = useMutation({
    mutationFn: () => {
      waiting.current?.abort();
      waiting.current = new AbortController();
      return signInWithPasskey({ signal: waiting.current.signal });
    },
    onSuccess: onDone,
  });

  // The browser offers passkeys among what it can fill in.
  useEffect(() => {
    const ended = new AbortController();
    waiting.current = ended;
    (async () => {
      if (!knowsPasskeys() || !(await PublicKeyCredential.isConditionalMediationAvailable?.()) || ended.signal.aborted) return;
      const step = await signInWithPasskey({ signal: ended.signal, quietly: true });
      if (!ended.signal.aborted) onDone(step);
    })().catch(() => undefined); // nobody chose one
    return () => ended.abort();
  }, [onDone]);

  return (
    <Door title={t('Sign in')}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          enterWith.mutate();
        }}
      >
        <TextField
          label={t('E-mail address')}
          type="email"
          name="email"
          autoComplete="username webauthn"
          value={email}
          onChange={setEmail}
          autoFocus
        />
        <TextField
          label={t('Password')}
          type="password"
          name="password"
          autoComplete="current-password"
          value={password}
          onChange={setPassword}
        />
        <Refused error={enterWith.error} />
        <div className={css.wide}>
          <Button type="submit" kind="primary" isDisabled={enterWith.isPending || !email || !password}>
            {t('Sign in')}
          </Button>
        </div>
      </form>
      {knowsPasskeys() ? (
        <>
          <p className={css.or}>{t('or')}</p>
          <div className={css.wide}>
            <Button onPress={() => passkey.mutate()} isDisabled={passkey.isPending}>
              <Fingerprint size={18} aria-hidden="true" /> {t('Use a passkey')}
            </Button>
          </div>
          {passkey.isError ? (
            <p className={css.fault} role="alert">
              {passkey.error instanceof RequestError
                ? passkey.error.problem.detail
                : t('No passkey was used. Try again, or sign in with your password.')}
            </p>
          ) : null}
        </>
      ) : null}
      <p className="muted small">{t('Forgot it? An administrator can give you a link to set a new password.')}</p>
    </Door>
  );
}

function CodeStep({ challenge, onDone, onBack }: { challenge: string; onDone: (step: Step) => void; onBack: () => void }) {
  const [recovery, setRecovery] = useState(false);
  const [code, setCode] = useState('');
  const send = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/session/code', { body: { challenge, code } })),
    onSuccess: onDone,
    onError: () => setCode(''),
  });
  return (
    <Door
      title={recovery ? t('Recovery code') : t('Code')}
      lead={
        recovery
          ? t('One of the codes that you kept when you set up the authenticator app. Each works once.')
          : t('The six figures that your authenticator app shows now.')
      }
    >
      <form
        onSubmit={(e) => {
          e.preventDefault();
          send.mutate();
        }}
      >
        {recovery ? (
          <TextField key="recovery" label={t('Recovery code')} value={code} onChange={setCode} autoComplete="off" autoFocus />
        ) : (
          <TextField
            key="code"
            label={t('Code')}
            value={code}
            onChange={setCode}
            autoComplete="one-time-code"
            inputMode="numeric"
            autoFocus
          />
        )}
        <Refused error={send.error} />
        <div className={css.wide}>
          <Button type="submit" kind="primary" isDisabled={send.isPending || !code}>
            {t('Sign in')}
          </Button>
        </div>
      </form>
      <div className="spread">
        <Button kind="quiet" onPress={onBack}>
          {t('Back')}
        </Button>
        <Button
          kind="quiet"
          onPress={() => {
            setRecovery(!recovery);
            setCode('');
            send.reset();
          }}
        >
          {recovery ? t('Use the app') : t('Use a recovery code')}
        </Button>
      </div>
    </Door>
  );
}

/** The address of signing in, for those who are. */
export function SignedInAlready() {
  return (
    <Page title={t('You are signed in')}>
      <Empty title={t('Nothing to do here')} action={<Link to="/">{t('Go to the overview')}</Link>} />
    </Page>
  );
}
