import { isPassing } from './errors';
import type { Rest } from './rest';
import type { Store } from './store';
import type { User } from './types';

/** The server's limit. */
const atOnce = 200;

/** Users by id. Reads each one that a page needs once, many with one request. */
export class Directory {
  readonly #store: Store;
  readonly #rest: Rest;
  readonly #wanted: string[] = [];
  /** The users that are known or were asked for, and the id of nobody. */
  readonly #asked = new Set(['']);
  #reading = false;

  constructor(store: Store, rest: Rest) {
    this.#store = store;
    this.#rest = rest;
  }

  /** Adds users that came with another answer. */
  learn(users: readonly User[]): void {
    const known = new Map(this.#store.get().users);
    for (const user of users) {
      known.set(user.id, user);
      this.#asked.add(user.id);
    }
    this.#store.set({ users: known });
  }

  /** Reads users not known yet. A read that failed temporarily is retried on the next call. */
  need(ids: Iterable<string>): void {
    for (const id of ids) {
      if (!this.#asked.has(id)) this.#wanted.push(id);
      this.#asked.add(id);
    }
    if (!this.#reading) void this.#read();
  }

  async #read(): Promise<void> {
    this.#reading = true;
    // Until all that is needed in this turn of the event loop is known.
    await null;
    let ids: string[] = [];
    try {
      while (this.#wanted.length > 0) {
        ids = this.#wanted.slice(0, atOnce);
        this.learn((await this.#rest.users(ids)).users);
        // Others may be wanted by now, who were not asked for.
        this.#wanted.splice(0, ids.length);
      }
    } catch (err) {
      // They are shown as unknown.
      if (!isPassing(err)) this.#wanted.splice(0, ids.length);
    }
    this.#reading = false;
  }
}
