import { guarded } from './events';
import { emptyState, type State } from './state';
import type { Outbox } from './outbox';
import type { Connection } from './link';
import type { Hello, Presence, User } from './types';

/** Everything a page shows, as one immutable value. */
export interface Snapshot {
  readonly state: State;
  readonly outbox: Outbox;
  readonly connection: Connection;
  readonly hello: Hello | null;
  /** The directory as far as it is known. */
  readonly users: ReadonlyMap<string, User>;
  /** Chats whose history is being read. */
  readonly reading: ReadonlySet<string>;
  /** Who is typing now, by chat. */
  readonly typing: ReadonlyMap<string, readonly string[]>;
  /** Presence of those who are watched; nobody's when the server does not know it. */
  readonly presence: ReadonlyMap<string, Presence>;
}

/**
 * Holds the snapshot and tells listeners of changes: once per turn of the event loop however many
 * events came, so that a replay of thousands is drawn once.
 */
export class Store {
  #snapshot: Snapshot;
  #listeners = new Set<(snapshot: Snapshot) => void>();
  #told = true;
  #stopped = false;

  constructor(me: string) {
    this.#snapshot = {
      state: emptyState(me),
      outbox: [],
      connection: { phase: 'connecting' },
      hello: null,
      users: new Map(),
      reading: new Set(),
      typing: new Map(),
      presence: new Map(),
    };
  }

  get(): Snapshot {
    return this.#snapshot;
  }

  set(change: Partial<Snapshot>): void {
    if (this.#stopped) return;
    this.#snapshot = { ...this.#snapshot, ...change };
    if (!this.#told) return;
    this.#told = false;
    queueMicrotask(() => {
      this.#told = true;
      for (const listener of this.#listeners) guarded(listener, this.#snapshot);
    });
  }

  /** Nothing changes any more, and nobody is told of anything. */
  stop(): void {
    this.#stopped = true;
    this.#listeners.clear();
  }

  /** Calls `listener` now and after each change; the answer ends it. One that throws stops nobody else. */
  subscribe(listener: (snapshot: Snapshot) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#snapshot);
    return () => this.#listeners.delete(listener);
  }
}
