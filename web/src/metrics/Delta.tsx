import { change as formatChange, tileChange, type Unit } from '../lib/format';
import { t } from '../lib/i18n';
import css from './metrics.module.css';

/** Whether a change is good news: by the measure's own good direction, never by its sign alone. */
export function tone(change: string | null | undefined, direction: string): 'good' | 'bad' | undefined {
  const n = Number(change ?? 0);
  if (n === 0 || direction === 'two_sided') return undefined;
  return n > 0 === (direction === 'up_good') ? 'good' : 'bad';
}

/** A change with sign, arrow and, when it is good or bad news, its color. */
export function Delta({
  change,
  unit,
  direction,
  versus,
  short,
}: {
  change: string | null | undefined;
  unit: Unit;
  direction: string;
  versus?: string | undefined;
  short?: boolean;
}) {
  if (change === null || change === undefined) return <span className={css.delta}>{versus ? t('no comparison') : ''}</span>;
  const n = Number(change);
  const text = short ? tileChange(change, unit) : formatChange(change, unit);
  if (!/[1-9]/.test(text)) return <span className={css.delta}>{t('unchanged')}</span>;
  const arrow = n > 0 ? '▲' : '▼';
  return (
    <span className={css.delta} data-tone={tone(change, direction)}>
      <span aria-hidden="true">{arrow} </span>
      {text}
      {versus ? ` ${versus}` : ''}
    </span>
  );
}
