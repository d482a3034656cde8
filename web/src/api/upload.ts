import { RequestError, type Schemas } from './client';

export type ImportAnswer = Schemas['ImportAnswer'];

export interface ImportOptions {
  dataset?: string;
  dryRun?: boolean;
  replace?: '' | 'period' | 'table';
}

/** Sends files to be imported; progress goes from 0 to 1 while they are on their way. */
export function importFiles(files: File[], onProgress: (share: number) => void, options: ImportOptions = {}): Promise<ImportAnswer> {
  const form = new FormData();
  if (options.dataset) form.set('dataset', options.dataset);
  if (options.dryRun) form.set('dry_run', 'true');
  if (options.replace) form.set('replace', options.replace);
  for (const f of files) form.append('file', f, f.name);
  return new Promise((resolve, reject) => {
    // fetch tells nothing of how far an upload is.
    const request = new XMLHttpRequest();
    request.open('POST', '/api/v1/imports');
    request.setRequestHeader('Idempotency-Key', crypto.randomUUID());
    request.responseType = 'json';
    request.upload.onprogress = (e) => e.lengthComputable && onProgress(e.loaded / e.total);
    request.upload.onload = () => onProgress(1);
    request.onerror = () =>
      reject(
        new RequestError({
          title: 'No answer',
          status: 0,
          detail:
            'The upload broke off. Check that MoatMetrics is still running, then send the files again: rows that are there already are not doubled.',
        }),
      );
    request.onload = () => {
      const body: unknown = request.response;
      if (request.status === 201) resolve(body as ImportAnswer);
      else if (typeof body === 'object' && body !== null && 'detail' in body) reject(new RequestError(body as never));
      else
        reject(new RequestError({ title: request.statusText, status: request.status, detail: `The server answered ${request.status}.` }));
    };
    request.send(form);
  });
}
