import { isPassing } from './errors';
import type { Rest } from './rest';
import type { Store } from './store';
import type { User } from './types';

const atOnce = 6;

/** Knows users by id: what a page needs a name for is read once, a few at a time. */
export class Directory {
  readonly #store: Store;
  readonly #rest: Rest;
  #wanted: string[] = [];
  #asked = new Set<string>();
  #running = 0;

  constructor(store: Store, rest: Rest) {
    this.#store = store;
    this.#rest = rest;
  }

  /** Users that came with another answer. */
  learn(users: readonly User[]): void {
    const known = new Map(this.#store.get().users);
    for (const user of users) known.set(user.id, user);
    this.#store.set({ users: known });
  }

  /** Reads those that are not known yet. A read that failed for now is tried again when asked for again. */
  need(ids: Iterable<string>): void {
    const { users } = this.#store.get();
    for (const id of ids) {
      if (!id || users.has(id) || this.#asked.has(id)) continue;
      this.#asked.add(id);
      this.#wanted.push(id);
    }
    while (this.#running < atOnce && this.#wanted.length > 0) void this.#read(this.#wanted.shift()!);
  }

  async #read(id: string): Promise<void> {
    this.#running++;
    try {
      this.learn([await this.#rest.user(id)]);
    } catch (err) {
      // A name that cannot be read is shown as unknown; the next draw asks again, unless there is nobody of that id.
      if (isPassing(err)) this.#asked.delete(id);
    } finally {
      this.#running--;
      this.need([]);
    }
  }
}
