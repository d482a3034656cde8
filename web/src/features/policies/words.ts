import type { Effect, Rights } from '../../api/queries';
import { t } from '../../lib/i18n';

/** The classes of figures and columns, in words. */
export const CLASSES = [
  ['cost', t('Cost')],
  ['margin', t('Margin and profit')],
  ['pay', t('Pay of single people')],
  ['personal', t('Names and personal data')],
] as const;

const classWord = (name: string): string => CLASSES.find(([c]) => c === name)?.[1] ?? name;

/** An effect of a change, without the role that it is about. */
export function effectWords(e: Effect, all: Rights['all']): string {
  if (e.kind === 'role') return e.gained ? t('is new') : t('is removed');
  if (e.kind === 'action') return all.find((a) => a.action === e.what)?.label ?? e.what;
  if (e.kind === 'class') return t('sight of: {{class}}', { class: classWord(e.what) });
  if (e.what === '*')
    return e.kind === 'client'
      ? e.gained
        ? t('rows of all clients')
        : t('rows of all other clients')
      : e.gained
        ? t('rows of all teams')
        : t('rows of all other teams');
  return e.kind === 'client' ? t('rows of the client {{name}}', { name: e.what }) : t('rows of the team {{name}}', { name: e.what });
}

/** Effects by role, in their order. */
export function byRole(list: readonly Effect[]): [string, Effect[]][] {
  const out = new Map<string, Effect[]>();
  for (const e of list) out.set(e.role, [...(out.get(e.role) ?? []), e]);
  return [...out];
}

/** Names as they are typed: one a line, each once. */
export function namesOf(text: string): string[] {
  return [
    ...new Set(
      text
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean),
    ),
  ];
}
