import { api, RequestError, type Schemas, send, unwrap } from './client';

export type Upload = Schemas['DatasetUpload'];
export type Batch = Schemas['DatasetBatch'];
export type BatchFile = Schemas['DatasetBatchFile'];
export type BatchTable = Schemas['DatasetBatchTable'];
export type Mapping = Schemas['DatasetMapping'];

/** How much of a file goes in one request: what is lost when the connection breaks. */
const PART = 8 * 1024 * 1024;
const ATTEMPTS = 5;

/**
 * Sends a file in parts. A broken connection costs one part: the server is asked how much it
 * has, also when the page was reloaded and the same file is chosen again.
 */
export async function sendFile(file: File, onProgress: (bytes: number) => void): Promise<Upload> {
  const key = `upload:${file.name}:${file.size}:${file.lastModified}`;
  let upload = await known(key);
  if (!upload) {
    upload = await unwrap(api.POST('/api/v1/uploads', { body: { name: file.name, bytes: file.size } }));
    localStorage.setItem(key, upload.id);
  }
  let failures = 0;
  while (upload.received < file.size) {
    onProgress(upload.received);
    try {
      const answer = await send(`/api/v1/uploads/${upload.id}`, {
        method: 'PATCH',
        headers: { 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': String(upload.received) },
        body: file.slice(upload.received, upload.received + PART),
      });
      upload = (await answer.json()) as Upload;
      failures = 0;
    } catch (e) {
      const lasting = e instanceof RequestError && e.problem.status >= 400 && e.problem.status < 500 && e.problem.status !== 409;
      if (lasting || ++failures >= ATTEMPTS) throw e;
      await new Promise((r) => setTimeout(r, 500 * 2 ** failures));
      upload = await unwrap(api.GET('/api/v1/uploads/{id}', { params: { path: { id: upload.id } } }));
    }
  }
  localStorage.removeItem(key);
  onProgress(file.size);
  return upload;
}

/** The upload that was begun of this file and is not complete. */
async function known(key: string): Promise<Upload | undefined> {
  const id = localStorage.getItem(key);
  if (!id) return undefined;
  const there = await unwrap(api.GET('/api/v1/uploads/{id}', { params: { path: { id } } })).catch(() => undefined);
  if (!there || there.sha256) localStorage.removeItem(key);
  return there?.sha256 ? undefined : there;
}

export function startBatch(files: BatchFile[], options: { dryRun: boolean; together?: boolean }): Promise<Batch> {
  return unwrap(api.POST('/api/v1/batches', { body: { files, dry_run: options.dryRun, together: options.together ?? false } }));
}
