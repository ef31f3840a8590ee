import type { Taken } from './history';
import { withChat, type ChatState, type State } from './state';
import type { Cursor, MemberCursor } from './types';

/**
 * How far the other members of a chat have received and read it. Cursors only grow, so that whatever
 * comes late or twice changes nothing. Pure.
 */

/** What became of a message of one's own that the server has: the least that is true of every other member. */
export type Receipt = 'sent' | 'delivered' | 'read';

/** The further of the two in each part; what is read is delivered. */
export function furthest(held: Cursor | undefined, told: Cursor): Cursor {
  const read_seq = Math.max(held?.read_seq ?? 0, told.read_seq);
  return { read_seq, delivered_seq: Math.max(held?.delivered_seq ?? 0, told.delivered_seq, read_seq) };
}

/** Another member's cursor, as a push tells it. */
export function applyCursor(state: State, chatId: string, user: string, cursor: Cursor): State {
  const chat = state.chats.get(chatId);
  if (!chat) return state;
  const cursors = moved(chat, user, cursor);
  return cursors === chat.cursors ? state : withChat(state, chatId, { ...chat, cursors });
}

/** Who sends has read what came before, and no push tells it. */
export function sent(chat: ChatState, user: string, seq: number): ChatState['cursors'] {
  return moved(chat, user, { read_seq: seq, delivered_seq: seq });
}

/** Once all members are known, nobody joins them by a cursor: it may be the late one of somebody removed. */
function moved({ cursors, cursorsRev }: ChatState, user: string, cursor: Cursor): ChatState['cursors'] {
  const held = cursors.get(user);
  if (!held && cursorsRev !== null) return cursors;
  const next = furthest(held, cursor);
  if (held?.read_seq === next.read_seq && held.delivered_seq === next.delivered_seq) return cursors;
  return new Map(cursors).set(user, next);
}

/** The cursors of all members, asked for when the list of members was at `rev`. */
export function takeCursors(state: State, chatId: string, rev: number, read: readonly MemberCursor[]): Taken {
  const chat = state.chats.get(chatId);
  if (!chat) return { state, again: false };
  if (chat.memberRev !== rev) return { state, again: true };
  const others = read.filter(({ user_id }) => user_id !== state.me);
  const cursors = new Map(others.map((cursor) => [cursor.user_id, furthest(chat.cursors.get(cursor.user_id), cursor)]));
  return { state: withChat(state, chatId, { ...chat, cursors, cursorsRev: rev }), again: false };
}

/** Up to where every other member has come; null when there is nobody else, or more than are told of. */
export function reach({ cursors, cursorsRev, entry }: ChatState, receiptsMembers: number): Cursor | null {
  if (cursorsRev === null || cursors.size === 0 || entry.member_count > receiptsMembers) return null;
  const all = [...cursors.values()];
  return {
    read_seq: Math.min(...all.map((cursor) => cursor.read_seq)),
    delivered_seq: Math.min(...all.map((cursor) => cursor.delivered_seq)),
  };
}

/** What became of the message at `seq`, when all others have come as far as `reached`. */
export function receipt(reached: Cursor | null, seq: number): Receipt {
  if (!reached || reached.delivered_seq < seq) return 'sent';
  return reached.read_seq < seq ? 'delivered' : 'read';
}

/** The other members by how far they have come with the message at `seq`. */
export function receivers({ cursors }: ChatState, seq: number): Record<Receipt, string[]> {
  const by: Record<Receipt, string[]> = { sent: [], delivered: [], read: [] };
  for (const [user, cursor] of cursors) by[receipt(cursor, seq)].push(user);
  return by;
}
