import { useQuery } from '@tanstack/react-query';
import { type Rights, rights } from '../api/queries';

/** What one may see and do; undefined until it is known. */
export const useRights = (): Rights | undefined => useQuery(rights()).data;

/** Whether an action is allowed; it is until the rights are known. */
export const allows = (known: Rights | undefined, action: string): boolean =>
  action === '' || known === undefined || known.actions.includes(action);
