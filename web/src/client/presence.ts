import { ConnectionLost, isPassing } from './errors';
import type { Optional } from './optional';
import type { Store } from './store';
import type { Presence, PresenceState } from './types';

const watchable = 500;
const gatherMs = 200;
const againMs = 5_000;
const activeEveryMs = 30_000;

/** A presence that a user can choose. */
export type PresenceSetting = Extract<PresenceState, 'online' | 'away' | 'dnd' | 'invisible'>;

/**
 * Watches the presence of exactly the users on screen and the user's own; tells the server that the
 * user is active and how they want to appear. With a server that does not support presence,
 * everyone's is unknown.
 */
export class Presences {
  readonly #store: Store;
  readonly #commands: Optional;
  readonly #shown = new Map<string, readonly string[]>();
  #watched: ReadonlySet<string> = new Set();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #activeAt = -Infinity;

  constructor(store: Store, commands: Optional) {
    this.#store = store;
    this.#commands = commands;
  }

  /** Sets the users that one part of the page shows, replacing its previous ones. */
  show(part: string, ids: readonly string[]): void {
    if (ids.length > 0) this.#shown.set(part, ids);
    else this.#shown.delete(part);
    if (!sameUsers(this.#wanted(), this.#watched)) this.#watchIn(gatherMs);
  }

  /** Starts over on a new connection, which watches nobody yet. */
  ready(): void {
    this.#watched = new Set();
    this.#activeAt = -Infinity;
    void this.#watch();
  }

  /** Forgets everyone's presence: without a connection it may be outdated. */
  offline(): void {
    if (this.#store.get().presence.size > 0) this.#store.set({ presence: new Map() });
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  receive(users: readonly Presence[]): void {
    const presence = new Map(this.#store.get().presence);
    for (const user of users) if (this.#watched.has(user.user_id)) presence.set(user.user_id, user);
    this.#store.set({ presence });
  }

  /** Call whenever the user does something. */
  active(): void {
    const now = performance.now();
    if (now - this.#activeAt < activeEveryMs) return;
    this.#activeAt = now;
    this.#commands.tell('activity', {});
  }

  /** Sets how the user appears, on all devices until changed. Rejects if the server refuses. */
  async set(state: PresenceSetting): Promise<void> {
    const { me } = this.#store.get().state;
    if ((await this.#commands.request('presence.set', { state })) === null) throw new ConnectionLost();
    this.receive([{ ...this.#store.get().presence.get(me), user_id: me, state }]);
  }

  /** The users to watch. If there are too many, the part opened last has priority. */
  #wanted(): ReadonlySet<string> {
    const ids = [...this.#shown.values()].reverse().flat().filter(Boolean);
    return new Set([...new Set([this.#store.get().state.me, ...ids])].slice(0, watchable));
  }

  #watchIn(ms: number): void {
    this.#timer ??= setTimeout(() => void this.#watch(), ms);
  }

  async #watch(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const wanted = this.#wanted();
    if (sameUsers(wanted, this.#watched)) return;
    this.#watched = wanted;
    try {
      const answer = await this.#commands.request<{ users: Presence[] }>('presence.watch', { user_ids: [...wanted] });
      if (this.#watched !== wanted) return;
      this.#store.set({ presence: new Map(answer?.users.map((user) => [user.user_id, user])) });
    } catch (err) {
      if (this.#watched !== wanted) return;
      this.#watched = new Set();
      if (isPassing(err)) this.#watchIn(againMs);
    }
  }
}

function sameUsers(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((id) => b.has(id));
}
