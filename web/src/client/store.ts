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
  /** All users known so far. */
  readonly users: ReadonlyMap<string, User>;
  /** Chats whose history is being read. */
  readonly reading: ReadonlySet<string>;
  /** Who is typing now, by chat. */
  readonly typing: ReadonlyMap<string, readonly string[]>;
  /** The presence of watched users; empty if the server does not support it. */
  readonly presence: ReadonlyMap<string, Presence>;
}

/**
 * Holds the snapshot and notifies listeners of changes: once per turn of the event loop, however
 * many events arrived, so that a replay of thousands is drawn once.
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

  /** Freezes the snapshot and removes all listeners. */
  stop(): void {
    this.#stopped = true;
    this.#listeners.clear();
  }

  /** Calls `listener` now and after each change, until the returned function is called. */
  subscribe(listener: (snapshot: Snapshot) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#snapshot);
    return () => this.#listeners.delete(listener);
  }
}

/** Calls a listener. If it throws, the error goes uncaught and other listeners still run. */
export function guarded<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (err) {
    setTimeout(() => {
      throw err;
    });
  }
}
