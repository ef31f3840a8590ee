import type { Rest } from './rest';
import type { Store } from './store';
import type { User } from './types';

const atOnce = 6;

/** Knows users by id: what a page needs a name for is read once, a few at a time. */
export class Directory {
  private wanted: string[] = [];
  private asked = new Set<string>();
  private running = 0;

  constructor(
    private readonly store: Store,
    private readonly rest: Rest,
  ) {}

  /** Users that came with another answer. */
  learn(users: readonly User[]): void {
    const known = new Map(this.store.get().users);
    for (const user of users) known.set(user.id, user);
    this.store.set({ users: known });
  }

  /** Reads those that are not known yet. A failed read is tried again when asked for again. */
  need(ids: Iterable<string>): void {
    const { users } = this.store.get();
    for (const id of ids) {
      if (!id || users.has(id) || this.asked.has(id)) continue;
      this.asked.add(id);
      this.wanted.push(id);
    }
    while (this.running < atOnce && this.wanted.length > 0) void this.read(this.wanted.shift()!);
  }

  private async read(id: string): Promise<void> {
    this.running++;
    try {
      this.learn([await this.rest.user(id)]);
    } catch {
      // A name that cannot be read is shown as unknown; the next draw asks again.
      this.asked.delete(id);
    } finally {
      this.running--;
      this.need([]);
    }
  }
}
