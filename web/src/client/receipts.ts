import { withChat, type Applied, type ChatState, type State } from './state';
import type { Cursor, MemberCursor } from './types';

/**
 * How far the other members of a chat have received and read it. Cursors only grow, so late or
 * repeated ones change nothing. Pure.
 */

/** The state of a stored own message: the least that is true for all other members. */
export type Receipt = 'sent' | 'delivered' | 'read';

/** The further of the two cursors in each part. What is read is also delivered. */
export function furthest(held: Cursor | undefined, told: Cursor): Cursor {
  const read_seq = Math.max(held?.read_seq ?? 0, told.read_seq);
  return { read_seq, delivered_seq: Math.max(held?.delivered_seq ?? 0, told.delivered_seq, read_seq) };
}

/** Applies another member's cursor from a push. */
export function applyCursor(state: State, chatId: string, user: string, cursor: Cursor): State {
  const chat = state.chats.get(chatId);
  if (!chat) return state;
  const cursors = moved(chat, user, cursor);
  return cursors === chat.cursors ? state : withChat(state, chatId, { ...chat, cursors });
}

/** The cursors after a user's message, which implies that they read everything before it. */
export function sent(chat: ChatState, user: string, seq: number): ChatState['cursors'] {
  return moved(chat, user, { read_seq: seq, delivered_seq: seq });
}

/** Ignores unknown users once all members are known: a removed member's cursor may arrive late. */
function moved({ cursors, cursorsRev }: ChatState, user: string, cursor: Cursor): ChatState['cursors'] {
  const held = cursors.get(user);
  if (!held && cursorsRev !== null) return cursors;
  const next = furthest(held, cursor);
  if (held?.read_seq === next.read_seq && held.delivered_seq === next.delivered_seq) return cursors;
  return new Map(cursors).set(user, next);
}

/** Puts the cursors of all members, requested when the member list was at `rev`. */
export function putCursors(state: State, chatId: string, rev: number, read: readonly MemberCursor[]): Applied {
  const chat = state.chats.get(chatId);
  if (!chat) return { state, again: false };
  if (chat.memberRev !== rev) return { state, again: true };
  const others = read.filter(({ user_id }) => user_id !== state.me);
  const cursors = new Map(others.map((cursor) => [cursor.user_id, furthest(chat.cursors.get(cursor.user_id), cursor)]));
  return { state: withChat(state, chatId, { ...chat, cursors, cursorsRev: rev }), again: false };
}

/** The point all other members have reached; null if there are none, or too many for receipts. */
export function reach({ cursors, cursorsRev, entry }: ChatState, receiptsMembers: number): Cursor | null {
  if (cursorsRev === null || cursors.size === 0 || entry.member_count > receiptsMembers) return null;
  const all = [...cursors.values()];
  return {
    read_seq: Math.min(...all.map((cursor) => cursor.read_seq)),
    delivered_seq: Math.min(...all.map((cursor) => cursor.delivered_seq)),
  };
}

/** The state of the message at `seq`, given the point that all others have reached. */
export function receipt(reached: Cursor | null, seq: number): Receipt {
  if (!reached || reached.delivered_seq < seq) return 'sent';
  return reached.read_seq < seq ? 'delivered' : 'read';
}

/** The other members, grouped by their receipt of the message at `seq`. */
export function receivers({ cursors }: ChatState, seq: number): Record<Receipt, string[]> {
  const by: Record<Receipt, string[]> = { sent: [], delivered: [], read: [] };
  for (const [user, cursor] of cursors) by[receipt(cursor, seq)].push(user);
  return by;
}
