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
  private snapshot: Snapshot;
  private listeners = new Set<(snapshot: Snapshot) => void>();
  private told = true;

  constructor(me: string) {
    this.snapshot = {
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
    return this.snapshot;
  }

  set(change: Partial<Snapshot>): void {
    this.snapshot = { ...this.snapshot, ...change };
    if (!this.told) return;
    this.told = false;
    queueMicrotask(() => {
      this.told = true;
      for (const listener of this.listeners) listener(this.snapshot);
    });
  }

  /** Calls `listener` now and after each change; the answer ends it. */
  subscribe(listener: (snapshot: Snapshot) => void): () => void {
    this.listeners.add(listener);
    listener(this.snapshot);
    return () => this.listeners.delete(listener);
  }
}
