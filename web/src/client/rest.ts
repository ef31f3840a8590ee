import { ConnectionLost, DeadlineExceeded, ProblemError, refusal } from './errors';
import type * as t from './types';

const deadlineMs = 15_000;
/** Small enough that a page and the events waiting beyond it fit into a chat's log. */
const eventsLimit = 100;

type Query = Record<string, string | number | readonly string[] | undefined>;

interface Options {
  query?: Query;
  body?: unknown;
  /** The Idempotency-Key header. */
  key?: string;
}

/**
 * The REST side of the protocol. Every method resolves with the answer or rejects with
 * ProblemError, ConnectionLost or DeadlineExceeded. Calls may overlap; it holds no state but the
 * token.
 */
export class Rest {
  readonly #base: string;
  readonly #token: string;
  readonly #fetcher: typeof fetch;

  /** `token` is for programs; a page relies on its cookie. `base` has no trailing slash. */
  constructor(base = '', token = '', fetcher: typeof fetch = (...args) => fetch(...args)) {
    this.#base = base;
    this.#token = token;
    this.#fetcher = fetcher;
  }

  signUp = (d: { username: string; password: string; display_name?: string; email?: string; invitation?: string; setup_code?: string }) =>
    this.#post<t.User>('/users', d);
  logIn = (d: { username: string; password: string; device?: string }) =>
    this.#post<{ token: string; expires_at: string; user: t.User }>('/sessions', d);
  logOut = () => this.call<void>('DELETE', '/sessions/current');
  sessions = () => this.#get<{ sessions: t.Session[] }>('/sessions');
  revoke = (id: string) => this.call<void>('DELETE', `/sessions/${id}`);

  me = () => this.#get<t.User>('/me');
  updateMe = (d: { display_name?: string; status_text?: string; status_emoji?: string; status_until?: string; time_zone?: string }) => this.call<t.User>('PATCH', '/me', { body: d });
  changePassword = (d: { current_password: string; new_password: string }) =>
    this.call<void>('PUT', '/me/password', { body: d });
  findUsers = (q: string, after?: string) => this.#get<{ users: t.User[]; next?: string }>('/users', { q, after });
  users = (ids: readonly string[]) => this.#get<{ users: t.User[] }>('/users', { id: ids });
  user = (id: string) => this.#get<t.User>(`/users/${id}`);

  chats = (after?: string) => this.#get<{ chats: t.Entry[]; epoch: string; next?: string }>('/chats', { after, limit: 200 });
  chat = (id: string) => this.#get<t.Entry>(`/chats/${id}`);
  createChat = (d: { kind: t.ChatKind; name?: string; topic?: string; member_ids?: string[] }, key?: string) =>
    this.#post<t.Chat>('/chats', d, key);
  updateChat = (id: string, d: { name?: string; topic?: string; archived?: boolean }) =>
    this.call<t.Chat>('PATCH', `/chats/${id}`, { body: d });
  publicChats = (q: string, after?: string) =>
    this.#get<{ chats: t.PublicChat[]; next?: string }>('/chats/public', { q, after });
  join = (id: string) => this.#post<t.Entry>(`/chats/${id}/join`);

  members = (id: string, after?: string) =>
    this.#get<{ members: t.Member[]; next?: string }>(`/chats/${id}/members`, { after, limit: 200 });
  addMember = (id: string, user: string, role?: t.Role) =>
    this.#post<t.Member>(`/chats/${id}/members`, { user_id: user, role });
  updateMember = (id: string, user: string, d: { role?: t.Role; muted?: boolean; hidden?: boolean }) =>
    this.call<t.Member>('PATCH', `/chats/${id}/members/${user}`, { body: d });
  removeMember = (id: string, user: string) => this.call<{ seq: number }>('DELETE', `/chats/${id}/members/${user}`);

  history = (id: string, bound: { before_seq?: number; after_seq?: number; limit?: number } = {}) =>
    this.#get<t.HistoryPage>(`/chats/${id}/messages`, bound);
  around = (id: string, seq: number, limit?: number) =>
    this.#get<t.AroundPage>(`/chats/${id}/messages`, { around_seq: seq, limit });
  search = (q: string, bound: { chat_id?: string; sender_id?: string; since?: string; until?: string; tz?: string; offset?: number; limit?: number } = {}) =>
    this.#get<t.SearchPage>('/search', { q, ...bound });
  events = (id: string, after: number) => this.#get<t.EventPage>(`/chats/${id}/events`, { after_seq: after, limit: eventsLimit });
  send = (id: string, key: string, d: { body: string; reply_to?: string; attachments?: string[] }) => this.#post<t.Message | t.Sent>(`/chats/${id}/messages`, d, key);
  edit = (id: string, d: { body: string; version: number }) => this.call<t.Message>('PATCH', `/messages/${id}`, { body: d });
  remove = (id: string) => this.call<{ seq: number }>('DELETE', `/messages/${id}`);
  react = (id: string, emoji: string, on: boolean) =>
    this.call<{ seq?: number }>(on ? 'PUT' : 'DELETE', `/messages/${id}/reactions/${encodeURIComponent(emoji)}`);
  typing = (id: string, typing: boolean) => this.#post<void>(`/chats/${id}/typing`, { typing });
  presence = (ids: readonly string[]) => this.#get<{ users: t.Presence[] }>('/presence', { user_id: ids });
  setPresence = (state: t.PresenceState) => this.call<void>('PUT', '/presence', { body: { state } });
  message = (id: string) => this.#get<t.Message>(`/messages/${id}`);
  setCursor = (id: string, d: Partial<t.Cursor>) => this.call<t.Cursor>('PUT', `/chats/${id}/cursor`, { body: d });
  cursors = (id: string) => this.#get<{ cursors: t.MemberCursor[] }>(`/chats/${id}/cursors`, { limit: 200 });
  reactors = (id: string, emoji: string) =>
    this.#get<{ user_ids: string[]; next?: string }>(`/messages/${id}/reactions/${encodeURIComponent(emoji)}`);

  /** Opens the event stream, which runs until `signal` aborts it. */
  stream = async (signal: AbortSignal): Promise<ReadableStreamDefaultReader<Uint8Array>> =>
    (await this.fetch('/events', { headers: { Accept: 'text/event-stream' }, signal })).body!.getReader();

  #get<T>(path: string, query?: Query): Promise<T> {
    return this.call<T>('GET', path, query && { query });
  }

  #post<T>(path: string, body?: unknown, key?: string): Promise<T> {
    return this.call<T>('POST', path, { body, ...(key && { key }) });
  }

  /** Calls a route below /api/v1, also one that has no method here. */
  async call<T>(method: string, path: string, { query, body, key }: Options = {}): Promise<T> {
    const init: RequestInit = { method, signal: AbortSignal.timeout(deadlineMs) };
    const headers: Record<string, string> = { Accept: 'application/json', ...(key && { 'Idempotency-Key': key }) };
    if (body !== undefined) {
      headers['Content-Type'] = 'application/json';
      init.body = JSON.stringify(body);
    }
    const text = await (await this.fetch(path + queryText(query), { ...init, headers })).text().catch(unreached);
    try {
      return (text ? JSON.parse(text) : undefined) as T;
    } catch {
      // A captive portal answered, not the server.
      return unreached(undefined);
    }
  }

  /** Calls a route below /api/v1 with a body and an answer of any kind. Rejects if it is refused. */
  async fetch(path: string, init: RequestInit): Promise<Response> {
    const headers = { ...init.headers, ...(this.#token && { Authorization: `Bearer ${this.#token}` }) };
    const response = await this.#fetcher(`${this.#base}/api/v1${path}`, { ...init, headers }).catch(unreached);
    if (!response.ok) throw refused(response, await response.text().catch(unreached));
    return response;
  }
}

function unreached(err: unknown): never {
  if (err instanceof DOMException && err.name === 'TimeoutError') throw new DeadlineExceeded();
  throw new ConnectionLost();
}

function queryText(query: Query = {}): string {
  const pairs = Object.entries(query).flatMap(([k, v]) => [v ?? []].flat().map((one) => [k, `${one}`]));
  return pairs.length ? `?${new URLSearchParams(pairs)}` : '';
}

/** The error for a refusal, including one by a proxy that does not speak the protocol. */
function refused(response: Response, text: string): ProblemError {
  try {
    const problem = JSON.parse(text) as t.Problem;
    if (typeof problem.code === 'string') return new ProblemError(problem);
  } catch {
    // Not JSON: the status describes it.
  }
  const { status } = response;
  return refusal(status, status >= 500 || status === 429 ? 'unavailable' : 'bad_request', `The server answered ${status}.`);
}
