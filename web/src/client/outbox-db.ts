import type { Draft } from './outbox';

const store = 'drafts';
const answerMs = 3_000;

/**
 * One user's unsent messages in IndexedDB, visible to all windows. In a browser that refuses
 * IndexedDB they do not survive a reload; everything else works. With a `part` of its own, it keeps
 * those that wait for their files.
 */
export class OutboxDatabase<Kept extends Pick<Draft, 'key' | 'written_at'> = Draft> {
  readonly #name: string;
  #opening: Promise<IDBDatabase> | undefined;

  /** `user` is the id of the owner: each user has a database of their own. */
  constructor(user: string, part: 'outbox' | 'files' = 'outbox') {
    this.#name = `fechatter.${part}.${user}`;
  }

  async load(): Promise<Kept[]> {
    const drafts = await this.#run<Kept[]>('readonly', (held) => held.getAll());
    return (drafts ?? []).sort((a, b) => a.written_at - b.written_at);
  }

  save(draft: Kept): void {
    void this.#run('readwrite', (held) => held.put(draft));
  }

  forget(key: string): void {
    void this.#run('readwrite', (held) => held.delete(key));
  }

  /** Deletes everything; call on log-out. */
  async clear(): Promise<void> {
    await this.#run('readwrite', (held) => held.clear());
  }

  async #run<T>(mode: IDBTransactionMode, work: (held: IDBObjectStore) => IDBRequest): Promise<T | undefined> {
    // A browser may close a database that has long been open: try once more on a new one.
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        const db = await (this.#opening ??= this.#open());
        const transaction = db.transaction(store, mode, { durability: 'strict' });
        return await completed<T>(work(transaction.objectStore(store)), transaction);
      } catch {
        this.#opening = undefined;
      }
    }
    return undefined;
  }

  async #open(): Promise<IDBDatabase> {
    const request = indexedDB.open(this.#name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(store, { keyPath: 'key' });
    const db = await completed<IDBDatabase>(request);
    // Another window wants to delete or upgrade it.
    db.onversionchange = () => db.close();
    return db;
  }
}

/** The result, once on disk. Rejects after a while, because some browsers never answer. */
function completed<T>(request: IDBRequest, transaction?: IDBTransaction): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(reject, answerMs);
    const done = () => {
      clearTimeout(timer);
      resolve(request.result as T);
    };
    if (transaction) transaction.oncomplete = done;
    else request.onsuccess = done;
    (transaction ?? request).onerror = () => reject(request.error as DOMException);
    if (transaction) transaction.onabort = () => reject(transaction.error as DOMException);
  });
}
