import { foldPast } from './apply';
import { tooOld, type Taken } from './history';
import { lineIndex, withChat, type ChatState, type Line, type Past, type State } from './state';
import type { AroundPage, HistoryPage } from './types';

/** How a part of the past is read, grows, and becomes one with the timeline when it touches it. Pure. */

/** Whether the message of that seq can be shown without reading. */
export function holds(chat: ChatState, seq: number): boolean {
  const shown = chat.past ?? chat.timeline;
  return !!shown && !(chat.stale && !chat.past) && lineIndex(shown.lines, seq) >= 0;
}

/** The page around a message takes the place of whatever past was held. */
export function takeAround(state: State, chatId: string, page: AroundPage): Taken {
  return take(state, chatId, page, (chat) => ({
    lines: upToDate(chat, page, state.me),
    hasBefore: page.has_before,
    hasAfter: page.has_after,
  }));
}

/** The page before `beforeSeq`, the first message of the past when it was asked for. */
export function takePastOlder(state: State, chatId: string, beforeSeq: number, page: HistoryPage): Taken {
  return take(state, chatId, page, (chat) => {
    if (chat.past?.lines[0]?.message.seq !== beforeSeq) return chat.past;
    return { ...chat.past, lines: [...upToDate(chat, page, state.me), ...chat.past.lines], hasBefore: page.has_more };
  });
}

/** The page after `afterSeq`, the last message of the past when it was asked for. */
export function takeNewer(state: State, chatId: string, afterSeq: number, page: HistoryPage): Taken {
  return take(state, chatId, page, (chat) => {
    if (chat.past?.lines.at(-1)?.message.seq !== afterSeq) return chat.past;
    return { ...chat.past, lines: [...chat.past.lines, ...upToDate(chat, page, state.me)], hasAfter: page.has_more };
  });
}

/** The newest end again. */
export function leavePast(state: State, chatId: string): State {
  const chat = state.chats.get(chatId);
  return chat?.past ? withChat(state, chatId, { ...chat, past: null }) : state;
}

function take(state: State, chatId: string, page: HistoryPage, past: (chat: ChatState) => Past | null): Taken {
  const chat = state.chats.get(chatId);
  if (!chat) return { state, again: false };
  if (tooOld(state, chat, page)) return { state, again: true };
  return { state: withChat(state, chatId, joined({ ...chat, past: past(chat) })), again: false };
}

/** The page's lines, with the events applied that came after it. */
function upToDate(chat: ChatState, page: HistoryPage, me: string): readonly Line[] {
  const lines = page.messages.map((message) => ({ message, asOf: page.last_seq }));
  const read: Past = { lines, hasBefore: true, hasAfter: true };
  const later = chat.log.filter((event) => event.seq > page.last_seq);
  return later.reduce((past, event) => foldPast(past, event, me), read).lines;
}

/** The past becomes the head of the timeline once it reaches it, or nothing lies between them. */
function joined(chat: ChatState): ChatState {
  const { past, timeline } = chat;
  const first = timeline?.lines[0]?.message.seq;
  if (!past || !timeline || chat.stale || first === undefined) return chat;
  const last = past.lines.at(-1)?.message.seq ?? 0;
  if (past.hasAfter && last < first) return chat;
  const before = past.lines.filter(({ message }) => message.seq < first);
  const lines = [...before, ...timeline.lines];
  const hasBefore = before.length > 0 ? past.hasBefore : timeline.hasBefore;
  return { ...chat, past: null, timeline: { ...timeline, lines, hasBefore } };
}
