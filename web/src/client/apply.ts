import { foldEntry } from './entry';
import { aboutMessage, createdMessage, foldMessage } from './message';
import { furthest, sent } from './receipts';
import {
  aheadLimit,
  fromEntry,
  lineIndex,
  logLimit,
  withChat,
  withoutChat,
  type ChatState,
  type Line,
  type Past,
  type State,
  type History,
} from './state';
import type { ChatEvent, Cursor, Entry, KnownEvent, Membership } from './types';

/** How the server's pushes change what the client holds. Pure: no time, network or randomness. */

/**
 * Begins a resume: returns the cursors to send and the state that awaits the answer. What was read
 * before the first `ready` belongs to no epoch yet, and is replayed by none.
 */
export function beginResume(state: State): { state: State; cursors: Record<string, number> } {
  const cursors: Record<string, number> = {};
  for (const [id, chat] of state.chats) {
    if (state.epoch && chat.history && !chat.stale) cursors[id] = chat.cursor;
  }
  const resume = { sent: new Set(Object.keys(cursors)), seen: new Set<string>() };
  return { state: { ...state, resume }, cursors };
}

/** Marks everything as stale, since it belongs to another epoch: it is read again when shown. */
export function forget(state: State): State {
  const chats = [...state.chats].map(([id, chat]) => [id, resetChat(chat, chat.cursor)] as const);
  return { ...state, chats: new Map(chats) };
}

/** Applies a `chats` frame of a resume. */
export function putChats(state: State, entries: readonly Entry[]): State {
  const chats = new Map(state.chats);
  const seen = new Set(state.resume?.seen);
  for (const entry of entries) {
    seen.add(entry.id);
    chats.set(entry.id, resumed(chats.get(entry.id), entry, state.resume?.sent.has(entry.id) ?? false));
  }
  return { ...state, chats, resume: { sent: state.resume?.sent ?? new Set(), seen } };
}

function resumed(chat: ChatState | undefined, entry: Entry, replayed: boolean): ChatState {
  if (!chat) return fromEntry(entry);
  const next = { ...chat, entry, entryStale: false, memberRev: chat.memberRev + 1 };
  if (replayed) return { ...next, ahead: [] };
  const gap = chat.stale || (chat.history !== null && chat.history.asOf < entry.last_seq);
  return { ...next, cursor: entry.last_seq, log: [], ahead: [], stale: gap, past: null, cursors: new Map(), cursorsRev: null };
}

/** Applies `ready`: the cursors belong to this epoch, chats the server did not name are gone. */
export function finishResume(state: State, epoch: string): State {
  const seen = state.resume?.seen ?? new Set<string>();
  const chats = new Map([...state.chats].filter(([id]) => seen.has(id)));
  return { ...state, chats, epoch, resume: null, loaded: true };
}

/** Applies a `reset`: the events between the cursor and `seq` will not arrive. */
export function applyReset(state: State, chatId: string, seq: number): State {
  const chat = state.chats.get(chatId);
  return chat ? withChat(state, chatId, resetChat(chat, seq)) : state;
}

/** Like `applyReset`, for a hole that could not be filled: keeps and applies events beyond it. */
export function skipHole(state: State, chatId: string, seq: number): State {
  const chat = state.chats.get(chatId);
  if (!chat) return state;
  return withChat(state, chatId, applyAhead({ ...resetChat(chat, seq), ahead: chat.ahead }, state.me));
}

function resetChat(chat: ChatState, seq: number): ChatState {
  return {
    ...chat,
    cursor: seq,
    log: [],
    ahead: [],
    stale: chat.history !== null,
    past: null,
    entryStale: chat.entry.last_seq !== seq,
    memberRev: chat.memberRev + 1,
    cursors: new Map(),
    cursorsRev: null,
  };
}

/** Applies `chat.joined`, which acts as a reset at the entry's `last_seq`. */
export function applyJoined(state: State, entry: Entry): State {
  const held = state.chats.get(entry.id);
  const chat = held ? { ...resetChat(held, entry.last_seq), entry, entryStale: false } : fromEntry(entry);
  const next = withChat(state, entry.id, chat);
  if (!next.resume) return next;
  return { ...next, resume: { ...next.resume, seen: new Set(next.resume.seen).add(entry.id) } };
}

/** Applies `chat.left`, unless it is older than the present membership. */
export function applyLeft(state: State, chatId: string, seq: number): State {
  const chat = state.chats.get(chatId);
  return chat && chat.entry.added_seq <= seq ? withoutChat(state, chatId) : state;
}

/**
 * Moves the user's own cursor, from here or another device: the further of the two wins. The
 * server's counts apply if it has read further; otherwise the local ones, which include later
 * events, are better.
 */
export function applyOwnCursor(
  state: State,
  chatId: string,
  cursor: Cursor & { unread?: number; mentions?: number },
): State {
  const chat = state.chats.get(chatId);
  if (!chat) return state;
  const { entry } = chat;
  const next = { ...entry, ...furthest(entry, cursor) };
  if (next.read_seq === entry.read_seq && next.delivered_seq === entry.delivered_seq) return state;
  if (next.read_seq > entry.read_seq) {
    const all = next.read_seq >= (entry.last_message?.seq ?? 0);
    next.unread = all ? 0 : (cursor.unread ?? entry.unread);
    next.mentions = all ? 0 : (cursor.mentions ?? entry.mentions);
  }
  return withChat(state, chatId, { ...chat, entry: next });
}

/** Applies what the user changed about a chat for themselves, here or on another device. */
export function applyMembership(state: State, chatId: string, change: Partial<Membership>): State {
  const chat = state.chats.get(chatId);
  return chat ? withChat(state, chatId, { ...chat, entry: { ...chat.entry, ...change } }) : state;
}

/** Applies the next event, ignores one that is held, keeps one that lies beyond a hole. */
export function applyEvent(state: State, event: ChatEvent): State {
  const chat = state.chats.get(event.chat_id);
  return chat ? withChat(state, event.chat_id, advance(chat, event, state.me)) : state;
}

function advance(chat: ChatState, event: ChatEvent, me: string): ChatState {
  if (event.seq <= chat.cursor) return chat;
  if (event.seq !== chat.cursor + 1) return { ...chat, ahead: insert(chat.ahead, event) };
  return applyAhead(step(chat, event, me), me);
}

function applyAhead(chat: ChatState, me: string): ChatState {
  let next = chat;
  while (next.ahead.length > 0 && next.ahead[0]!.seq <= next.cursor + 1) {
    const [first, ...ahead] = next.ahead;
    next = { ...next, ahead };
    if (first!.seq === next.cursor + 1) next = step(next, first!, me);
  }
  return next;
}

function insert(ahead: readonly ChatEvent[], event: ChatEvent): readonly ChatEvent[] {
  if (ahead.some((held) => held.seq === event.seq)) return ahead;
  const all = [...ahead, event].sort((a, b) => a.seq - b.seq);
  // Keep the last one: it marks how far to read.
  return all.length > aheadLimit ? all.toSpliced(-2, 1) : all;
}

function step(chat: ChatState, event: ChatEvent, me: string): ChatState {
  const next = { ...chat, cursor: event.seq, log: [...chat.log, event].slice(-logLimit) };
  if (chat.history && !chat.stale) next.history = foldHistory(chat.history, event, me);
  if (chat.past) next.past = foldPast(chat.past, event, me);
  if (event.op.startsWith('member.')) next.memberRev = chat.memberRev + 1;
  if (event.op === 'message.created' && event.actor_id !== me) next.cursors = sent(chat, event.actor_id, event.seq);
  if (event.seq <= chat.entry.last_seq) return next;
  const folded = foldEntry(chat.entry, event, me, held(chat, event));
  return { ...next, entry: folded.entry, entryStale: chat.entryStale || !folded.exact };
}

function held(chat: ChatState, event: ChatEvent) {
  const seq = aboutMessage(event);
  const lines = chat.stale ? [] : (chat.history?.lines ?? []);
  const past = chat.past?.lines ?? [];
  return (lines[lineIndex(lines, seq)] ?? past[lineIndex(past, seq)])?.message;
}

/** The history after the event. Lines read as of a later seq already include it. */
export function foldHistory(history: History, event: ChatEvent, me: string): History {
  const known = event as KnownEvent;
  if (known.op === 'message.created') {
    if (event.seq <= history.asOf) return history;
    return { ...history, lines: [...history.lines, { message: createdMessage(known), asOf: event.seq }] };
  }
  return foldLines(history, event, me);
}

/** The past after the event. New messages lie beyond its end and belong to the history. */
export function foldPast(past: Past, event: ChatEvent, me: string): Past {
  return event.op === 'message.created' ? past : foldLines(past, event, me);
}

function foldLines<T extends { readonly lines: readonly Line[] }>(part: T, event: ChatEvent, me: string): T {
  const index = lineIndex(part.lines, aboutMessage(event));
  const line = part.lines[index];
  if (!line || event.seq <= line.asOf) return part;
  const changed = { message: foldMessage(line.message, event, me), asOf: line.asOf };
  return { ...part, lines: part.lines.with(index, changed) };
}

/** The entry, with the events applied since; null if the log does not reach back far enough. */
export function entryUpToDate(chat: ChatState, entry: Entry, me: string): Entry | null {
  if (entry.last_seq < chat.cursor - chat.log.length) return null;
  return chat.log
    .filter((event) => event.seq > entry.last_seq)
    .reduce((folded, event) => foldEntry(folded, event, me, held(chat, event)).entry, entry);
}
