import { applyEvent, entryUpToDate, foldHistory, skipHole } from './apply';
import { withChat, type Applied, type ChatState, type State, type History } from './state';
import type { Entry, EventPage, HistoryPage } from './types';

/**
 * How answers to reads change what the client holds. An answer is a snapshot as of its `last_seq`
 * and may arrive at any time: later events are applied to it, events up to that seq are ignored.
 * Pure.
 */

/** Puts the newest page of a chat in place of what was loaded. */
export function putNewest(state: State, chatId: string, page: HistoryPage): Applied {
  const chat = state.chats.get(chatId);
  if (!chat) return { state, again: false };
  if (tooOld(state, chat, page)) return { state, again: true };
  const history = upToDate(chat, page, page.last_seq, state.me);
  return { state: withChat(state, chatId, { ...chat, history, stale: false }), again: false };
}

/** Adds the page before `beforeSeq`, the first message loaded when the page was requested. */
export function putOlder(state: State, chatId: string, beforeSeq: number, page: HistoryPage): Applied {
  const chat = state.chats.get(chatId);
  const history = chat?.history;
  if (!chat || !history || chat.stale || history.lines[0]?.message.seq !== beforeSeq) {
    return { state, again: false };
  }
  if (tooOld(state, chat, page)) return { state, again: true };
  const older = upToDate(chat, page, Number.MAX_SAFE_INTEGER, state.me);
  const merged = { ...history, lines: [...older.lines, ...history.lines], hasBefore: page.has_more };
  return { state: withChat(state, chatId, { ...chat, history: merged }), again: false };
}

/** Reports whether the answer is too old for the log to bring up to date. */
export function tooOld(state: State, chat: ChatState, page: HistoryPage): boolean {
  return otherHistory(state, page) || page.last_seq < chat.cursor - chat.log.length;
}

function otherHistory(state: State, page: { epoch: string }): boolean {
  return state.epoch !== '' && page.epoch !== state.epoch;
}

/** The page as a history, with later events applied. */
function upToDate(chat: ChatState, page: HistoryPage, asOf: number, me: string): History {
  const lines = page.messages.map((message) => ({ message, asOf: page.last_seq }));
  const read: History = { lines, hasBefore: page.has_more, asOf };
  const later = chat.log.filter((event) => event.seq > page.last_seq);
  return later.reduce((history, event) => foldHistory(history, event, me), read);
}

/** Puts a chat's entry, read because the held one was stale. */
export function putEntry(state: State, entry: Entry): Applied {
  const chat = state.chats.get(entry.id);
  if (!chat) return { state, again: false };
  const fresh = entryUpToDate(chat, entry, state.me);
  if (!fresh) return { state, again: true };
  const next = { ...chat, entry: fresh, entryStale: false, memberRev: chat.memberRev + 1 };
  return { state: withChat(state, entry.id, next), again: false };
}

/** Applies missed events, read to fill a hole. `again` means that the hole is not closed yet. */
export function putEvents(state: State, chatId: string, page: EventPage): Applied {
  const held = state.chats.get(chatId);
  if (!held) return { state, again: false };
  if (otherHistory(state, page)) return { state, again: true };
  const end = page.reset?.seq ?? page.last_seq;
  // The answer predates what has since arrived another way.
  if (end <= held.cursor) return { state, again: held.ahead.length > 0 };
  if (page.reset) return { state: skipHole(state, chatId, end), again: false };
  const next = page.events.reduce(applyEvent, state);
  const chat = next.chats.get(chatId)!;
  if (chat.cursor === held.cursor) return { state: skipHole(next, chatId, end), again: false };
  return { state: next, again: chat.ahead.length > 0 || chat.cursor < end };
}

/** Keeps only the latest lines of a chat, so that a long day does not fill the memory. */
export function trimHistory(state: State, chatId: string, keep: number): State {
  const chat = state.chats.get(chatId);
  if (!chat?.history || chat.history.lines.length <= keep) return state;
  const history = { ...chat.history, lines: chat.history.lines.slice(-keep), hasBefore: true };
  return withChat(state, chatId, { ...chat, history });
}

/** Drops a chat's lines: they are read again when it is shown. */
export function dropHistory(state: State, chatId: string): State {
  const chat = state.chats.get(chatId);
  return chat ? withChat(state, chatId, { ...chat, history: null, past: null, stale: false }) : state;
}
