import { send } from './client';

const FILES = 'files';

export interface KeptFile {
  name: string;
  at: string;
  bytes: number;
  url: string;
}

/** Fetches a file, keeps it for offline reading and hands it to the browser to save. */
export async function download(path: string): Promise<string> {
  const response = await send(path, {});
  const name = nameOf(response) ?? 'export';
  const blob = await response.blob();
  if ('caches' in globalThis) {
    const at = new Date().toISOString();
    const cache = await caches.open(FILES);
    await cache.put(
      `/kept/${encodeURIComponent(at)}/${encodeURIComponent(name)}`,
      new Response(blob, {
        headers: { 'content-type': blob.type, 'x-at': at, 'x-name': encodeURIComponent(name), 'x-bytes': String(blob.size) },
      }),
    );
  }
  saveAs(blob, name);
  return name;
}

function nameOf(response: Response): string | undefined {
  return /filename="?([^";]+)"?/.exec(response.headers.get('content-disposition') ?? '')?.[1];
}

export function saveAs(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The files kept on this device, newest first. */
export async function keptFiles(): Promise<KeptFile[]> {
  if (!('caches' in globalThis)) return [];
  const cache = await caches.open(FILES);
  const out: KeptFile[] = [];
  for (const request of await cache.keys()) {
    const r = await cache.match(request);
    if (r)
      out.push({
        name: decodeURIComponent(r.headers.get('x-name') ?? ''),
        at: r.headers.get('x-at') ?? '',
        bytes: Number(r.headers.get('x-bytes') ?? 0),
        url: request.url,
      });
  }
  return out.sort((a, b) => b.at.localeCompare(a.at));
}

export async function keptFile(url: string): Promise<Blob | undefined> {
  return (await (await caches.open(FILES)).match(url))?.blob();
}

export async function forgetFile(url: string): Promise<void> {
  await (await caches.open(FILES)).delete(url);
}
