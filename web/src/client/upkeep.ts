import { applyReset } from './apply';
import { isPassing } from './errors';
import { dropTimeline, trimTimeline } from './history';
import { leavePast } from './past';
import type { Reads } from './reads';
import type { ChatState } from './state';
import type { Store } from './store';

/** How many lines a chat keeps that is not shown; it may grow to twice as many before it is cut. */
const keepLines = 100;
/** How many lines the shown chat keeps when as many events have come live. */
const keepShown = 5_000;
/** How many chats keep lines: those that were shown last. */
const keepChats = 50;
const againMs = 15_000;

/**
 * Keeps what is held whole and small: starts the reads that a chat is in want of, and lets go of what
 * nobody looks at.
 */
export class Upkeep {
  readonly #store: Store;
  readonly #reads: Reads;
  readonly #onError: (err: unknown) => void;
  #shown: string | null = null;
  /** The chats with lines, the one that was shown last at the end. */
  #lately: readonly string[] = [];
  /** Events that came into the shown chat since it was cut. */
  #grown = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(store: Store, reads: Reads, onError: (err: unknown) => void) {
    this.#store = store;
    this.#reads = reads;
    this.#onError = onError;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  show(id: string | null): void {
    const before = this.#shown;
    if (id === before) return;
    this.#shown = id;
    this.#grown = 0;
    if (before) {
      this.#cut(before, keepLines);
      this.#store.set({ state: leavePast(this.#state, before) });
    }
    if (id) this.#lately = [...this.#lately.filter((other) => other !== id), id];
    if (this.#lately.length > keepChats) this.#drop(this.#lately[0]!);
    this.tend(id);
  }

  /** Something came to a chat. */
  look(id: string): void {
    if (id === this.#shown) {
      if (++this.#grown > keepShown) this.#cut(id, keepShown);
    } else if ((this.#state.chats.get(id)?.timeline?.lines.length ?? 0) > 2 * keepLines) this.#cut(id, keepLines);
    this.tend(id);
  }

  /** Starts the reads that a chat is in want of. */
  tend(id = this.#shown): void {
    const chat = id ? this.#state.chats.get(id) : undefined;
    if (!id || !chat) return;
    if (chat.ahead.length > 0) this.#background(this.#reads.hole(id));
    if (chat.entryStale) this.#background(this.#reads.entry(id));
    if (id !== this.#shown) return;
    if (!chat.timeline || chat.stale) this.#background(this.#reads.newest(id));
    const small = chat.entry.member_count <= (this.#store.get().hello?.limits?.receipts_members ?? 0);
    // Without them messages count as sent, no more: nobody needs to hear of it.
    if (small && chat.cursorsRev !== chat.memberRev) this.#reads.cursors(id).catch(() => {});
  }

  /** After a resume. */
  tendAll(): void {
    for (const [id, chat] of this.#state.chats) {
      this.#catchUp(id, chat);
      this.tend(id);
    }
  }

  /** What a resume did not replay is read, or, when it is a lot, left to the next time that the chat is shown. */
  #catchUp(id: string, { timeline, stale, cursor, entry }: ChatState): void {
    if (!timeline || stale || cursor >= entry.last_seq) return;
    const window = this.#store.get().hello?.limits?.resume_window ?? 0;
    if (entry.last_seq - cursor > window) this.#store.set({ state: applyReset(this.#state, id, entry.last_seq) });
    else this.#background(this.#reads.hole(id));
  }

  /** A read that fails for now is wanted all the same: whoever waits for nothing would not start it again. */
  #background(read: Promise<void>): void {
    read.catch((err: unknown) => {
      this.#onError(err);
      if (isPassing(err)) this.#timer ??= setTimeout(() => this.#again(), againMs);
    });
  }

  #again(): void {
    this.#timer = undefined;
    // Else the next `ready` does.
    if (this.#store.get().connection.phase === 'online') this.tendAll();
  }

  #cut(id: string, keep: number): void {
    this.#grown = 0;
    this.#store.set({ state: trimTimeline(this.#state, id, keep) });
  }

  #drop(id: string): void {
    this.#lately = this.#lately.slice(1);
    this.#store.set({ state: dropTimeline(this.#state, id) });
  }

  get #state() {
    return this.#store.get().state;
  }
}
