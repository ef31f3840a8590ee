import type { OutboxStorage } from './sender';
import type { Draft } from './outbox';

const store = 'drafts';
const answerMs = 3_000;

/**
 * Unsent messages of one user in IndexedDB, where all windows see them. A browser that refuses it loses
 * unsent messages at a reload, nothing else.
 */
export class OutboxDatabase implements OutboxStorage {
  readonly #name: string;
  #opening: Promise<IDBDatabase> | undefined;

  /** `user` is whose messages they are: nobody sees another's. */
  constructor(user: string) {
    this.#name = `fechatter.outbox.${user}`;
  }

  async load(): Promise<Draft[]> {
    const drafts = await this.#run<Draft[]>('readonly', (held) => held.getAll());
    return (drafts ?? []).sort((a, b) => a.written_at - b.written_at);
  }

  save(draft: Draft): void {
    void this.#run('readwrite', (held) => held.put(draft));
  }

  forget(key: string): void {
    void this.#run('readwrite', (held) => held.delete(key));
  }

  /** After a log-out nothing of a person stays. */
  async clear(): Promise<void> {
    await this.#run('readwrite', (held) => held.clear());
  }

  async #run<T>(mode: IDBTransactionMode, work: (held: IDBObjectStore) => IDBRequest): Promise<T | undefined> {
    // A browser may close a database that was open for long: then once more, on a new one.
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        const db = await (this.#opening ??= this.#open());
        const transaction = db.transaction(store, mode, { durability: 'strict' });
        return await settled<T>(work(transaction.objectStore(store)), transaction);
      } catch {
        this.#opening = undefined;
      }
    }
    return undefined;
  }

  async #open(): Promise<IDBDatabase> {
    const request = indexedDB.open(this.#name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(store, { keyPath: 'key' });
    const db = await settled<IDBDatabase>(request);
    // Another window wants to delete it, or is of a later version.
    db.onversionchange = () => db.close();
    return db;
  }
}

/** The result, once all of its transaction is on the disk. Rejects when it takes too long: some browsers never answer. */
function settled<T>(request: IDBRequest, transaction?: IDBTransaction): Promise<T> {
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
