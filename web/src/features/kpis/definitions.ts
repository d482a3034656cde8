import { useQueryClient } from '@tanstack/react-query';
import { faultOf, messageOf } from '../../api/client';
import type { Names } from '../../metrics/choices';

/** After a definition has changed all figures may have, and the catalog names them. */
export function useRefresh(): () => Promise<unknown> {
  const client = useQueryClient();
  return () => Promise.all([client.invalidateQueries({ queryKey: ['catalog'] }), client.invalidateQueries({ queryKey: ['data'] })]);
}

/** What failed, unless it stands beside a field of the form. */
export function restOf(error: unknown, ...paths: string[]): string | undefined {
  if (!error || paths.some((p) => faultOf(error, p) !== undefined)) return undefined;
  return messageOf(error);
}

/** The dimensions that have members, as a select shows them. */
export function memberDimensions(names: Names): (readonly [string, string])[] {
  return names.dimensions.filter((d) => !d.time && d.name !== 'currency').map((d) => [d.name, d.label] as const);
}
