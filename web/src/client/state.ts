import type { ChatEvent, Cursor, Entry, Message } from './types';

/**
 * What the client holds. Every value is immutable: a change makes new objects for what changed and
 * shares the rest. Whatever came from the server carries the seq as of which it is true, and an event
 * touches only what is older than itself; that one rule is what makes late answers harmless.
 */

/** A message and the seq as of which its content was read. */
export interface Line {
  readonly message: Message;
  readonly asOf: number;
}

/** The loaded part of a chat's history: always its newest end, in seq order, without holes. */
export interface Timeline {
  readonly lines: readonly Line[];
  readonly hasBefore: boolean;
  /** Messages created up to this seq are in `lines`, or before them. */
  readonly asOf: number;
}

/**
 * A part of the history apart from its newest end, read around a message that was jumped to; in seq order,
 * without holes. It joins the timeline as soon as the two touch.
 */
export interface Past {
  readonly lines: readonly Line[];
  readonly hasBefore: boolean;
  readonly hasAfter: boolean;
}

export interface ChatState {
  /** True as of `entry.last_seq`, which may be ahead of `cursor` while a replay runs. */
  readonly entry: Entry;
  /** The entry misses changes that no event will bring: read it again. */
  readonly entryStale: boolean;
  /** The last seq of this chat that was applied. */
  readonly cursor: number;
  /** The latest applied events, consecutive, the last one at `cursor`. Late answers are brought up to date from it. */
  readonly log: readonly ChatEvent[];
  /** Events beyond a hole, in seq order, waiting for it to be filled. */
  readonly ahead: readonly ChatEvent[];
  readonly timeline: Timeline | null;
  readonly past: Past | null;
  /** The timeline has a gap: read history again when the chat is next shown. */
  readonly stale: boolean;
  /** Changes whenever the list of members may have changed. */
  readonly memberRev: number;
  /** How far the others have come, by user, as far as it was told. */
  readonly cursors: ReadonlyMap<string, Cursor>;
  /** The `memberRev` at which `cursors` were read and named every other member; null when never. */
  readonly cursorsRev: number | null;
}

/** What was asked for in the running resume, and which chats the server has named so far. */
export interface Resume {
  readonly sent: ReadonlySet<string>;
  readonly seen: ReadonlySet<string>;
}

export interface State {
  readonly me: string;
  /** The history of the database that the cursors belong to; set by `ready`, not before. */
  readonly epoch: string;
  readonly chats: ReadonlyMap<string, ChatState>;
  readonly resume: Resume | null;
  /** Whether a `ready` has ever come: before it, an empty list of chats means nothing. */
  readonly loaded: boolean;
}

/** As many events as a page of a hole and what waited beyond it: listeners are told from the log. */
export const logLimit = 200;
export const aheadLimit = 100;
const previewLength = 200;

export function emptyState(me: string): State {
  return { me, epoch: '', chats: new Map(), resume: null, loaded: false };
}

/** A chat of which nothing but the entry is known. */
export function fromEntry(entry: Entry): ChatState {
  return {
    entry,
    entryStale: false,
    cursor: entry.last_seq,
    log: [],
    ahead: [],
    timeline: null,
    past: null,
    stale: false,
    memberRev: entry.last_seq,
    cursors: new Map(),
    cursorsRev: null,
  };
}

export function withChat(state: State, id: string, chat: ChatState): State {
  if (state.chats.get(id) === chat) return state;
  const chats = new Map(state.chats);
  chats.set(id, chat);
  return { ...state, chats };
}

export function withoutChat(state: State, id: string): State {
  if (!state.chats.has(id)) return state;
  const chats = new Map(state.chats);
  chats.delete(id);
  return { ...state, chats };
}

/** The message as a chat list shows it. */
export function preview(message: Message): Message {
  const chars = Array.from(message.body);
  return chars.length <= previewLength ? message : { ...message, body: chars.slice(0, previewLength).join('') };
}

/** When something last happened, for the order of the list. */
export function activity(entry: Entry): string {
  return entry.last_message?.created_at ?? entry.created_at;
}

/** Newest activity first; equal times by id, so that the order never flickers. */
export function byActivity(state: State): ChatState[] {
  return [...state.chats.values()].sort(
    (a, b) => compare(activity(b.entry), activity(a.entry)) || compare(b.entry.id, a.entry.id),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Where `message_seq` stands in a timeline, or -1. */
export function lineIndex(lines: readonly Line[], seq: number): number {
  let low = 0;
  let high = lines.length - 1;
  while (low <= high) {
    const mid = (low + high) >> 1;
    const at = lines[mid]!.message.seq;
    if (at === seq) return mid;
    if (at < seq) low = mid + 1;
    else high = mid - 1;
  }
  return -1;
}
