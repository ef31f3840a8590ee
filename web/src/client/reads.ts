import { fullJitter } from './backoff';
import { DeadlineExceeded, isPassing } from './errors';
import { putEntry, putEvents, putNewest, putOlder } from './history';
import type { Rest } from './rest';
import { putAround, putNewer, putPastOlder } from './past';
import { putCursors } from './receipts';
import type { Applied, State } from './state';
import type { Store } from './store';

const pageSize = 50;
const tries = 5;
const backoff = { baseMs: 300, capMs: 5_000, random: Math.random };

/**
 * Reads what the stream does not deliver: history, stale entries, the events missing in a hole.
 * Runs one read of each kind per chat at a time.
 */
export class Reads {
  readonly #store: Store;
  readonly #rest: Rest;
  readonly #changed: (before: State) => void;
  #running = new Map<string, Promise<void>>();
  #stopped = false;

  constructor(store: Store, rest: Rest, changed: (before: State) => void) {
    this.#store = store;
    this.#rest = rest;
    this.#changed = changed;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Reads the newest page, replacing what is loaded. */
  newest(id: string): Promise<void> {
    return this.#once(`newest ${id}`, async () => {
      const page = await this.#rest.history(id, { limit: pageSize });
      return () => putNewest(this.#store.get().state, id, page);
    });
  }

  /** Reads the page before the past, if there is one, else before the history. */
  older(id: string): Promise<void> {
    return this.#once(`older ${id}`, async (state) => {
      const chat = state.chats.get(id);
      const first = (chat?.past ?? chat?.history)?.lines[0]?.message.seq;
      if (first === undefined) return this.#nothing;
      const put = chat?.past ? putPastOlder : putOlder;
      const page = await this.#rest.history(id, { before_seq: first, limit: pageSize });
      return () => put(this.#store.get().state, id, first, page);
    });
  }

  /** Reads the page after the past. */
  newer(id: string): Promise<void> {
    return this.#once(`newer ${id}`, async (state) => {
      const last = state.chats.get(id)?.past?.lines.at(-1)?.message.seq;
      if (last === undefined) return this.#nothing;
      const page = await this.#rest.history(id, { after_seq: last, limit: pageSize });
      return () => putNewer(this.#store.get().state, id, last, page);
    });
  }

  /** Reads the messages around a seq. */
  around(id: string, seq: number): Promise<void> {
    return this.#once(`around ${id} ${seq}`, async () => {
      const page = await this.#rest.around(id, seq, pageSize);
      return () => putAround(this.#store.get().state, id, page);
    });
  }

  readonly #nothing = (): Applied => ({ state: this.#store.get().state, again: false });

  entry(id: string): Promise<void> {
    return this.#once(`entry ${id}`, async () => {
      const entry = await this.#rest.chat(id);
      return () => putEntry(this.#store.get().state, entry);
    });
  }

  hole(id: string): Promise<void> {
    return this.#once(`hole ${id}`, async (state) => {
      const page = await this.#rest.events(id, state.chats.get(id)?.cursor ?? 0);
      return () => putEvents(this.#store.get().state, id, page);
    });
  }

  /** Reads the cursors of all members. */
  cursors(id: string): Promise<void> {
    return this.#once(`cursors ${id}`, async (state) => {
      const rev = state.chats.get(id)?.memberRev ?? 0;
      const { cursors } = await this.#rest.cursors(id);
      return () => putCursors(this.#store.get().state, id, rev, cursors);
    });
  }

  #once(name: string, read: (state: State) => Promise<() => Applied>): Promise<void> {
    const running = this.#running.get(name);
    if (running) return running;
    const run = this.#repeat(read).finally(() => {
      this.#running.delete(name);
      this.#show();
    });
    this.#running.set(name, run);
    this.#show();
    return run;
  }

  /** Repeats a read while its answer is too old or the server is briefly unavailable. */
  async #repeat(read: (state: State) => Promise<() => Applied>): Promise<void> {
    for (let attempt = 0; !this.#stopped; attempt++) {
      try {
        const put = await read(this.#store.get().state);
        if (this.#stopped) return;
        const before = this.#store.get().state;
        const { state, again } = put();
        this.#store.set({ state });
        this.#changed(before);
        if (!again) return;
        // Progress: this is the next part of a long answer, not another attempt.
        if (state !== before) {
          attempt = -1;
          continue;
        }
      } catch (err) {
        if (!isPassing(err) || attempt + 1 >= tries) throw err;
      }
      if (attempt + 1 >= tries) throw new DeadlineExceeded();
      await new Promise((resolve) => setTimeout(resolve, fullJitter(attempt, backoff)));
    }
  }

  #show(): void {
    const ids = [...this.#running.keys()].flatMap((name) => /^(?:newest|older|newer|around) (\S+)/.exec(name)?.[1] ?? []);
    this.#store.set({ reading: new Set(ids) });
  }
}
