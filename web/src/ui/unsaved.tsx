import { useBlocker } from '@tanstack/react-router';
import { type ReactNode, useCallback } from 'react';
import { t } from '../lib/i18n';
import type { Search } from '../lib/state';
import { Button } from './Button';
import { Dialog } from './Dialog';

/** A place of the app, as far as it decides whether a form stays. */
export interface Place {
  pathname: string;
  search: Record<string, unknown>;
}

/** Whether the way from one place to another leads out of a form that stands on these parts of the address. */
export function leaves(from: Place, to: Place, parts: readonly string[]): boolean {
  return from.pathname !== to.pathname || parts.some((p) => JSON.stringify(from.search[p]) !== JSON.stringify(to.search[p]));
}

/**
 * Keeps what a form holds from being lost: while something is not saved, a way out of the page
 * (a link, back, Esc) asks first, and closing the tab lets the browser ask. Parts are those of
 * the address that the form is shown for; when another part changes it stays. Navigation with
 * ignoreBlocker asks nothing: after saving, or by a button that says it gives up.
 * The answer is the question, to be put on the page.
 */
export function useUnsaved(unsaved: boolean, ...parts: (keyof Search)[]): ReactNode {
  const key = parts.join(' ');
  const asks = useCallback(({ current, next }: { current: Place; next: Place }) => leaves(current, next, key.split(' ')), [key]);
  const way = useBlocker({ shouldBlockFn: asks as never, enableBeforeUnload: true, disabled: !unsaved, withResolver: true });
  if (way.status !== 'blocked') return null;
  return (
    <Dialog open onClose={way.reset} title={t('Leave without saving?')}>
      <p>{t('What you changed here is not saved and would be lost.')}</p>
      <div className="row">
        <Button kind="primary" autoFocus onPress={way.reset}>
          {t('Stay')}
        </Button>
        <Button kind="danger" onPress={way.proceed}>
          {t('Leave')}
        </Button>
      </div>
    </Dialog>
  );
}
