import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useLocation } from '@tanstack/react-router';
import { lazy, Suspense, useEffect } from 'react';
import { session } from '../api/accounts';
import { t } from '../lib/i18n';
import { listen } from './live';
import { Shell } from './Shell';

const SignIn = lazy(() => import('../features/access/SignIn').then((m) => ({ default: m.SignIn })));
const Welcome = lazy(() => import('../features/access/Welcome').then((m) => ({ default: m.Welcome })));

/**
 * Lets in who is signed in; before there are accounts, everybody on this machine. Without
 * an answer the figures kept on this device are shown, as far as there are any.
 */
export function Gate() {
  const path = useLocation({ select: (l) => l.pathname });
  const who = useQuery(session());
  const boot = <p className="boot">{t('Loading…')}</p>;
  if (who.isPending) return boot;
  if (path === '/welcome')
    return (
      <Suspense fallback={boot}>
        <Welcome />
      </Suspense>
    );
  if (who.data && !who.data.signed_in)
    return (
      <Suspense fallback={boot}>
        <SignIn />
      </Suspense>
    );
  return <Inside />;
}

function Inside() {
  const client = useQueryClient();
  useEffect(() => listen(client), [client]);
  return <Shell />;
}
