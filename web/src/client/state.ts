import type { ChatEvent, Cursor, Entry, Message } from './types';

/**
 * What the client holds. Every value is immutable: a change creates new objects for what changed
 * and shares the rest. Everything from the server carries the seq as of which it is true, and an
 * event touches only what is older than itself. That one rule makes late answers harmless.
 */

/** A message and the seq as of which its content was read. */
export interface Line {
  readonly message: Message;
  readonly asOf: number;
}

/** The loaded part of a chat's history: always its newest end, in seq order, without holes. */
export interface History {
  readonly lines: readonly Line[];
  readonly hasBefore: boolean;
  /** Messages created up to this seq are in `lines`, or before them. */
  readonly asOf: number;
}

/**
 * A part of the history away from its newest end, read around a message that was jumped to. In seq
 * order, without holes. Joins `History` as soon as the two touch.
 */
export interface Past {
  readonly lines: readonly Line[];
  readonly hasBefore: boolean;
  readonly hasAfter: boolean;
}

export interface ChatState {
  /** True as of `entry.last_seq`, which may be ahead of `cursor` while a replay runs. */
  readonly entry: Entry;
  /** Whether the entry lacks changes that no event will bring, and must be read again. */
  readonly entryStale: boolean;
  /** The last seq that was applied. */
  readonly cursor: number;
  /** The latest applied events, consecutive up to `cursor`. Brings late answers up to date. */
  readonly log: readonly ChatEvent[];
  /** Events beyond a hole, in seq order, until the hole is filled. */
  readonly ahead: readonly ChatEvent[];
  readonly history: History | null;
  readonly past: Past | null;
  /** Whether the history has a gap and must be read again when the chat is next shown. */
  readonly stale: boolean;
  /** Changes whenever the member list may have changed. */
  readonly memberRev: number;
  /** The other members' cursors, as far as known. */
  readonly cursors: ReadonlyMap<string, Cursor>;
  /** The `memberRev` at which the `cursors` of all other members were read; null if never. */
  readonly cursorsRev: number | null;
}

/** The running resume: the cursors sent, and the chats the server has named so far. */
export interface Resume {
  readonly sent: ReadonlySet<string>;
  readonly seen: ReadonlySet<string>;
}

export interface State {
  readonly me: string;
  /** The database's epoch that the cursors belong to; set by `ready`. */
  readonly epoch: string;
  readonly chats: ReadonlyMap<string, ChatState>;
  readonly resume: Resume | null;
  /** Whether a `ready` has ever arrived: before that, an empty list of chats means nothing. */
  readonly loaded: boolean;
}

/** The state after an answer to a read. `again`: it is too old or incomplete, so read once more. */
export interface Applied {
  readonly state: State;
  readonly again: boolean;
}

/** Fits a page of missed events and those beyond it: listeners are called from the log. */
export const logLimit = 200;
export const aheadLimit = 100;
const previewLength = 200;

export function emptyState(me: string): State {
  return { me, epoch: '', chats: new Map(), resume: null, loaded: false };
}

/** A chat known only by its entry. */
export function fromEntry(entry: Entry): ChatState {
  return {
    entry,
    entryStale: false,
    cursor: entry.last_seq,
    log: [],
    ahead: [],
    history: null,
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

/** The message as a chat list shows it, cut to its beginning. */
export function preview(message: Message): Message {
  const chars = Array.from(message.body);
  return chars.length <= previewLength ? message : { ...message, body: chars.slice(0, previewLength).join('') };
}

/** When something last happened, to order the list by. */
export function activity(entry: Entry): string {
  return entry.last_message?.created_at ?? entry.created_at;
}

/** All chats, newest activity first; equal times by id, so that the order never flickers. */
export function byActivity(state: State): ChatState[] {
  return [...state.chats.values()].sort(
    (a, b) => compare(activity(b.entry), activity(a.entry)) || compare(b.entry.id, a.entry.id),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The index of the line with that seq, or -1. */
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
