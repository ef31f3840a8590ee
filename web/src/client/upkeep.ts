import { applyReset } from './apply';
import { isPassing } from './errors';
import { dropHistory, trimHistory } from './history';
import { leavePast } from './past';
import type { Reads } from './reads';
import type { ChatState } from './state';
import type { Store } from './store';

/** How many lines a hidden chat keeps; it may grow to twice as many before it is trimmed. */
const keepLines = 100;
/** How many lines the shown chat keeps once as many events have arrived live. */
const keepShown = 5_000;
/** How many chats keep their lines: those shown most recently. */
const keepChats = 50;
const againMs = 15_000;

/** Keeps the state complete and small: starts needed reads, drops what nobody looks at. */
export class Upkeep {
  readonly #store: Store;
  readonly #reads: Reads;
  readonly #onError: (err: unknown) => void;
  #shown: string | null = null;
  /** The chats with lines, the one shown last at the end. */
  #lately: readonly string[] = [];
  /** Events that arrived in the shown chat since it was trimmed. */
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

  /** Follows up after something arrived in a chat. */
  look(id: string): void {
    if (id === this.#shown) {
      if (++this.#grown > keepShown) this.#cut(id, keepShown);
    } else if ((this.#state.chats.get(id)?.history?.lines.length ?? 0) > 2 * keepLines) this.#cut(id, keepLines);
    this.tend(id);
  }

  /** Starts the reads that a chat needs. */
  tend(id = this.#shown): void {
    const chat = id ? this.#state.chats.get(id) : undefined;
    if (!id || !chat) return;
    if (chat.ahead.length > 0) this.#background(this.#reads.hole(id));
    if (chat.entryStale) this.#background(this.#reads.entry(id));
    if (id !== this.#shown) return;
    if (!chat.history || chat.stale) this.#background(this.#reads.newest(id));
    const small = chat.entry.member_count <= (this.#store.get().hello?.limits?.receipts_members ?? 0);
    // Without them messages merely show as sent: not worth reporting.
    if (small && chat.cursorsRev !== chat.memberRev) this.#reads.cursors(id).catch(() => {});
  }

  /** Tends to all chats after a resume. */
  tendAll(): void {
    for (const [id, chat] of this.#state.chats) {
      this.#catchUp(id, chat);
      this.tend(id);
    }
  }

  /** Reads what a resume did not replay; if that is a lot, only once the chat is shown. */
  #catchUp(id: string, { history, stale, cursor, entry }: ChatState): void {
    if (!history || stale || cursor >= entry.last_seq) return;
    const window = this.#store.get().hello?.limits?.resume_window ?? 0;
    if (entry.last_seq - cursor > window) this.#store.set({ state: applyReset(this.#state, id, entry.last_seq) });
    else this.#background(this.#reads.hole(id));
  }

  /** Retries a read that failed temporarily, since no caller awaits it. */
  #background(read: Promise<void>): void {
    read.catch((err: unknown) => {
      this.#onError(err);
      if (isPassing(err)) this.#timer ??= setTimeout(() => this.#again(), againMs);
    });
  }

  #again(): void {
    this.#timer = undefined;
    // Offline, the next `ready` does this.
    if (this.#store.get().connection.phase === 'online') this.tendAll();
  }

  #cut(id: string, keep: number): void {
    this.#grown = 0;
    this.#store.set({ state: trimHistory(this.#state, id, keep) });
  }

  #drop(id: string): void {
    this.#lately = this.#lately.slice(1);
    this.#store.set({ state: dropHistory(this.#state, id) });
  }

  get #state() {
    return this.#store.get().state;
  }
}
