import type { UseQueryResult } from '@tanstack/react-query';
import { CircleAlert, Clock, Lock, RotateCcw } from 'lucide-react';
import type { ReactNode } from 'react';
import { messageOf, RequestError } from '../api/client';
import { t } from '../lib/i18n';
import { Button } from './Button';
import css from './ui.module.css';

/** Room for what is still loading, of the height that it will have. */
export function Skeleton({ height = 16, width = '100%' }: { height?: number; width?: number | string }) {
  return <span className={css.skeleton} style={{ height, width }} aria-hidden="true" />;
}

export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className={css.state}>
      <h3>{title}</h3>
      {children ? <p>{children}</p> : null}
      {action}
    </div>
  );
}

/** Says what is missing and who has it, in place of what may not be seen or done. */
export function Refused({ action, who, why }: { action: string; who?: string[] | undefined; why?: string | undefined }) {
  return (
    <div className={css.state} role="alert">
      <Lock size={20} aria-hidden="true" />
      <h3>{t('Your role does not allow this')}</h3>
      <p>{why ?? t('It needs: {{action}}.', { action })}</p>
      <p>
        {who?.length
          ? t('These roles have it: {{roles}}. Ask somebody who manages accounts here.', { roles: who.join(', ') })
          : t('Ask somebody who manages accounts here.')}
      </p>
    </div>
  );
}

/** Stands for a figure that whoever looks may not see: its card is left out with it. */
export const Unseen = () => <span data-unseen hidden />;

export function Failure({ error, onRetry }: { error: unknown; onRetry?: (() => void) | undefined }) {
  const problem = error instanceof RequestError ? error.problem : undefined;
  if (problem?.code === 'forbidden') {
    const missing = problem.errors?.find((e) => e.path === 'action');
    return <Refused action={missing?.message ?? ''} who={missing?.allowed} {...(missing ? {} : { why: problem.detail })} />;
  }
  return (
    <div className={css.state} role="alert">
      <CircleAlert size={20} aria-hidden="true" />
      <h3>{t('This could not be loaded')}</h3>
      <p>{messageOf(error)}</p>
      {onRetry && worthAnother(error) ? (
        <Button onPress={onRetry}>
          <RotateCcw size={16} aria-hidden="true" /> {t('Try again')}
        </Button>
      ) : null}
    </div>
  );
}

/** Whether asking the same again can help: not when the question itself is wrong. */
function worthAnother(error: unknown): boolean {
  const status = error instanceof RequestError ? error.problem.status : 0;
  return status < 400 || status >= 500 || status === 408 || status === 429;
}

/** Says that what stands here is older than it should be. */
export function Stale({ children }: { children: ReactNode }) {
  return (
    <span className={css.stale}>
      <Clock size={14} aria-hidden="true" />
      {children}
    </span>
  );
}

export function Notice({ tone, children }: { tone?: 'warn' | 'bad'; children: ReactNode }) {
  return (
    <div className={css.notice} data-tone={tone} role={tone ? 'alert' : 'status'}>
      {children}
    </div>
  );
}

/**
 * What a query shows in each of its states: room while it loads, what failed and how to try
 * again, nothing found, the data. Old data stays while new data loads; if that fails, it
 * says so and stays.
 */
export function Loaded<T>({
  query,
  height = 160,
  empty,
  isEmpty,
  children,
}: {
  query: UseQueryResult<T>;
  height?: number;
  empty?: ReactNode;
  isEmpty?: (data: T) => boolean;
  children: (data: T) => ReactNode;
}) {
  if (query.data === undefined) {
    if (query.isError) return <Failure error={query.error} onRetry={() => query.refetch()} />;
    return (
      <div role="status" aria-label={t('Loading')}>
        <Skeleton height={height} />
      </div>
    );
  }
  return (
    <>
      {query.isError ? (
        <Notice tone="warn">
          <Stale>{t('Older figures: {{reason}}', { reason: messageOf(query.error) })}</Stale>
          <Button kind="quiet" onPress={() => query.refetch()}>
            {t('Try again')}
          </Button>
        </Notice>
      ) : null}
      {isEmpty?.(query.data) && empty ? empty : children(query.data)}
    </>
  );
}

export function Progress({ value, label }: { value: number; label: string }) {
  return (
    <div
      className={css.progress}
      role="progressbar"
      aria-label={label}
      aria-valuenow={Math.round(value * 100)}
      aria-valuemin={0}
      aria-valuemax={100}
    >
      <span style={{ width: `${Math.round(value * 100)}%` }} />
    </div>
  );
}
