import { ConnectionLost, isPassing, sentence, type ProblemError } from './errors';
import type { ChatEvent, File, KnownEvent, Sent } from './types';

/**
 * Pending sends, in the order they were written. A send keeps its key for good: whatever is unknown
 * about an attempt, the next one under the same key finds out. A chat's messages arrive in the order
 * written: several are in flight where the server takes them in that order, but one that was refused
 * for a moment goes out again alone. Pure; the caller passes times in milliseconds, from a clock that
 * is never set.
 */

export type PendingStatus = 'queued' | 'sending' | 'acked' | 'failed';

export interface Pending {
  readonly key: string;
  readonly chat_id: string;
  readonly body: string;
  readonly reply_to?: string | undefined;
  readonly attachments?: readonly File[] | undefined;
  /** When it was written, by the device's clock. */
  readonly written_at: number;
  readonly status: PendingStatus;
  /** Attempts so far that were refused or unanswered; a lost connection does not count. */
  readonly attempts: number;
  /** The earliest time of the next attempt. */
  readonly due: number;
  /** Why it failed, to show to the user, or why its last attempt did: absent if it may have been stored. */
  readonly reason?: string;
  /** Whether a later send to the chat got ahead: it is stored. */
  readonly ahead?: boolean;
  readonly ack?: Sent;
}

export type Outbox = readonly Pending[];

/** Attempts at a send that meets an internal error: unlike an outage, that may never end. */
export const maxAttempts = 6;

/** The most sends in flight at once, apart from the first of each chat. */
export const widest = 10;

/** What the storage keeps of a send; with a reason if the server refused it for good. */
export type Draft = Pick<Pending, 'key' | 'chat_id' | 'body' | 'reply_to' | 'attachments' | 'written_at' | 'reason'>;

/** A user's request to the outbox, for the window that sends. */
export type OutboxOrder = { readonly do: 'send'; readonly draft: Draft } | { readonly do: 'retry' | 'discard'; readonly key: string };

/** Keeps unsent messages across reloads. Copies do no harm: the server stores each key once. */
export interface OutboxStorage {
  /** Returns everything kept. Called at the start, and whenever this window begins to lead. */
  load(): Draft[] | Promise<Draft[]>;
  /** Keeps a draft, replacing any under the same key. Must not throw. */
  save(draft: Draft): void;
  /** Removes a draft, if it is kept. Must not throw. */
  forget(key: string): void;
}

export function draftOf({ key, chat_id, body, reply_to, attachments, written_at, reason, status }: Pending): Draft {
  return { key, chat_id, body, reply_to, attachments, written_at, reason: status === 'failed' ? reason : undefined };
}

export function enqueue(outbox: Outbox, draft: Draft): Outbox {
  if (outbox.some((p) => p.key === draft.key)) return outbox;
  return [...outbox, { ...draft, status: draft.reason ? 'failed' : 'queued', attempts: 0, due: 0 }];
}

/** A time for a message written now: later than all before it, whatever the device's clock does. */
export function writtenAt(outbox: Outbox, now: number): number {
  return outbox.reduce((time, p) => Math.max(time, p.written_at + 1), now);
}

/**
 * Merges kept drafts into the outbox, in the order written. Sends that were in flight in a closed
 * window go out again: their keys tell whether they had arrived. Due times belonged to that
 * window's clock.
 */
export function restored(outbox: Outbox, drafts: readonly Draft[]): Outbox {
  const held = outbox.map((p): Pending => ({ ...p, status: p.status === 'sending' ? 'queued' : p.status, due: 0 }));
  const all = drafts.reduce(enqueue, held as Outbox);
  return [...all].sort((a, b) => a.written_at - b.written_at);
}

/**
 * The sends to start now: the first that waits in each chat, unless one is in flight, and those
 * behind it while fewer than `most` are in flight.
 */
export function startable(outbox: Outbox, now: number, most = 1): Pending[] {
  const flying = outbox.filter((p) => p.status === 'sending');
  let room = most - flying.length;
  /** By chat, whether one more may start behind those before it; absent if there are none. */
  const open = new Map<string, boolean>();
  return outbox.filter(({ chat_id, status, attempts, due }) => {
    if (status === 'acked' || status === 'failed') return false;
    const behind = open.get(chat_id);
    const may = behind === undefined ? !flying.some((p) => p.chat_id === chat_id) : behind && !attempts && room > 0;
    const starts = status === 'queued' && may && due <= now;
    if (starts) room--;
    open.set(chat_id, behind !== false && (starts || status === 'sending') && !attempts);
    return starts;
  });
}

/** The time of the next due send; Infinity if there is none. */
export function nextDue(outbox: Outbox, now: number): number {
  return Math.min(...outbox.map((p) => (p.status === 'queued' && p.due > now ? p.due : Infinity)));
}

export function started(outbox: Outbox, key: string): Outbox {
  return change(outbox, key, (p) => ({ ...p, status: 'sending' }));
}

/**
 * Marks a send as stored by the server. It stays until its event or history shows it. Those before it
 * in the chat that wait for a retry after a refusal fail, for they would come behind it; so do those
 * of which nothing is known yet, if they are refused.
 */
export function acked(outbox: Outbox, key: string, ack: Sent): Outbox {
  const at = outbox.findIndex((p) => p.key === key);
  return outbox.map((p, i): Pending => {
    if (i === at) return { ...p, status: 'acked', ack };
    if (i > at || p.chat_id !== outbox[at]!.chat_id) return p;
    return { ...p, ahead: true, status: p.status === 'queued' && p.reason ? 'failed' : p.status };
  });
}

/** Records a failed attempt, unless the connection was lost: retries from `due` on if that may help, else the user must. */
export function refused(outbox: Outbox, key: string, err: unknown, due: number): Outbox {
  return change(outbox, key, (p) => {
    if (p.status !== 'sending') return p;
    const attempts = p.attempts + +!(err instanceof ConnectionLost);
    const { code } = err as Partial<ProblemError>;
    const known = code && code !== 'unknown_outcome';
    const again = isPassing(err) && !((code === 'internal' && attempts >= maxAttempts) || (known && p.ahead));
    return { ...p, status: again ? 'queued' : 'failed', attempts, due, reason: !again || known ? sentence(err) : undefined };
  });
}

/** Requeues a failed send under the same key, behind messages written since. */
export function retried(outbox: Outbox, key: string): Outbox {
  const found = outbox.find((p) => p.key === key && p.status === 'failed');
  if (!found) return outbox;
  const { reason: _reason, ahead: _ahead, ...rest } = found;
  return [...outbox.filter((p) => p !== found), { ...rest, status: 'queued', attempts: 0, due: 0 }];
}

/** Drops a failed send. */
export function discarded(outbox: Outbox, key: string): Outbox {
  return outbox.filter((p) => p.key !== key || p.status !== 'failed');
}

/** Takes the event of a send for its ack, which may have been lost. */
export function ackedByEvent(outbox: Outbox, event: ChatEvent, me: string): Outbox {
  const { op, d } = event as KnownEvent;
  return op === 'message.created' && d.sender_id === me && d.key ? acked(outbox, d.key, d as unknown as Sent) : outbox;
}

/** Drops acknowledged sends that the history covers; `cursorOf` returns undefined if not held. */
export function settledByCursor(outbox: Outbox, cursorOf: (chatId: string) => number | undefined): Outbox {
  const kept = outbox.filter(({ chat_id, ack }) => !ack || ack.seq > (cursorOf(chat_id) ?? Infinity));
  return kept.length < outbox.length ? kept : outbox;
}

function change(outbox: Outbox, key: string, fn: (p: Pending) => Pending): Outbox {
  return outbox.map((p) => (p.key === key ? fn(p) : p));
}
