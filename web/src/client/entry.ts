import { mentionsUser, createdMessage, foldMessage } from './message';
import { preview } from './state';
import type { ChatEvent, Entry, KnownEvent, Message } from './types';

/** Folds events into a chat's entry: names, counts, the last message. Pure. */

/** An entry, and whether it is exact: some counts depend on a message the client may not hold. */
export interface Folded {
  readonly entry: Entry;
  readonly exact: boolean;
}

/**
 * The entry after the event. `before` is the message the event is about, as it was before the
 * event; undefined if the client does not hold it.
 */
export function foldEntry(entry: Entry, event: ChatEvent, me: string, before: Message | undefined): Folded {
  const next = { ...entry, last_seq: event.seq };
  const known = event as KnownEvent;
  const { op } = known;
  if (op === 'message.created') delete next.hidden;
  // Whoever writes or reacts accepts.
  if (event.actor_id === me && (op === 'message.created' || op === 'reaction.added')) delete next.request;
  switch (known.op) {
    case 'chat.created':
    case 'chat.updated': {
      const { name, topic, archived } = known.d;
      return exact({ ...next, name, topic, archived });
    }
    case 'member.added':
      return exact(memberAdded(next, known.d.user_id, known.d.role, me));
    case 'member.updated':
      return exact(known.d.user_id === me ? { ...next, role: known.d.role } : next);
    case 'member.removed':
      return exact(memberRemoved(next, known.d.user_id));
    case 'message.created':
      return exact(messageCreated(next, createdMessage(known), me));
    case 'message.edited':
    case 'message.deleted':
      return messageChanged(next, known, me, before);
    default:
      return exact(next);
  }
}

function exact(entry: Entry): Folded {
  return { entry, exact: true };
}

function memberAdded(entry: Entry, user: string, role: Entry['role'], me: string): Entry {
  if (entry.member_ids?.includes(user)) return entry;
  return {
    ...entry,
    role: user === me ? role : entry.role,
    member_count: entry.member_count + 1,
    ...(entry.member_ids && { member_ids: [...entry.member_ids, user] }),
  };
}

function memberRemoved(entry: Entry, user: string): Entry {
  if (entry.member_ids && !entry.member_ids.includes(user)) return entry;
  return {
    ...entry,
    member_count: Math.max(0, entry.member_count - 1),
    ...(entry.member_ids && { member_ids: entry.member_ids.filter((id) => id !== user) }),
  };
}

function messageCreated(entry: Entry, message: Message, me: string): Entry {
  const next = { ...entry, last_message: preview(message) };
  if (message.sender_id === me) return readUpTo(next, message.seq);
  if (message.seq <= entry.read_seq) return next;
  const called = mentionsUser(message, me) && !message.deleted_at;
  return { ...next, unread: entry.unread + 1, mentions: entry.mentions + (called ? 1 : 0) };
}

/** The entry once everything up to `seq`, the newest message, is read. */
function readUpTo(entry: Entry, seq: number): Entry {
  return {
    ...entry,
    read_seq: Math.max(entry.read_seq, seq),
    delivered_seq: Math.max(entry.delivered_seq, seq),
    unread: 0,
    mentions: 0,
  };
}

type Changed = Extract<KnownEvent, { op: 'message.edited' | 'message.deleted' }>;

function messageChanged(entry: Entry, event: Changed, me: string, before: Message | undefined): Folded {
  const last = entry.last_message;
  const next =
    last?.id === event.d.message_id ? { ...entry, last_message: preview(foldMessage(last, event, me)) } : entry;
  if (event.d.message_seq <= entry.read_seq) return exact(next);
  const held = before ?? (last?.id === event.d.message_id ? last : undefined);
  if (!held) return { entry: next, exact: !mayChangeMentions(entry, event, me) };
  if (held.sender_id === me) return exact(next);
  const was = mentionsUser(held, me) ? 1 : 0;
  const is = mentionsUser(foldMessage(held, event, me), me) ? 1 : 0;
  return exact({ ...next, mentions: Math.max(0, entry.mentions + is - was) });
}

function mayChangeMentions(entry: Entry, event: Changed, me: string): boolean {
  return entry.mentions > 0 || (event.op === 'message.edited' && mentionsUser(event.d, me));
}
