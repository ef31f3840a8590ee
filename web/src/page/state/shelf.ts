import { byActivity, type Entry, type Line, type Snapshot, type State, type User } from '../../client';
import { emptyState, fromEntry } from '../../client/state';

const name = 'fechatter.shelf';
const store = 'kept';
const key = 'latest';
const mostChats = 30;
const mostLines = 50;
/** How soon what is on screen is put away: first, and from then on. */
const [firstMs, everyMs] = [1_000, 10_000];

/** One chat as it was. Lines that are older than the entry are read again once that is possible. */
interface KeptChat {
  readonly entry: Entry;
  readonly lines: readonly Line[];
  readonly current: boolean;
}

/** What a user last saw. */
export interface Kept {
  readonly user: User;
  /** When that was. */
  readonly at: number;
  readonly epoch: string;
  readonly chats: readonly KeptChat[];
  readonly users: readonly User[];
}

/**
 * Keeps the latest chats in the browser, so that the page shows them when it opens without a
 * network. In a browser that refuses IndexedDB nothing is kept, and everything else works.
 */
export class Shelf {
  private opening: Promise<IDBDatabase> | undefined;
  private before: readonly KeptChat[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private latest: Snapshot | undefined;
  private pause: number = firstMs;

  /** What was kept last; undefined if nothing was. */
  async load(): Promise<Kept | undefined> {
    return this.run<Kept>('readonly', (held) => held.get(key));
  }

  /** Puts a user's chats away soon: the latest of many snapshots counts. */
  keep(user: User, snapshot: Snapshot): void {
    if (!snapshot.state.loaded) return;
    this.latest = snapshot;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.save(user, this.latest!);
    }, this.pause);
    this.pause = everyMs;
  }

  /** Forgets everything; call when the user is logged out. */
  async clear(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.before = [];
    this.pause = firstMs;
    await this.run('readwrite', (held) => held.clear());
  }

  private async save(user: User, { state, users }: Snapshot): Promise<void> {
    const before = new Map(this.before.map((chat) => [chat.entry.id, chat]));
    this.before = byActivity(state).slice(0, mostChats).map((chat): KeptChat => {
      const { entry, history, stale, cursor } = chat;
      if (history && !stale && cursor === entry.last_seq) return { entry, lines: history.lines.slice(-mostLines), current: true };
      return { entry, lines: before.get(entry.id)?.lines ?? [], current: false };
    });
    const needed = new Set(this.before.flatMap(({ entry, lines }) => [...(entry.member_ids ?? []), entry.last_message?.sender_id, ...lines.map(({ message }) => message.sender_id)]));
    const known = [...users.values()].filter(({ id }) => needed.has(id));
    const kept: Kept = { user, at: Date.now(), epoch: state.epoch, chats: this.before, users: known };
    await this.run('readwrite', (held) => held.put(kept, key));
  }

  private async run<T>(mode: IDBTransactionMode, work: (held: IDBObjectStore) => IDBRequest): Promise<T | undefined> {
    try {
      const db = await (this.opening ??= open());
      const request = work(db.transaction(store, mode).objectStore(store));
      return (await done(request)) as T | undefined;
    } catch {
      this.opening = undefined;
      return undefined;
    }
  }
}

/** The state as it was kept. A resume tells what happened since. */
export function restored({ user, epoch, chats }: Kept): State {
  const held = chats.map(({ entry, lines, current }) => {
    const history = lines.length > 0 ? { lines, hasBefore: true, asOf: current ? entry.last_seq : lines.at(-1)!.message.seq } : null;
    return [entry.id, { ...fromEntry(entry), history, stale: history !== null && !current }] as const;
  });
  return { ...emptyState(user.id), epoch, chats: new Map(held) };
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(store);
  return done(request);
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
