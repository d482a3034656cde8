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
  /^\/api\/v1\/(status|metrics|query|series|explain|insights|analyses|imports|snapshots|datasets|closed-months|dashboards|settings|views)(\/|$)/;

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
