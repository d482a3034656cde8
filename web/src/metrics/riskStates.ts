import type { RiskComponent } from '../api/queries';
import { t } from '../lib/i18n';

type State = RiskComponent['state'];

export const STATES: Record<State, { label: string; tone?: 'good' | 'bad' | 'warn' }> = {
  act: { label: t('act'), tone: 'bad' },
  watch: { label: t('watch'), tone: 'warn' },
  unknown: { label: t('not known') },
  ok: { label: t('fine'), tone: 'good' },
};

/** The place of a state, the worst first. */
export const placeOf = (state: State) => ['act', 'watch', 'unknown', 'ok'].indexOf(state);
