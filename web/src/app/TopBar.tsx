import { FilterBar } from '../metrics/FilterBar';
import { TimeBar } from '../metrics/TimeBar';

/** The period and the filter of all pages that show figures. */
export function TopBar() {
  return (
    <>
      <TimeBar />
      <FilterBar />
    </>
  );
}
