import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { type Rights, rights } from '../api/queries';

/** What one may see and do; undefined until it is known. */
export const useRights = (): Rights | undefined => useQuery(rights()).data;

/**
 * Whether an action is allowed. It is until the rights are known: the server refuses by itself,
 * and what is hidden here is only spared.
 */
export const allows = (known: Rights | undefined, action: string): boolean =>
  action === '' || known === undefined || known.actions.includes(action);

export const useMay = (action: string): boolean => allows(useRights(), action);

/** Shown only to those who may. */
export function May({ action, children }: { action: string; children: ReactNode }) {
  return useMay(action) ? children : null;
}
