import { isPassing } from './errors';
import type { Optional } from './optional';
import type { Store } from './store';
import type { Presence, PresenceState } from './types';

const watchable = 500;
const gatherMs = 200;
const againMs = 5_000;
const activeEveryMs = 30_000;

/** What a person can choose to be. */
export type PresenceSetting = Extract<PresenceState, 'online' | 'away' | 'dnd' | 'invisible'>;

/**
 * Knows the presence of those who are on screen and of oneself, by watching exactly them; tells the
 * server that the person is active, and what they want to be seen as. A server that knows no presence
 * leaves everybody's unknown.
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

  /** Names the users that one part of the page shows, in place of those that it showed before. */
  show(part: string, ids: readonly string[]): void {
    if (ids.length > 0) this.#shown.set(part, ids);
    else this.#shown.delete(part);
    if (!sameUsers(this.#wanted(), this.#watched)) this.#watchIn(gatherMs);
  }

  /** A new connection watches nobody yet. */
  ready(): void {
    this.#watched = new Set();
    this.#activeAt = -Infinity;
    void this.#watch();
  }

  /** The connection is gone: who was here a moment ago may have left. */
  offline(): void {
    if (this.#store.get().presence.size > 0) this.#store.set({ presence: new Map() });
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  take(users: readonly Presence[]): void {
    const presence = new Map(this.#store.get().presence);
    for (const user of users) if (this.#watched.has(user.user_id)) presence.set(user.user_id, user);
    this.#store.set({ presence });
  }

  /** The person did something. */
  active(): void {
    const now = performance.now();
    if (now - this.#activeAt < activeEveryMs) return;
    this.#activeAt = now;
    this.#commands.tell('activity', {});
  }

  /** How the person is to be seen, on all devices until changed. Rejects when the server does not take it. */
  async set(state: PresenceSetting): Promise<void> {
    const { me } = this.#store.get().state;
    if ((await this.#commands.request('presence.set', { state })) === null) throw new Error('Your status could not be changed.');
    this.take([{ ...this.#store.get().presence.get(me), user_id: me, state }]);
  }

  /** The part that came last comes first when there are too many: what was opened, before the list behind it. */
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
