import type { Route, RouteSpec } from '../../api/delivery';
import { t } from '../../lib/i18n';

/** The part of a route that people set. */
export function specOf({ id: _, sent_at: __, problem: ___, created_at: ____, actor: _____, ...spec }: Route): RouteSpec {
  return spec;
}

export const NOBODY: RouteSpec = { name: '', in_app: true };

export const SEVERITIES: readonly (readonly [string, string])[] = [
  ['critical', t('critical')],
  ['warning', t('warning')],
  ['info', t('for information')],
];

export const DAYS: readonly (readonly [string, string])[] = [
  ['mon', t('Mon')],
  ['tue', t('Tue')],
  ['wed', t('Wed')],
  ['thu', t('Thu')],
  ['fri', t('Fri')],
  ['sat', t('Sat')],
  ['sun', t('Sun')],
];

/** Without what is empty, as the API takes it: a list that is left out means all. */
export function trimmed(r: RouteSpec): RouteSpec {
  const kept = Object.entries(r).filter(
    ([, v]) => v !== undefined && v !== '' && v !== false && v !== 0 && !(Array.isArray(v) && v.length === 0),
  );
  return { ...(Object.fromEntries(kept) as RouteSpec), name: r.name.trim() };
}

/** Whether it tells anything by any way. */
export const hasWay = (r: RouteSpec): boolean => Boolean(r.in_app || r.push || r.email || r.webhooks?.length);

/** Whom it tells, by which way and when, in a line each. */
export function inWords(
  r: RouteSpec,
  name: (actor: string) => string,
  place: (id: string) => string,
): { of: string; whom: string; when: string } {
  const list = (all: readonly string[]) => all.join(', ');
  const of = [
    r.rules?.length ? list(r.rules) : t('all rules'),
    r.severities?.length
      ? t('if {{severities}}', { severities: list(r.severities.map((s) => SEVERITIES.find(([id]) => id === s)?.[1] ?? s)) })
      : '',
  ];
  const people = [...(r.users ?? []).map(name), ...(r.roles ?? []).map((x) => t('everybody with the role {{role}}', { role: x }))];
  const ways = [
    r.in_app ? t('in the program') : '',
    r.email ? t('by {{place}}', { place: place(r.email) }) : '',
    r.push ? t('in the browser') : '',
    r.webhooks?.length ? t('to {{places}}', { places: list(r.webhooks.map(place)) }) : '',
  ];
  const quiet = (r.quiet ?? []).map((w) => `${w.days?.length ? `${list(w.days)} ` : ''}${w.from}–${w.to}`);
  const when = [
    quiet.length > 0 ? t('quiet {{windows}}', { windows: quiet.join('; ') }) : '',
    r.daily_at ? t('once a day at {{at}}', { at: r.daily_at }) : '',
    r.every_minutes ? t('at most every {{n}} minutes', { n: r.every_minutes }) : '',
    r.remind_hours ? t('reminds after {{n}} hours', { n: r.remind_hours }) : '',
  ];
  const joined = (parts: string[]) => parts.filter(Boolean).join(', ');
  return {
    of: joined(of),
    whom: `${people.length > 0 ? list(people) : r.webhooks?.length && !r.in_app ? t('no person') : t('everybody who sees all figures')} ${joined(ways)}`.trim(),
    when: joined(when) || t('at once'),
  };
}
