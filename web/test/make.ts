import { applyEvent } from '../src/client/apply';
import { emptyState, fromEntry, withChat, type ChatState, type State } from '../src/client/state';
import type { ChatEvent, Entry, EventData, EventOp, File, HistoryPage, Message } from '../src/client/types';

/** Builders of wire values for tests: everything has a default, and tests state what matters. */

export const chatId = 'chat-1';
export const me = 'me';
export const other = 'other';

export function time(seq: number): string {
  return new Date(Date.UTC(2026, 0, 1, 12, 0, seq)).toISOString();
}

export function message(seq: number, change: Partial<Message> = {}): Message {
  return {
    id: `m${seq}`,
    chat_id: chatId,
    seq,
    sender_id: other,
    body: `text ${seq}`,
    mentions: [],
    reactions: [],
    version: 1,
    created_at: time(seq),
    ...change,
  };
}

export function file(change: Partial<File> = {}): File {
  return { id: 'f1', name: 'sky.png', media_type: 'image/png', size: 2048, sha256: 'a1', thumb: true, width: 800, height: 600, created_at: time(0), uploaded_by: other, ...change };
}

export function entry(change: Partial<Entry> = {}): Entry {
  return {
    id: chatId,
    kind: 'group',
    name: 'tea',
    topic: '',
    created_by: other,
    created_at: time(0),
    archived: false,
    member_count: 2,
    member_ids: [me, other],
    last_seq: 0,
    read_seq: 0,
    delivered_seq: 0,
    unread: 0,
    mentions: 0,
    role: 'member',
    muted: false,
    added_seq: 0,
    ...change,
  };
}

export function event<Op extends EventOp>(seq: number, op: Op, d: EventData[Op]): ChatEvent {
  return { op, chat_id: chatId, seq, ts: time(seq), actor_id: other, d } as ChatEvent;
}

export function created(seq: number, change: Partial<Message> & { key?: string } = {}): ChatEvent {
  return event(seq, 'message.created', message(seq, change));
}

export function edited(seq: number, of: number, body: string, version: number): ChatEvent {
  const d = { message_id: `m${of}`, message_seq: of, body, mentions: [], version, edited_at: time(seq) };
  return event(seq, 'message.edited', d);
}

export function deleted(seq: number, of: number, version: number): ChatEvent {
  return event(seq, 'message.deleted', { message_id: `m${of}`, message_seq: of, version, deleted_at: time(seq) });
}

export function reacted(seq: number, of: number, emoji = '👍', user = other): ChatEvent {
  return event(seq, 'reaction.added', { message_id: `m${of}`, message_seq: of, user_id: user, emoji });
}

export function unreacted(seq: number, of: number, emoji = '👍', user = other): ChatEvent {
  return event(seq, 'reaction.removed', { message_id: `m${of}`, message_seq: of, user_id: user, emoji });
}

export function page(messages: Message[], last_seq: number, change: Partial<HistoryPage> = {}): HistoryPage {
  return { messages, has_more: false, last_seq, epoch: 'e1', ...change };
}

/** A state with one chat, connected in epoch e1. */
export function holding(change: Partial<Entry> = {}): State {
  const state: State = { ...emptyState(me), epoch: 'e1', loaded: true };
  return withChat(state, chatId, fromEntry(entry(change)));
}

export function apply(state: State, ...events: ChatEvent[]): State {
  return events.reduce(applyEvent, state);
}

export function chatOf(state: State): ChatState {
  const chat = state.chats.get(chatId);
  if (!chat) throw new Error('the chat is not held');
  return chat;
}

/** The history as `seq:body` of each message. */
export function texts(state: State): string[] {
  return (chatOf(state).history?.lines ?? []).map(({ message: m }) => `${m.seq}:${m.body}`);
}
