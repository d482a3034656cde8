import type { Lever, LeverKind } from '../../api/queries';
import { shifted } from '../../lib/decimal';
import type { Condition } from '../../lib/filters';
import { dimensionValue } from '../../lib/format';
import { t } from '../../lib/i18n';
import type { LeverState } from '../../lib/state';

/** The lever without parts that are not set, as the API takes it. */
export function plain(l: LeverState): Lever {
  const select = Object.fromEntries(Object.entries(l.select ?? {}).filter(([, values]) => values.length > 0));
  return {
    kind: l.kind,
    ...(l.percent !== undefined ? { percent: l.percent } : {}),
    ...(l.amount !== undefined ? { amount: l.amount } : {}),
    ...(l.rate !== undefined ? { rate: l.rate } : {}),
    ...(Object.keys(select).length > 0 ? { select } : {}),
  };
}

/** A saved lever as the address holds it. */
export function stateOf(l: Lever): LeverState {
  return {
    kind: l.kind,
    ...(l.percent ? { percent: l.percent } : {}),
    ...(l.amount ? { amount: l.amount } : {}),
    ...(l.rate ? { rate: l.rate } : {}),
    ...(l.select ? { select: Object.fromEntries(Object.entries(l.select).map(([d, v]) => [d, v ?? []])) } : {}),
  };
}

/** Whether a lever says enough to be computed. */
export function complete(l: LeverState, kind: LeverKind | undefined): boolean {
  const selects = Object.values(l.select ?? {}).some((v) => v.length > 0);
  if (l.kind === 'churn' || l.kind === 'fee' || l.kind === 'seats') {
    if (!selects) return false;
  }
  return l.kind === 'churn' || ((l.percent ?? l.amount ?? '') !== '' && kind !== undefined);
}

export const conditionsOf = (l: LeverState): Condition[] =>
  Object.entries(l.select ?? {}).map(([dimension, values]) => ({ dimension, values, is: true }));

export const selectOf = (conditions: Condition[]): Record<string, string[]> =>
  Object.fromEntries(conditions.map((c) => [c.dimension, c.values]));

/** The lever in a few words: "Prices +6% (client: A, B)". */
export function inWords(l: Lever | LeverState, label: string): string {
  const by =
    l.percent !== undefined
      ? `${signed(shifted(l.percent, 2) ?? l.percent, l.kind === 'churn')}%`
      : l.amount !== undefined
        ? signed(l.amount, l.kind === 'fee')
        : '';
  const where = Object.entries(l.select ?? {})
    .map(([d, values]) => (values ?? []).map((v) => dimensionValue(d, v)).join(', '))
    .join('; ');
  return [label, by, where ? `(${where})` : t('(all)')].filter(Boolean).join(' ');
}

function signed(text: string, bare: boolean): string {
  if (text.startsWith('-')) return `\u2212${text.slice(1)}`;
  return bare ? text : `+${text}`;
}
