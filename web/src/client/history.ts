import { applyEvent, entryUpToDate, foldTimeline, skipHole } from './apply';
import { withChat, type ChatState, type State, type Timeline } from './state';
import type { Entry, EventPage, HistoryPage } from './types';

/**
 * How answers to reads change what the client holds. An answer is a snapshot as of its `last_seq`, and
 * arrives at any time: events after that seq are applied to it, events up to it are ignored. Pure.
 */

/** `again` means that the answer is older than what the client can bring up to date: read once more. */
export type Taken = { state: State; again: boolean };

/** The newest page of a chat: it replaces what was loaded. */
export function takeNewest(state: State, chatId: string, page: HistoryPage): Taken {
  const chat = state.chats.get(chatId);
  if (!chat) return { state, again: false };
  if (tooOld(state, chat, page)) return { state, again: true };
  const timeline = upToDate(chat, page, page.last_seq, state.me);
  return { state: withChat(state, chatId, { ...chat, timeline, stale: false }), again: false };
}

/** The page before `beforeSeq`, the first message that was loaded when it was asked for. */
export function takeOlder(state: State, chatId: string, beforeSeq: number, page: HistoryPage): Taken {
  const chat = state.chats.get(chatId);
  const timeline = chat?.timeline;
  if (!chat || !timeline || chat.stale || timeline.lines[0]?.message.seq !== beforeSeq) {
    return { state, again: false };
  }
  if (tooOld(state, chat, page)) return { state, again: true };
  const older = upToDate(chat, page, Number.MAX_SAFE_INTEGER, state.me);
  const merged = { ...timeline, lines: [...older.lines, ...timeline.lines], hasBefore: page.has_more };
  return { state: withChat(state, chatId, { ...chat, timeline: merged }), again: false };
}

/** Whether the answer is from before what the log can bring up to date. */
export function tooOld(state: State, chat: ChatState, page: HistoryPage): boolean {
  return otherHistory(state, page) || page.last_seq < chat.cursor - chat.log.length;
}

function otherHistory(state: State, page: { epoch: string }): boolean {
  return state.epoch !== '' && page.epoch !== state.epoch;
}

/** The page as a timeline, with the events applied that came after it. */
function upToDate(chat: ChatState, page: HistoryPage, asOf: number, me: string): Timeline {
  const lines = page.messages.map((message) => ({ message, asOf: page.last_seq }));
  const read: Timeline = { lines, hasBefore: page.has_more, asOf };
  const later = chat.log.filter((event) => event.seq > page.last_seq);
  return later.reduce((timeline, event) => foldTimeline(timeline, event, me), read);
}

/** A chat's entry, read because the held one was marked stale. */
export function takeEntry(state: State, entry: Entry): Taken {
  const chat = state.chats.get(entry.id);
  if (!chat) return { state, again: false };
  const fresh = entryUpToDate(chat, entry, state.me);
  if (!fresh) return { state, again: true };
  const next = { ...chat, entry: fresh, entryStale: false, memberRev: chat.memberRev + 1 };
  return { state: withChat(state, entry.id, next), again: false };
}

/** Missed events, read to fill a hole. `again` means that the hole is not closed yet. */
export function takeEvents(state: State, chatId: string, page: EventPage): Taken {
  const held = state.chats.get(chatId);
  if (!held) return { state, again: false };
  if (otherHistory(state, page)) return { state, again: true };
  const end = page.reset?.seq ?? page.last_seq;
  // Read before what is held by now came another way.
  if (end <= held.cursor) return { state, again: held.ahead.length > 0 };
  if (page.reset) return { state: skipHole(state, chatId, end), again: false };
  const next = page.events.reduce(applyEvent, state);
  const chat = next.chats.get(chatId)!;
  if (chat.cursor === held.cursor) return { state: skipHole(next, chatId, end), again: false };
  return { state: next, again: chat.ahead.length > 0 || chat.cursor < end };
}

/** Forgets all lines of a chat but the latest, so that a long day does not fill the memory. */
export function trimTimeline(state: State, chatId: string, keep: number): State {
  const chat = state.chats.get(chatId);
  if (!chat?.timeline || chat.timeline.lines.length <= keep) return state;
  const timeline = { ...chat.timeline, lines: chat.timeline.lines.slice(-keep), hasBefore: true };
  return withChat(state, chatId, { ...chat, timeline });
}

/** Forgets a chat's lines: they are read again when it is shown. */
export function dropTimeline(state: State, chatId: string): State {
  const chat = state.chats.get(chatId);
  return chat ? withChat(state, chatId, { ...chat, timeline: null, past: null, stale: false }) : state;
}
