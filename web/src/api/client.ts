import createClient from 'openapi-fetch';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];

export interface Problem {
  title: string;
  status: number;
  detail: string;
  code?: string | undefined;
  errors?: { path: string; message: string; allowed?: string[] }[] | undefined;
}

/** A refused or failed request, with the server's own words. */
export class RequestError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** The one place that calls fetch. */
export const api = createClient<paths>({ baseUrl: '/' });

const offline: Problem = {
  title: 'No answer',
  status: 0,
  detail: 'MoatMetrics does not answer. Check that it is still running on this machine, then try again.',
};

/** The answer to a change that waits for a second person. */
type Waiting = Schemas['HeldAnswer'];

/** The data of an answer; anything else, a change that waits among it, is a RequestError. */
export async function unwrap<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<Exclude<T, Waiting>> {
  let answer: { data?: T; error?: unknown; response: Response };
  try {
    answer = await call;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new RequestError(offline);
  }
  if (waits(answer)) throw new RequestError(answer.data as Problem);
  if (answer.response.ok) return answer.data as Exclude<T, Waiting>;
  throw new RequestError(problemOf(answer.error, answer.response));
}

/** Whether the change was not made but waits for a second person: its detail says so. */
function waits(answer: { data?: unknown; response: Response }): boolean {
  const data = answer.data;
  return answer.response.status === 202 && typeof data === 'object' && data !== null && 'proposal' in data && 'detail' in data;
}

export function problemOf(body: unknown, response: Response): Problem {
  if (typeof body === 'object' && body !== null && 'detail' in body) return body as Problem;
  return { title: response.statusText, status: response.status, detail: `The server answered ${response.status} ${response.statusText}.` };
}

/** What failed, in words for a person. */
export function messageOf(error: unknown): string {
  if (!(error instanceof RequestError)) return error instanceof Error ? error.message : String(error);
  const parts = (error.problem.errors ?? []).map((e) => e.message);
  return [error.problem.detail, ...parts.filter((p) => !error.problem.detail.includes(p))].join(' · ');
}

/** All that the server says of single fields. */
export const faultsOf = (error: unknown) => (error instanceof RequestError ? (error.problem.errors ?? []) : []);

/** What the server says of a field, or of one of the things that it holds. */
export function faultOf(error: unknown, field: string): string | undefined {
  return faultsOf(error).find(({ path }) => path === field || path.endsWith(`.${field}`) || path.startsWith(`${field}[`))?.message;
}

/** A request that openapi-fetch has no form for: files up and down. */
export async function send(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, init).catch(() => {
    throw new RequestError(offline);
  });
  if (!response.ok) throw new RequestError(problemOf(await response.json().catch(() => null), response));
  return response;
}
