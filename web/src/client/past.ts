import { foldPast } from './apply';
import { tooOld } from './history';
import { lineIndex, withChat, type Applied, type ChatState, type Line, type Past, type State } from './state';
import type { AroundPage, HistoryPage } from './types';

/** How a part of the past is read, grows, and joins the history once they touch. Pure. */

/** Reports whether the message at that seq can be shown without a read. */
export function holds(chat: ChatState, seq: number): boolean {
  const shown = chat.past ?? chat.history;
  return !!shown && !(chat.stale && !chat.past) && lineIndex(shown.lines, seq) >= 0;
}

/** Puts the page around a message in place of any past that was held. */
export function putAround(state: State, chatId: string, page: AroundPage): Applied {
  return put(state, chatId, page, (chat) => ({
    lines: upToDate(chat, page, state.me),
    hasBefore: page.has_before,
    hasAfter: page.has_after,
  }));
}

/** Adds the page before `beforeSeq`, the first message of the past when the page was requested. */
export function putPastOlder(state: State, chatId: string, beforeSeq: number, page: HistoryPage): Applied {
  return put(state, chatId, page, (chat) => {
    if (chat.past?.lines[0]?.message.seq !== beforeSeq) return chat.past;
    return { ...chat.past, lines: [...upToDate(chat, page, state.me), ...chat.past.lines], hasBefore: page.has_more };
  });
}

/** Adds the page after `afterSeq`, the last message of the past when the page was requested. */
export function putNewer(state: State, chatId: string, afterSeq: number, page: HistoryPage): Applied {
  return put(state, chatId, page, (chat) => {
    if (chat.past?.lines.at(-1)?.message.seq !== afterSeq) return chat.past;
    return { ...chat.past, lines: [...chat.past.lines, ...upToDate(chat, page, state.me)], hasAfter: page.has_more };
  });
}

/** Drops the past, which leaves the history with the newest messages. */
export function leavePast(state: State, chatId: string): State {
  const chat = state.chats.get(chatId);
  return chat?.past ? withChat(state, chatId, { ...chat, past: null }) : state;
}

function put(state: State, chatId: string, page: HistoryPage, past: (chat: ChatState) => Past | null): Applied {
  const chat = state.chats.get(chatId);
  if (!chat) return { state, again: false };
  if (tooOld(state, chat, page)) return { state, again: true };
  return { state: withChat(state, chatId, joined({ ...chat, past: past(chat) })), again: false };
}

/** The page's lines, with later events applied. */
function upToDate(chat: ChatState, page: HistoryPage, me: string): readonly Line[] {
  const lines = page.messages.map((message) => ({ message, asOf: page.last_seq }));
  const read: Past = { lines, hasBefore: true, hasAfter: true };
  const later = chat.log.filter((event) => event.seq > page.last_seq);
  return later.reduce((past, event) => foldPast(past, event, me), read).lines;
}

/** Prepends the past to the history once they overlap or nothing lies between them. */
function joined(chat: ChatState): ChatState {
  const { past, history } = chat;
  const first = history?.lines[0]?.message.seq;
  if (!past || !history || chat.stale || first === undefined) return chat;
  const last = past.lines.at(-1)?.message.seq ?? 0;
  if (past.hasAfter && last < first) return chat;
  const before = past.lines.filter(({ message }) => message.seq < first);
  const lines = [...before, ...history.lines];
  const hasBefore = before.length > 0 ? past.hasBefore : history.hasBefore;
  return { ...chat, past: null, history: { ...history, lines, hasBefore } };
}
