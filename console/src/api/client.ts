// Calls the daemon. Every call is typed by the generated table of operations; every failure, the network's included, becomes an
// ApiError that can say what is wrong, what to do next, and under which request id the daemon logged it.
import { apiBase, routes, type Operations, type Problem } from '../gen/api';

export class ApiError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

let csrfToken = '';
let onSignedOut: () => void = () => {};

export function setCsrfToken(token: string): void {
  csrfToken = token;
}

/** `f` is called when the daemon says that the session is over. */
export function whenSignedOut(f: () => void): void {
  onSignedOut = f;
}

interface Arguments<K extends keyof Operations> {
  params?: Operations[K]['params'];
  query?: Operations[K]['query'];
  body?: Operations[K]['body'];
  signal?: AbortSignal;
}

function urlOf(path: string, params: Record<string, string> | undefined, query: Record<string, unknown> | undefined): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params?.[name] ?? ''));
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== '' && value !== null) search.set(key, String(value));
  }
  const text = search.toString();
  return apiBase + filled + (text === '' ? '' : `?${text}`);
}

function problemOf(status: number, code: string, detail: string, next: string, request_id: string): Problem {
  return { type: 'about:blank', title: detail, status, code, detail, next, request_id };
}

async function problemFrom(response: Response): Promise<Problem> {
  const id = response.headers.get('X-Request-Id') ?? '';
  const fallback = problemOf(response.status, 'io', `The server answered ${response.status} without an explanation.`, 'Try again; if it stays, give the request id to whoever runs the server.', id);
  try {
    return { ...fallback, ...((await response.json()) as Partial<Problem>) };
  } catch {
    return fallback;
  }
}

export async function call<K extends keyof Operations>(operation: K, args: Arguments<K> = {}): Promise<Operations[K]['response']> {
  const [method, path] = routes[operation];
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (method !== 'GET') headers['X-CSRF-Token'] = csrfToken;
  if (args.body !== undefined) headers['Content-Type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(urlOf(path, args.params as Record<string, string> | undefined, args.query as Record<string, unknown> | undefined), {
      method,
      headers,
      credentials: 'same-origin',
      ...(args.body === undefined ? {} : { body: JSON.stringify(args.body) }),
      ...(args.signal ? { signal: args.signal } : {}),
    });
  } catch (error) {
    if (args.signal?.aborted) throw error;
    throw new ApiError(problemOf(0, 'net', 'The server does not answer.', 'Check the network and whether vsocd runs. What you see is the last known state.', ''));
  }
  if (!response.ok) {
    const problem = await problemFrom(response);
    if (response.status === 401 && operation !== 'login') onSignedOut();
    throw new ApiError(problem);
  }
  if (response.status === 204) return undefined as Operations[K]['response'];
  return (await response.json()) as Operations[K]['response'];
}

export function problemFor(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem;
  const text = error instanceof Error ? error.message : String(error);
  return problemOf(0, 'malformed', `The console could not use the answer: ${text}`, 'Reload the page. If it stays, the console and the server have different versions.', '');
}

export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError';
