// The service worker: the app itself from its cache, figures from the server first. When
// the server does not answer, the figures seen last are given, marked with their time.
// The server puts self.__MM, the list of files, in front of this text, so that browsers
// see a changed worker whenever a file changes.
export {};

declare const self: ServiceWorkerGlobalScope & { __MM?: { version: string; files: string[] } };

const { version, files } = self.__MM ?? { version: 'dev', files: [] };
const SHELL = `shell-${version}`;
const FIGURES = 'figures';
const MOST = 400;

/** What is worth keeping: figures and lists, never uploads or streams. */
const KEPT =
  /^\/api\/v1\/(status|metrics|query|series|explain|insights|analyses|imports|snapshots|datasets|closed-months|dashboards|settings|views|session)(\/|$)/;

self.addEventListener('install', (e) => {
  e.waitUntil(caches.open(SHELL).then((c) => c.addAll(files)));
});

self.addEventListener('activate', (e) => {
  e.waitUntil(
    (async () => {
      for (const name of await caches.keys()) if (name.startsWith('shell-') && name !== SHELL) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

self.addEventListener('message', (e) => {
  if (e.data === 'take over') self.skipWaiting();
});

self.addEventListener('fetch', (e) => {
  const url = new URL(e.request.url);
  if (e.request.method !== 'GET' || url.origin !== location.origin) return;
  if (url.pathname.startsWith('/api/')) {
    if (KEPT.test(url.pathname) && !url.pathname.endsWith('/export')) e.respondWith(figures(e.request));
    return;
  }
  if (
    url.pathname.startsWith('/s/') ||
    url.pathname === '/metrics' ||
    url.pathname.startsWith('/healthz') ||
    url.pathname.startsWith('/readyz')
  )
    return;
  if (e.request.mode === 'navigate') e.respondWith(shell('/'));
  else if (files.includes(url.pathname)) e.respondWith(shell(url.pathname));
});

/** A message of the program, decrypted by the browser. */
interface Note {
  id?: string;
  title?: string;
  body?: string;
  link?: string;
}

self.addEventListener('push', (e) => {
  let note: Note = {};
  try {
    note = (e.data?.json() ?? {}) as Note;
  } catch {
    // Something must be shown for each message, or the browser ends them.
  }
  e.waitUntil(
    self.registration.showNotification(note.title || 'MoatMetrics', {
      body: note.body ?? '',
      icon: '/icon.svg',
      data: { link: note.link ?? '/alerts' },
      ...(note.id ? { tag: note.id } : {}), // the same message is shown once
    }),
  );
});

self.addEventListener('notificationclick', (e) => {
  e.notification.close();
  e.waitUntil(show((e.notification.data as { link?: string } | null)?.link ?? '/alerts'));
});

/** Shows a page of the app: in its window where there is one. Links to elsewhere are not followed. */
async function show(link: string): Promise<void> {
  const to = new URL(link, location.origin);
  const page = to.origin === location.origin ? to.href : location.origin;
  for (const client of await self.clients.matchAll({ type: 'window' })) {
    if (new URL(client.url).origin !== location.origin) continue;
    await client.focus();
    await client.navigate(page).catch(() => self.clients.openWindow(page));
    return;
  }
  await self.clients.openWindow(page);
}

async function shell(path: string): Promise<Response> {
  const cache = await caches.open(SHELL);
  return (await cache.match(path)) ?? fetch(path);
}

async function figures(request: Request): Promise<Response> {
  const cache = await caches.open(FIGURES);
  try {
    const answer = await fetch(request);
    if (answer.ok) await keep(cache, request, answer.clone());
    return answer;
  } catch (failure) {
    const kept = await cache.match(request);
    if (!kept) throw failure;
    return kept;
  }
}

async function keep(cache: Cache, request: Request, answer: Response): Promise<void> {
  const headers = new Headers(answer.headers);
  headers.set('x-moat-kept', new Date().toISOString());
  await cache.put(request, new Response(await answer.blob(), { status: answer.status, headers }));
  const keys = await cache.keys();
  for (const old of keys.slice(0, Math.max(0, keys.length - MOST))) await cache.delete(old);
}
