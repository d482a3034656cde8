import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { messageOf, RequestError } from '../../api/client';
import type { Names } from '../../metrics/choices';

/** After a definition has changed all figures may have, and the catalog names them. */
export function useRefresh(): () => Promise<unknown> {
  const client = useQueryClient();
  return () => Promise.all([client.invalidateQueries({ queryKey: ['catalog'] }), client.invalidateQueries({ queryKey: ['data'] })]);
}

/** A value once it has rested: what is typed is not asked for letter by letter. */
export function useSettled<T>(value: T, after = 400): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), after);
    return () => clearTimeout(timer);
  }, [value, after]);
  return settled;
}

/** What the server says about one field. */
export function faultOf(error: unknown, path: string): string | undefined {
  if (!(error instanceof RequestError)) return undefined;
  return error.problem.errors?.find((e) => e.path === path || e.path.endsWith(`.${path}`))?.message;
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
