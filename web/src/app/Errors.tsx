import { Link } from '@tanstack/react-router';
import { t } from '../lib/i18n';
import { Button } from '../ui/Button';
import { Empty, Failure } from '../ui/States';
import { Page } from './Page';

export function NotFound() {
  return (
    <Page title={t('There is no such page')}>
      <Empty title={t('This address leads nowhere')} action={<Link to="/">{t('Go to the overview')}</Link>}>
        {t('It may be mistyped, or from another version. Ctrl K finds every page, client and measure.')}
      </Empty>
    </Page>
  );
}

/** A defect on one page leaves the rest of the app usable. */
export function RouteError({ error, reset }: { error: unknown; reset: () => void }) {
  const stale = error instanceof Error && /dynamically imported module|Failed to fetch/i.test(error.message);
  return (
    <Page title={t('This page failed')}>
      {stale ? (
        <Empty title={t('MoatMetrics was updated')} action={<Button onPress={() => location.reload()}>{t('Load the new version')}</Button>}>
          {t('This page belongs to the version before.')}
        </Empty>
      ) : (
        <Failure error={error} onRetry={reset} />
      )}
    </Page>
  );
}
