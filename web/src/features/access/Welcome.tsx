import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { session } from '../../api/accounts';
import { api, unwrap } from '../../api/client';
import { instant } from '../../lib/format';
import { t } from '../../lib/i18n';
import { Button, ButtonLink } from '../../ui/Button';
import { Skeleton } from '../../ui/States';
import { Door, Refused } from './Door';
import { type Person, PersonForm } from './PersonForm';
import { enter } from './SignIn';

/** What a link from an invitation, a reset or the command line opens. */
export function Welcome() {
  const [token] = useState(() => location.hash.slice(1));
  const who = useQuery(session()).data;
  const link = useQuery({
    queryKey: ['link', token],
    queryFn: () => unwrap(api.POST('/api/v1/access-links/look', { body: { token } })),
    retry: false,
  });
  const use = useMutation({
    mutationFn: (p: Person) => unwrap(api.POST('/api/v1/access-links/use', { body: { token, name: p.name, password: p.password } })),
    onSuccess: () => enter('/'),
  });
  const plain = { email: '', name: '', password: '' };

  if (link.isError)
    return (
      <Door title={t('This link does not work')}>
        <Refused error={link.error} />
        <div>
          <ButtonLink href="/">{t('Go to the start')}</ButtonLink>
        </div>
      </Door>
    );
  if (!link.data)
    return (
      <Door title={t('One moment')}>
        <Skeleton height={120} />
      </Door>
    );
  const { kind, email, role, known, expires_at: until } = link.data;
  if (kind === 'reset')
    return (
      <Door title={t('Set a new password')} lead={t('For {{email}}. Everywhere else you are signed out.', { email })}>
        <PersonForm email={email} named={false} action={t('Set it')} busy={use.isPending} error={use.error} onDone={use.mutate} />
      </Door>
    );
  if (kind === 'sign_in')
    return (
      <Door title={t('Sign in')} lead={t('As {{email}}, without a password, by the link from this machine. It works once.', { email })}>
        <Refused error={use.error} />
        <div>
          <Button kind="primary" isDisabled={use.isPending} onPress={() => use.mutate(plain)}>
            {t('Sign in')}
          </Button>
        </div>
      </Door>
    );
  if (known && who?.email !== email)
    return (
      <Door title={t('You have an account already')} lead={t('Sign in as {{email}}, then open this link again.', { email })}>
        <div>
          <ButtonLink href="/" kind="primary">
            {t('Sign in')}
          </ButtonLink>
        </div>
      </Door>
    );
  return (
    <Door
      title={t('Welcome to MoatMetrics')}
      lead={t('You are invited as {{role}}, {{email}}. The invitation works once, until {{until}}.', {
        role,
        email,
        until: instant(until),
      })}
    >
      {known ? (
        <>
          <Refused error={use.error} />
          <div>
            <Button kind="primary" isDisabled={use.isPending} onPress={() => use.mutate(plain)}>
              {t('Accept')}
            </Button>
          </div>
        </>
      ) : (
        <PersonForm email={email} action={t('Make my account')} busy={use.isPending} error={use.error} onDone={use.mutate} />
      )}
    </Door>
  );
}
