import type { Destination, DestinationSpec } from '../../api/delivery';
import { t } from '../../lib/i18n';

export const KINDS: readonly (readonly [DestinationSpec['kind'], string])[] = [
  ['email', t('E-mail server')],
  ['folder', t('A folder of this machine')],
  ['s3', t('A bucket of an S3 store')],
  ['webhook', t('Webhook')],
];

export const kindOf = (kind: string): string => KINDS.find(([id]) => id === kind)?.[1] ?? kind;

/** Where a destination is, in a line; an address of a webhook without its path, which may be secret. */
export function placeOf({ kind, settings: s }: Pick<Destination, 'kind' | 'settings'>): string {
  switch (kind) {
    case 'email':
      return t('{{from}} via {{host}}', { from: s.from, host: s.port ? `${s.host}:${s.port}` : s.host });
    case 's3':
      return [s.endpoint, s.bucket, s.path].filter(Boolean).join('/');
    case 'webhook':
      return originOf(s.url ?? '');
    case 'folder':
      return s.path ?? '';
  }
}

function originOf(address: string): string {
  try {
    return new URL(address).origin;
  } catch {
    return '';
  }
}

/** Whether what a kind cannot do without is there. */
export function complete({ name, kind, settings: s, password }: DestinationSpec, saved: boolean): boolean {
  if (!name.trim()) return false;
  switch (kind) {
    case 'email':
      return Boolean(s.host && s.from);
    case 'folder':
      return Boolean(s.path);
    case 's3':
      return Boolean(s.endpoint && s.bucket && s.user && (saved || password));
    case 'webhook':
      return Boolean(s.url && (saved || password));
  }
}
