import type { QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';

/** Whether answers come from the server now; `since` is when the oldest shown was made. */
export interface Connection {
  online: boolean;
  since: string;
}

let connection: Connection = { online: true, since: '' };
const listeners = new Set<() => void>();

function setConnection(next: Connection): void {
  if (next.online === connection.online && next.since === connection.since) return;
  connection = next;
  for (const f of listeners) f();
}

export function useConnection(): Connection {
  return useSyncExternalStore(
    (f) => {
      listeners.add(f);
      return () => listeners.delete(f);
    },
    () => connection,
  );
}

/** Called for every answer: those that the worker kept say when they were made. */
export function noteAnswer(response: Response): void {
  const kept = response.headers.get('x-moat-kept');
  if (kept) setConnection({ online: false, since: connection.since && connection.since < kept ? connection.since : kept });
  else if (response.url.includes('/api/')) setConnection({ online: true, since: '' });
}

/**
 * Listens for new snapshots. Old figures stay on the page until the new ones are there, so
 * nothing flickers. The browser reconnects by itself, and the page says while it does.
 */
export function listen(client: QueryClient): () => void {
  const source = new EventSource('/api/v1/events');
  let known = 0;
  const see = (e: MessageEvent<string>) => {
    const { snapshot } = JSON.parse(e.data) as { snapshot: number };
    if (known !== 0 && snapshot !== known) client.invalidateQueries({ queryKey: ['data'] });
    known = snapshot;
  };
  let away = false;
  source.addEventListener('error', () => {
    away = true;
    client.invalidateQueries({ queryKey: ['session'] }); // it may be the session that ended
    setConnection({ online: false, since: connection.since || new Date().toISOString() });
  });
  source.addEventListener('open', () => {
    if (!away) return;
    away = false;
    setConnection({ online: true, since: '' });
    client.invalidateQueries(); // what failed meanwhile, too
  });
  source.addEventListener('hello', see);
  source.addEventListener('snapshot', see);
  return () => source.close();
}
