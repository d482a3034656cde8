import { useQuery } from '@tanstack/react-query';
import { accountNames } from '../api/accounts';
import { t } from '../lib/i18n';

/** Calls actors of the record by name: "user:abc" is Kim Lee, "cli:kim" is kim at the command line. */
export function useNames(): (actor: string) => string {
  const names = useQuery(accountNames()).data ?? {};
  return (actor) => called(actor, names);
}

/** Calls those by name whom a text of the server names, such as a notice. */
export function useNamed(): (text: string) => string {
  const name = useNames();
  return (text) => text.replace(/\buser:[a-z2-7]{16}\b/g, name);
}

/** The name of an actor; its own word when nobody knows it. */
export function called(actor: string, names: Record<string, string>): string {
  if (names[actor]) return names[actor];
  const [kind = '', name = ''] = actor.split(/:(.*)/s);
  if (kind === 'cli' && name) return t('{{name}} (command line)', { name });
  if (kind === 'user') return t('a colleague'); // whose name is not for everybody
  if (kind === 'job') return t('the program itself');
  return actor;
}
