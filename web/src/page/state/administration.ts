import type { Rest, User } from '../../client';

/** What administrators see and do, beyond what everybody does. */

export interface Account extends User {
  readonly administrator: boolean;
  readonly suspended_at?: string;
}

export interface ResetLink {
  readonly url: string;
  readonly expires_at: string;
}

export interface KeptChat {
  readonly chat_id: string;
  readonly kind: 'direct' | 'group' | 'private' | 'public';
  readonly name: string;
  readonly created_at: string;
  /** 0 keeps messages for ever. */
  readonly retention_days: number;
}

export interface Act {
  readonly id: string;
  readonly at: string;
  /** A user's id, or `operator`. */
  readonly actor: string;
  readonly action: string;
  /** The id of a user or of a chat; '' for neither. */
  readonly subject: string;
  readonly detail: string;
}

export interface DeadJob {
  readonly kind: string;
  readonly key: string;
  readonly dead_at: string;
  readonly attempts: number;
  readonly problem: string;
}

export interface Jobs {
  readonly kinds: readonly { readonly kind: string; readonly waiting: number; readonly at_work: number; readonly dead: number }[];
  readonly dead: readonly DeadJob[];
  readonly next?: string;
}

export interface Part {
  readonly status: 'pass' | 'warn' | 'fail';
  readonly observedValue?: unknown;
  readonly observedUnit?: string;
}

export interface Health {
  readonly status: 'pass' | 'warn' | 'fail';
  readonly version: string;
  readonly checks: Readonly<Record<string, readonly Part[]>>;
}

const atOnce = 50;
const list = { limit: atOnce };
const jobPath = ({ kind, key }: DeadJob) => `/admin/jobs/${encodeURIComponent(kind)}/${encodeURIComponent(key)}`;

export const accounts = (rest: Rest, q: string, after?: string): Promise<{ users: Account[]; next?: string }> => rest.call('GET', '/admin/users', { query: { q, after, ...list } });
export const suspend = (rest: Rest, id: string, on: boolean): Promise<Account> => rest.call('POST', `/admin/users/${id}/${on ? 'suspend' : 'restore'}`);
export const appoint = (rest: Rest, id: string, on: boolean): Promise<Account> => rest.call(on ? 'PUT' : 'DELETE', `/admin/users/${id}/administrator`);
export const endSessions = (rest: Rest, id: string): Promise<{ revoked: number }> => rest.call('DELETE', `/admin/users/${id}/sessions`);
export const resetLink = (rest: Rest, id: string): Promise<ResetLink> => rest.call('POST', `/admin/users/${id}/password-reset`);
export const keptChats = (rest: Rest, q: string, after?: string): Promise<{ chats: KeptChat[]; next?: string }> => rest.call('GET', '/admin/chats', { query: { q, after, ...list } });
export const keep = (rest: Rest, id: string, days: number): Promise<KeptChat> => rest.call('PUT', `/admin/chats/${id}/retention`, { body: { days } });
export const acts = (rest: Rest, after?: string): Promise<{ entries: Act[]; next?: string }> => rest.call('GET', '/admin/audit', { query: { after, ...list } });
export const jobs = (rest: Rest, after?: string): Promise<Jobs> => rest.call('GET', '/admin/jobs', { query: { after, ...list } });
export const revive = (rest: Rest, job: DeadJob): Promise<void> => rest.call('POST', `${jobPath(job)}/retry`);
export const drop = (rest: Rest, job: DeadJob): Promise<void> => rest.call('DELETE', jobPath(job));

/** How the node that answers is. It says so outside of the API, unhealthy with 503. */
export async function health(): Promise<Health> {
  const response = await fetch('/health', { headers: { Accept: 'application/health+json' } });
  return (await response.json()) as Health;
}

/** The name of a part of a node: without what was measured of it. */
export const partName = (check: string): string => check.split(':')[0]!;

/** What an act was done to: acts on chats name one, all others a user. */
export const isOfChat = ({ action }: Act): boolean => action.startsWith('chat.') || action.startsWith('retention.');
