import { fullJitter } from './backoff';
import { DeadlineExceeded, isPassing } from './errors';
import { takeEntry, takeEvents, takeNewest, takeOlder, type Taken } from './history';
import type { Rest } from './rest';
import { takeAround, takeNewer, takePastOlder } from './past';
import { takeCursors } from './receipts';
import type { State } from './state';
import type { Store } from './store';

const pageSize = 50;
const tries = 5;
const backoff = { baseMs: 300, capMs: 5_000, random: Math.random };

/**
 * Reads what the stream does not bring: history, entries that went stale, events missing in a hole.
 * One read of a kind and chat at a time; the answer goes through the rules of history.ts.
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

  /** The newest page, replacing what is loaded. */
  newest(id: string): Promise<void> {
    return this.#once(`newest ${id}`, async () => {
      const page = await this.#rest.history(id, { limit: pageSize });
      return () => takeNewest(this.#store.get().state, id, page);
    });
  }

  /** The page before the first message of the past, when one was jumped to, else of the timeline. */
  older(id: string): Promise<void> {
    return this.#once(`older ${id}`, async (state) => {
      const chat = state.chats.get(id);
      const first = (chat?.past ?? chat?.timeline)?.lines[0]?.message.seq;
      if (first === undefined) return this.#nothing;
      const take = chat?.past ? takePastOlder : takeOlder;
      const page = await this.#rest.history(id, { before_seq: first, limit: pageSize });
      return () => take(this.#store.get().state, id, first, page);
    });
  }

  /** The page after the last message of the past. */
  newer(id: string): Promise<void> {
    return this.#once(`newer ${id}`, async (state) => {
      const last = state.chats.get(id)?.past?.lines.at(-1)?.message.seq;
      if (last === undefined) return this.#nothing;
      const page = await this.#rest.history(id, { after_seq: last, limit: pageSize });
      return () => takeNewer(this.#store.get().state, id, last, page);
    });
  }

  /** The messages around one. */
  around(id: string, seq: number): Promise<void> {
    return this.#once(`around ${id} ${seq}`, async () => {
      const page = await this.#rest.around(id, seq, pageSize);
      return () => takeAround(this.#store.get().state, id, page);
    });
  }

  readonly #nothing = (): Taken => ({ state: this.#store.get().state, again: false });

  entry(id: string): Promise<void> {
    return this.#once(`entry ${id}`, async () => {
      const entry = await this.#rest.chat(id);
      return () => takeEntry(this.#store.get().state, entry);
    });
  }

  hole(id: string): Promise<void> {
    return this.#once(`hole ${id}`, async (state) => {
      const page = await this.#rest.events(id, state.chats.get(id)?.cursor ?? 0);
      return () => takeEvents(this.#store.get().state, id, page);
    });
  }

  /** How far the members have come. */
  cursors(id: string): Promise<void> {
    return this.#once(`cursors ${id}`, async (state) => {
      const rev = state.chats.get(id)?.memberRev ?? 0;
      const { cursors } = await this.#rest.cursors(id);
      return () => takeCursors(this.#store.get().state, id, rev, cursors);
    });
  }

  #once(name: string, read: (state: State) => Promise<() => Taken>): Promise<void> {
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

  /** Reads until the answer can be used: it may be too old, or the server may be away for a moment. */
  async #repeat(read: (state: State) => Promise<() => Taken>): Promise<void> {
    for (let attempt = 0; !this.#stopped; attempt++) {
      try {
        const take = await read(this.#store.get().state);
        if (this.#stopped) return;
        const before = this.#store.get().state;
        const { state, again } = take();
        this.#store.set({ state });
        this.#changed(before);
        if (!again) return;
        // The next part of something long, not the same once more.
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
    const ids = [...this.#running.keys()].filter((name) => /^(newest|older|newer|around) /.test(name)).map((n) => n.split(' ')[1]!);
    this.#store.set({ reading: new Set(ids) });
  }
}
