import { t } from '../lib/i18n';
import { ExportButton } from '../metrics/ExportMenu';
import { FilterBar } from '../metrics/FilterBar';
import { TimeBar } from '../metrics/TimeBar';

/** The period of all pages that show figures, and the filter of those that it changes. */
export function TopBar({ filter }: { filter: boolean }) {
  return (
    <>
      <TimeBar />
      {filter ? <FilterBar /> : null}
      <ExportButton label={t('Make a report')} report />
    </>
  );
}
