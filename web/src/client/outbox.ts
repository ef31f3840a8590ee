import { isPassing, sentence, type ProblemError } from './errors';
import type { ChatEvent, KnownEvent, Sent } from './types';

/**
 * Sends on their way, in the order they were written. A send keeps its key for ever: whatever is
 * unknown about an attempt, the next one under the same key finds out. One send per chat is in flight,
 * so that a chat's messages arrive in the order written. Pure; times are milliseconds given by the caller, of a
 * clock that nobody sets.
 */

export type PendingStatus = 'queued' | 'sending' | 'acked' | 'failed';

export interface Pending {
  readonly key: string;
  readonly chat_id: string;
  readonly body: string;
  readonly reply_to?: string;
  /** When it was written, by this device's clock. */
  readonly written_at: number;
  readonly status: PendingStatus;
  /** Refused or unanswered attempts so far; a lost connection does not count. */
  readonly attempts: number;
  /** Not to be tried before this time. */
  readonly due: number;
  /** Why it failed, for a person. */
  readonly reason?: string;
  readonly ack?: Sent;
}

export type Outbox = readonly Pending[];

/** How often a send is tried that the server stumbles over: it may do so for ever, while an outage ends. */
export const maxAttempts = 6;

/** What is kept of a send; with a reason when the server has refused it for good. */
export type Draft = Pick<Pending, 'key' | 'chat_id' | 'body' | 'reply_to' | 'written_at' | 'reason'>;

export function draftOf({ key, chat_id, body, reply_to, written_at, reason }: Pending): Draft {
  return { key, chat_id, body, written_at, ...(reply_to && { reply_to }), ...(reason && { reason }) };
}

export function enqueue(outbox: Outbox, draft: Draft): Outbox {
  if (outbox.some((p) => p.key === draft.key)) return outbox;
  return [...outbox, { ...draft, status: draft.reason ? 'failed' : 'queued', attempts: 0, due: 0 }];
}

/** A time for what is written now: later than that of all before it, whatever the device's clock does. */
export function writtenAt(outbox: Outbox, now: number): number {
  return outbox.reduce((time, p) => Math.max(time, p.written_at + 1), now);
}

/**
 * What was kept from before, among what is held: in the order written. What was under way in a window that
 * is gone is sent again: its key tells whether it had arrived. Times to wait for were that window's.
 */
export function restored(outbox: Outbox, drafts: readonly Draft[]): Outbox {
  const held = outbox.map((p): Pending => ({ ...p, status: p.status === 'sending' ? 'queued' : p.status, due: 0 }));
  const all = drafts.reduce(enqueue, held as Outbox);
  return [...all].sort((a, b) => a.written_at - b.written_at);
}

/** The sends to start now: of each chat the first that waits, unless one is in flight. */
export function startable(outbox: Outbox, now: number): Pending[] {
  return heads(outbox).filter((p) => p.status === 'queued' && p.due <= now);
}

/** When to look again, or null when nothing waits for a time. */
export function nextDue(outbox: Outbox, now: number): number | null {
  const times = heads(outbox)
    .filter((p) => p.status === 'queued' && p.due > now)
    .map((p) => p.due);
  return times.length === 0 ? null : Math.min(...times);
}

function heads(outbox: Outbox): Pending[] {
  const chats = new Set<string>();
  return outbox.filter((p) => {
    if (p.status === 'acked' || p.status === 'failed' || chats.has(p.chat_id)) return false;
    chats.add(p.chat_id);
    return true;
  });
}

export function started(outbox: Outbox, key: string): Outbox {
  return change(outbox, key, (p) => ({ ...p, status: 'sending' }));
}

/** The server has it. It stays until its event, or history, shows it in its place. */
export function acked(outbox: Outbox, key: string, ack: Sent): Outbox {
  return change(outbox, key, (p) => ({ ...p, status: 'acked', ack }));
}

/** An attempt went wrong: once more after `delayMs` when that may help, else failed until retried by hand. */
export function refused(outbox: Outbox, key: string, err: unknown, now: number, delayMs: number): Outbox {
  return change(outbox, key, (p) => {
    if (p.status !== 'sending') return p;
    const attempts = p.attempts + 1;
    const stumbles = (err as Partial<ProblemError>).code === 'internal';
    if (isPassing(err) && !(stumbles && attempts >= maxAttempts)) return { ...p, status: 'queued', attempts, due: now + delayMs };
    return { ...p, status: 'failed', attempts, reason: sentence(err) };
  });
}

/** The connection went away under an attempt: the same key goes out again, not before `due`. */
export function interrupted(outbox: Outbox, key: string, due = 0): Outbox {
  return change(outbox, key, (p) => (p.status === 'sending' ? { ...p, status: 'queued', due } : p));
}

/** A person asks again: same key, behind what was written since. */
export function retried(outbox: Outbox, key: string): Outbox {
  const found = outbox.find((p) => p.key === key && p.status === 'failed');
  if (!found) return outbox;
  const { reason: _reason, ...rest } = found;
  return [...outbox.filter((p) => p !== found), { ...rest, status: 'queued', attempts: 0, due: 0 }];
}

/** A person gives up on a failed send. */
export function discarded(outbox: Outbox, key: string): Outbox {
  return outbox.filter((p) => p.key !== key || p.status !== 'failed');
}

/** The event that carries a send's key is its end, with or without an ack. */
export function settledByEvent(outbox: Outbox, event: ChatEvent, me: string): Outbox {
  const known = event as KnownEvent;
  if (known.op !== 'message.created' || known.d.sender_id !== me || !known.d.key) return outbox;
  return without(outbox, (p) => p.key === known.d.key && p.chat_id === event.chat_id);
}

/** Drops acknowledged sends that the held history covers: `cursorOf` gives undefined for a chat not held. */
export function settledByCursor(outbox: Outbox, cursorOf: (chatId: string) => number | undefined): Outbox {
  return without(outbox, (p) => {
    if (p.status !== 'acked' || !p.ack) return false;
    const cursor = cursorOf(p.chat_id);
    return cursor === undefined || p.ack.seq <= cursor;
  });
}

function change(outbox: Outbox, key: string, fn: (p: Pending) => Pending): Outbox {
  return outbox.map((p) => (p.key === key ? fn(p) : p));
}

function without(outbox: Outbox, gone: (p: Pending) => boolean): Outbox {
  return outbox.some(gone) ? outbox.filter((p) => !gone(p)) : outbox;
}
